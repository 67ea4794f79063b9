import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPaused, obey, pendingRequests, request, withdraw } from '../../../src/training/control';

let run: string;
beforeEach(() => (run = mkdtempSync(join(tmpdir(), 'control-'))));
afterEach(() => rmSync(run, { recursive: true }));

const handlers = () => ({ save: jest.fn(() => Promise.resolve()), onPause: jest.fn() });

test('without a control folder the run goes on and none is made', async () => {
  const told = handlers();
  await expect(obey(run, told)).resolves.toBe('go on');
  expect(readdirSync(run)).toEqual([]);
  expect(told.save).not.toHaveBeenCalled();
});

test('a checkpoint is saved once, and its request is gone only afterwards', async () => {
  request(run, 'checkpoint');
  const during: string[][] = [];
  const told = { ...handlers(), save: () => Promise.resolve(void during.push(pendingRequests(run))) };
  await obey(run, told);
  await obey(run, told);
  expect(during).toEqual([['checkpoint']]);
});

test('stop ends the run and takes every other request with it', async () => {
  request(run, 'stop');
  request(run, 'pause');
  await expect(obey(run, handlers())).resolves.toBe('stop');
  expect(pendingRequests(run)).toEqual([]);
});

test('a paused run shows it, still saves, and goes on when the request is withdrawn', async () => {
  request(run, 'pause');
  const told = handlers();
  told.onPause.mockImplementation((paused: boolean) => {
    if (paused) request(run, 'checkpoint');
  });
  told.save.mockImplementation(() => {
    expect(isPaused(run)).toBe(true);
    withdraw(run, 'pause');
    return Promise.resolve();
  });
  await expect(obey(run, told)).resolves.toBe('go on');
  expect(told.onPause.mock.calls).toEqual([[true], [false]]);
  expect(isPaused(run)).toBe(false);
});

test('a paused run can be stopped, and aborted without leaving the sign', async () => {
  request(run, 'pause');
  const stopping = handlers();
  stopping.onPause.mockImplementation((paused: boolean) => {
    if (paused) request(run, 'stop');
  });
  await expect(obey(run, stopping)).resolves.toBe('stop');

  request(run, 'pause');
  const abort = new AbortController();
  const aborting = handlers();
  aborting.onPause.mockImplementation(() => abort.abort());
  await expect(obey(run, { ...aborting, signal: abort.signal })).rejects.toThrow();
  expect(isPaused(run)).toBe(false);
});
