/** Who is let in, what is refused, and what the addresses answer. */
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeApp } from '../../../../src/observe/dashboard/app';
import type { Assets } from '../../../../src/observe/dashboard/assets';
import type { ChartData, ChartInfo, ConfigTable, RunInfo } from '../../../../src/observe/dashboard/protocol';
import { RunList } from '../../../../src/observe/dashboard/run-list';
import { lockRun } from '../../../../src/training/run-lock';

const folder = mkdtempSync(join(tmpdir(), 'dashboard-app-'));
for (const seed of [0, 1]) {
  const run = join(folder, 'group', `run-${seed}`);
  mkdirSync(run, { recursive: true });
  writeFileSync(join(run, 'config.resolved.yaml'), `seed: ${seed}\nsteps: 3\nkl: { measure: true }\n`);
  const rows = [1, 2, 3].map((step) => JSON.stringify({ step, rewardMean: step + seed, seconds: { total: 1 } }));
  writeFileSync(join(run, 'metrics.jsonl'), rows.map((row) => `${row}\n`).join(''));
}
afterAll(() => rmSync(folder, { recursive: true }));

const token = 'secret';
const appOn = (host: string) => makeApp(new RunList(folder), { host, token }, null).app;
const local = appOn('127.0.0.1');
const fromPage = { host: 'localhost:1', origin: 'http://localhost:1', 'x-zero-rl-token': token };
const get = async (path: string): Promise<unknown> =>
  (await local.request(path, { headers: { host: 'localhost:1' } })).json();
const control = (body: object, headers: Record<string, string>) =>
  local.request('/api/control', { method: 'POST', headers, body: JSON.stringify(body) });

test('loopback answers under its own names only', async () => {
  for (const host of ['localhost:4870', '127.0.0.1:4870', '[::1]:4870'])
    expect((await local.request('/api/runs', { headers: { host } })).status).toBe(200);
  expect((await local.request('/api/runs', { headers: { host: 'attacker.example' } })).status).toBe(403);
});

test('another host needs the token: in the address once, then in a cookie that scripts do not see', async () => {
  const app = appOn('0.0.0.0');
  const host = 'box:4870';
  expect((await app.request('/api/runs', { headers: { host } })).status).toBe(401);
  expect((await app.request('/?token=wrong', { headers: { host } })).status).toBe(401);
  const login = await app.request('/?token=secret', { headers: { host } });
  const cookie = login.headers.get('set-cookie') ?? '';
  expect(cookie).toMatch(/HttpOnly.*SameSite=Strict/);
  const answer = await app.request('/api/runs', { headers: { host, cookie: cookie.split(';')[0] } });
  expect(answer.status).toBe(200);
});

test('only the page itself may act, on a run that a process trains', async () => {
  const run = 'group/run-0';
  const pause = { run, action: 'pause' };
  expect((await control(pause, { ...fromPage, origin: 'http://attacker.example' })).status).toBe(403);
  expect((await control(pause, { ...fromPage, 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  expect((await control(pause, { ...fromPage, 'x-zero-rl-token': 'x' })).status).toBe(403);
  expect((await control(pause, fromPage)).status).toBe(409);
  const lock = await lockRun(join(folder, run));
  expect((await control({ run, action: 'erase' }, fromPage)).status).toBe(400);
  expect((await control({ run: '../..', action: 'stop' }, fromPage)).status).toBe(404);
  expect((await control(pause, fromPage)).status).toBe(200);
  expect(existsSync(join(folder, run, 'control', 'pause'))).toBe(true);
  expect((await get('/api/runs')) as RunInfo[]).toContainEqual(
    expect.objectContaining({ id: run, state: 'running', pending: ['pause'] }),
  );
  expect((await control({ run, action: 'resume' }, fromPage)).status).toBe(200);
  expect(existsSync(join(folder, run, 'control', 'pause'))).toBe(false);
  lock.release();
});

test('the page on loopback, which everyone on the machine gets, holds no token; elsewhere it does', async () => {
  const assets: Assets = { files: new Map(), index: (held) => `<meta content="${held}">`, policy: '' };
  const pageOf = async (host: string, headers: Record<string, string>): Promise<string> =>
    (await makeApp(new RunList(folder), { host, token }, assets).app.request('/', { headers })).text();
  expect(await pageOf('127.0.0.1', { host: 'localhost:1' })).toBe('<meta content="">');
  expect(await pageOf('0.0.0.0', { host: 'box:1', cookie: `zero-rl-1=${token}` })).toBe(`<meta content="${token}">`);
});

describe('the stream of changes', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['performance', 'setImmediate', 'nextTick', 'queueMicrotask'] }));
  afterEach(() => jest.useRealTimers());
  const turn = (): Promise<void> => new Promise((next) => setImmediate(next));
  const watch = async (): Promise<ReadableStreamDefaultReader<Uint8Array>> => {
    const { body } = await local.request('/api/live', { headers: { host: 'localhost:1' } });
    return body!.getReader();
  };

  test('a client that goes leaves nothing behind, also before the first word was written', async () => {
    const early = await watch();
    await early.cancel();
    await turn();
    expect(jest.getTimerCount()).toBe(0);
    const late = await watch();
    await late.read();
    expect(jest.getTimerCount()).toBeGreaterThan(0);
    await late.cancel();
    await turn();
    expect(jest.getTimerCount()).toBe(0);
  });

  test('a client that does not read gets the last state in place of all that it missed', async () => {
    const reader = await watch();
    const file = join(folder, 'group/run-0/metrics.jsonl');
    const before = readFileSync(file);
    for (let step = 4; step <= 30; step++) {
      appendFileSync(file, `{"step":${step},"rewardMean":0}\n`);
      await jest.advanceTimersByTimeAsync(1000);
      await turn();
    }
    let text = '';
    while (!text.includes('"step":30')) text += new TextDecoder().decode((await reader.read()).value);
    expect(text.match(/^event: /gm)!.length).toBeLessThan(10);
    await reader.cancel();
    writeFileSync(file, before);
  });
});

