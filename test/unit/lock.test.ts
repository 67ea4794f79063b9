import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireLock, isHeld, Lock, withLock } from '../../src/lock';
import { lockRun } from '../../src/training/run-lock';
import { ownerHere, startOf, writeLock } from '../support/stale-lock';

const times = { beatSeconds: 0.02, goneSeconds: 0.3 };
const patient = { ...times, goneSeconds: 60 };
const elsewhere = { pid: process.pid, started: '1', host: 'elsewhere', system: 'another boot' };
/** Of the test's own parent, which lives. */
const living = ownerHere(process.ppid, startOf(process.ppid));

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'zero-rl-lock-'));
  path = join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('it is held once, and leaves nothing when it is given back', () => {
  const lock = Lock.take(path);
  expect(lock?.held()).toBe(true);
  expect(Lock.take(path)).toBeNull();
  expect(isHeld(path)).toBe(true);
  lock?.release();
  lock?.release();
  expect(readdirSync(folder)).toEqual([]);
  expect(isHeld(path)).toBe(false);
});

test('work waits for its turn', async () => {
  const order: string[] = [];
  const work = (name: string) => async (): Promise<void> => {
    order.push(`${name} begins`);
    await new Promise(setImmediate);
    order.push(`${name} ends`);
  };
  await Promise.all(['a', 'b', 'c'].map((name) => withLock(join(folder, 'sub', 'lock'), work(name))));
  const names = order.map((line) => line[0]);
  expect(order).toEqual([0, 2, 4].flatMap((i) => [`${names[i]} begins`, `${names[i]} ends`]));
});

test.each([
  ['whose process is gone', ownerHere(2 ** 22 + 1)],
  ['whose pid another process has', ownerHere(process.ppid)],
])('a lock of this system %s is taken over at once', async (_, owner) => {
  writeLock(path, owner);
  expect(isHeld(path)).toBe(false);
  const onWait = jest.fn();
  (await acquireLock(path, { onWait })).release();
  expect(onWait).not.toHaveBeenCalled();
});

test('a lock whose process has ended is taken over, also where its parent never asks for it', async () => {
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line);
  const until = async (file: string, pattern: RegExp): Promise<void> => {
    while (!pattern.test(readFileSync(file, 'utf8'))) await new Promise(setImmediate);
  };
  try {
    await until(`/proc/${parent.pid}/comm`, /cat/);
    writeLock(path, ownerHere(pid, startOf(pid)));
    expect(isHeld(path)).toBe(true);
    process.kill(pid, 'SIGKILL');
    await until(`/proc/${pid}/stat`, /\) Z/);
    expect(isHeld(path)).toBe(false);
    (await acquireLock(path, { signal: AbortSignal.timeout(5000) })).release();
  } finally {
    parent.stdin.end();
    await once(parent, 'exit');
  }
});

test('one that finds a stale lock and is overtaken does not free the lock of the other', async () => {
  writeLock(path, ownerHere(process.ppid));
  const { unlinkSync } = fs;
  let other = null as Lock | null;
  jest.spyOn(fs, 'unlinkSync').mockImplementationOnce((file) => {
    unlinkSync(file);
    fs.rmdirSync(path);
    other = Lock.take(path);
    unlinkSync(file);
  });
  await expect(lockRun(folder)).rejects.toThrow('is being written by');
  expect(other!.held()).toBe(true);
  other!.release();
});

test('a process that lives is named, also where nobody may wait for it', async () => {
  const file = writeLock(path, living);
  expect(isHeld(path)).toBe(true);
  await expect(lockRun(folder)).rejects.toMatchObject({
    code: 'ERR_ZERO_RL_OUTPUT',
    message: expect.stringContaining(`is being written by process ${process.ppid} on `) as string,
  });
  const waiting = acquireLock(path, { onWait: () => rmSync(file) });
  (await waiting).release();
});

test('a waiting process can be stopped', async () => {
  writeLock(path, living);
  const abort = new AbortController();
  const waiting = acquireLock(path, { onWait: () => abort.abort(), signal: abort.signal });
  await expect(waiting).rejects.toThrow('aborted');
});

test('the lock of a living process on another host stands, whatever its clock says', async () => {
  const file = writeLock(path, elsewhere);
  let beat = 0;
  const beating = setInterval(() => utimesSync(file, ++beat, ++beat), 20);
  const warnings: string[] = [];
  const refused = lockRun(folder, { times: patient, warn: (message) => warnings.push(message) });
  await expect(refused).rejects.toThrow(`is being written by process ${process.pid} on elsewhere`);
  clearInterval(beating);
  expect(warnings).toEqual([expect.stringContaining('waiting for a sign of life')]);
  expect(existsSync(file)).toBe(true);
});

test.each([
  ['of another host that is gone', () => void writeLock(path, elsewhere)],
  ['without a word, as a power cut leaves it', () => void writeLock(path, '')],
  ['that is not JSON', () => void writeLock(path, '{"pid": 1')],
  ['that is an empty file, of an older release', () => writeFileSync(path, '')],
  ['that is a file with a pid, of an older release', () => writeFileSync(path, '1')],
])('a lock %s is announced and taken over', async (_, make) => {
  make();
  const told: string[] = [];
  const lock = await acquireLock(path, { times, onWait: (holder) => told.push(holder) });
  expect(told).toHaveLength(1);
  expect(lock.held()).toBe(true);
  lock.release();
  expect(readdirSync(folder)).toEqual([]);
});

test('an empty folder and what killed processes left do not stand in the way', async () => {
  mkdirSync(path);
  mkdirSync(join(folder, '.lock-0.tmp-1'));
  const lock = await acquireLock(path);
  expect(readdirSync(folder)).toEqual(['lock']);
  lock.release();
});

test('a holder keeps touching its file', async () => {
  const lock = Lock.take(path, times)!;
  writeFileSync(join(path, readdirSync(path)[0]), JSON.stringify(elsewhere));
  await expect(lockRun(folder, { times: patient })).rejects.toThrow(`process ${process.pid} on elsewhere`);
  lock.release();
});

test('a holder that was held up learns that its lock is lost, and does not free the new one', async () => {
  const lock = await lockRun(folder);
  rmSync(join(path, readdirSync(path)[0]));
  const other = await acquireLock(path);
  expect(() => lock.check()).toThrow('Another process has taken over the run');
  lock.release();
  expect(other.held()).toBe(true);
  other.release();
});

test('a folder that cannot be written says so', async () => {
  await expect(lockRun(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'ERR_ZERO_RL_OUTPUT' });
});