test('runs that differ in the seed alone are a band', async () => {
  const data = (await get('/api/data?chart=reward&bands=yes&run=group/run-0&run=group/run-1')) as ChartData;
  expect(data).toMatchObject({
    x: [1, 2, 3],
    extent: [1, 3],
    curves: [{ y: [1.5, 2.5, 3.5], low: [1, 2, 3], high: [2, 3, 4] }],
  });
  const apart = (await get('/api/data?chart=reward&axis=time&run=group/run-0&run=group/run-1')) as ChartData;
  expect(apart.curves.map(({ runs, last }) => [runs, last])).toEqual([
    [['group/run-0'], 3],
    [['group/run-1'], 4],
  ]);
});

test('charts list what a run has: no phase without time, no share of clipped ratios without ratios', async () => {
  const run = join(folder, 'other', 'run-2');
  mkdirSync(run, { recursive: true });
  const seriesOf = async (objective: string): Promise<Record<string, string[]>> => {
    writeFileSync(join(run, 'config.resolved.yaml'), `optimizer: { objective: ${objective} }\n`);
    await get('/api/runs');
    const { charts } = (await get('/api/charts?run=other/run-2')) as { charts: ChartInfo[] };
    return Object.fromEntries(charts.map(({ id, series }) => [id, series.map(({ label }) => label)]));
  };
  const seconds = { sample: 2, verify: 0.5, reference: 0, critic: 0, step: 1, total: 3.5 };
  writeFileSync(join(run, 'metrics.jsonl'), `${JSON.stringify({ step: 1, clipFraction: 0, seconds })}\n`);
  // Looks for new folders come two seconds apart.
  const apart = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 10_000);
  await get('/api/runs');
  apart.mockRestore();
  expect((await seriesOf('ppo')).clip).toEqual(['']);
  const series = await seriesOf('reinforce');
  expect(series.seconds).toEqual(['sample', 'verify', 'step']);
  expect(series.clip).toBeUndefined();
});

test('the value of a zoomed chart is the last within its range', async () => {
  const last = async (range: string): Promise<(number | null)[]> =>
    ((await get(`/api/data?chart=reward&run=group/run-0${range}`)) as ChartData).curves.map(({ last: value }) => value);
  expect(await last('&from=1&to=2')).toEqual([2]);
  expect(await last('&from=1&to=2.5')).toEqual([2]);
  expect(await last('')).toEqual([3]);
  expect(await last('&from=1.2&to=1.8')).toEqual([null]);
});

test('configs are compared key by key', async () => {
  const { rows } = (await get('/api/config?run=group/run-0&run=group/run-1')) as ConfigTable;
  expect(rows.filter(({ differs }) => differs).map(({ key, values }) => [key, values])).toEqual([['seed', ['0', '1']]]);
  expect(rows.map(({ key }) => key)).toContain('kl.measure');
});

test.each([
  ['/api/data?chart=nothing', 404],
  ['/api/data?chart=reward&pixels=1e9', 400],
  ['/api/rollouts?run=../../etc', 404],
  ['/api/rollouts?run=group/run-0&sort=x', 400],
  ['/api/rollout?run=group/run-0&step=1&id=p0', 404],
  ['/api/rollout?run=group/run-0&id=p0', 400],
  ['/api/charts?run=group/run-0&run=nowhere', 404],
  ['/api/config?run=nowhere', 404],
  ['/../package.json', 404],
])('%s is refused with %d and a sentence', async (path, status) => {
  const answer = await local.request(path, { headers: { host: 'localhost' } });
  expect(answer.status).toBe(status);
  expect(await answer.json()).toEqual({ error: expect.any(String) });
});
