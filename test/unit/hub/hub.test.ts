import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadProblems } from '../../../src/data/dataset';
import { datasetFiles } from '../../../src/hub/dataset';
import { modelFolder } from '../../../src/hub/model';
import { parseHubId } from '../../../src/hub/repository';
import { hubSettings } from '../../../src/hub/settings';
import { commitOf, startFakeHub, type FakeHub } from '../../support/fake-hub';

const weights = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 251));
const model = {
  'config.json': '{}',
  'model.safetensors': weights,
  'tokenizer.json': '{"a":1}',
  'README.md': '# a model',
  'pytorch_model.bin': 'pickle',
};
const rows = '{"question":"1+1","answer":"2"}\n{"question":"2+2","answer":"4"}\n';
const dataset = { 'README.md': 'x', 'main/train.jsonl': rows, 'main/test.jsonl': '{"question":"3","answer":"3"}\n' };

const saved = { ...process.env };
let hub: FakeHub;
let cache: string;

beforeEach(async () => {
  hub = await startFakeHub({ 'model org/base': { ...model }, 'dataset org/sums': { ...dataset } });
  cache = mkdtempSync(join(tmpdir(), 'zero-rl-hub-'));
  const clean = Object.entries(saved).filter(([name]) => !/^(HF_|(http|https|no)_proxy$)/i.test(name));
  process.env = { ...Object.fromEntries(clean), HF_ENDPOINT: hub.url, HF_HOME: cache, ZERO_RL_LOG: 'silent' };
});
afterEach(async () => {
  process.env = { ...saved };
  await hub.close();
});

const repository = (): string => join(cache, 'hub', 'models--org--base');
const failing = async (work: Promise<unknown>): Promise<{ code?: string; message: string }> => {
  const failure: unknown = await work.then(
    () => null,
    (error: unknown) => error,
  );
  return failure as { code?: string; message: string };
};

test.each([
  ['org/name', { name: 'org/name', revision: 'main' }],
  ['org/name@v1.0', { name: 'org/name', revision: 'v1.0' }],
  ['Qwen/Qwen2.5-0.5B@refs/pr/1', { name: 'Qwen/Qwen2.5-0.5B', revision: 'refs/pr/1' }],
  ['hf:gsm8k', { name: 'gsm8k', revision: 'main' }],
  ['hf:org/name', { name: 'org/name', revision: 'main' }],
  ['gsm8k', null],
  ['./org/name', null],
  ['/org/name', null],
  ['a/b/c', null],
  ['../name', null],
  ['org/..', null],
  ['hf:a..b', null],
  ['org/name@../..', null],
  ['org/name@a/../../b', null],
  ['org/name@/etc', null],
  ['org/name@.hidden', null],
])('the id %s', (text, id) => {
  expect(parseHubId(text)).toEqual(id);
});

test('settings follow the variables of huggingface_hub', () => {
  expect(
    hubSettings({ HF_ENDPOINT: 'https://mirror/', HF_HUB_CACHE: '/c', HF_TOKEN: ' t ', HF_HUB_OFFLINE: 'YES' }),
  ).toEqual({
    endpoint: 'https://mirror',
    cache: '/c',
    token: 't',
    offline: true,
  });
  writeFileSync(join(cache, 'token'), 'written\n');
  expect(hubSettings({ HF_HOME: cache })).toMatchObject({
    token: 'written',
    cache: join(cache, 'hub'),
    offline: false,
  });
  expect(hubSettings({ XDG_CACHE_HOME: '/x', HF_HUB_OFFLINE: '0' })).toMatchObject({
    cache: '/x/huggingface/hub',
    offline: false,
  });
});

describe('a model', () => {
  test('lies in the cache as huggingface_hub lays it out, without files that are not needed', async () => {
    const { folder, pinned } = await modelFolder('org/base');
    const commit = commitOf(model);
    expect(folder).toBe(join(repository(), 'snapshots', commit));
    expect(pinned).toBe(`org/base@${commit}`);
    expect(readdirSync(folder).sort()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
    expect(readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true);
    expect(readFileSync(join(repository(), 'refs', 'main'), 'utf8')).toBe(commit);
    expect(readlinkSync(join(folder, 'config.json'))).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]{40}$/);
    expect(readlinkSync(join(folder, 'model.safetensors'))).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/);
    expect(readdirSync(join(repository(), 'blobs'))).toHaveLength(3);
  });

  test('is downloaded once, and again only where the revision has moved', async () => {
    const { folder } = await modelFolder('org/base');
    hub.requests.length = 0;
    expect((await modelFolder('org/base')).folder).toBe(folder);
    expect(hub.requests).toEqual(['GET /api/models/org/base/revision/main']);
    hub.repositories['model org/base'] = { ...model, 'config.json': '{"new":1}' };
    const moved = await modelFolder('org/base');
    expect(readFileSync(join(moved.folder, 'config.json'), 'utf8')).toBe('{"new":1}');
    expect(hub.requests.filter((request) => request.includes('/store/'))).toEqual([]);
    // The commit that a run has pinned stays what it was.
    process.env.HF_HUB_OFFLINE = '1';
    expect((await modelFolder(`org/base@${commitOf(model)}`)).folder).toBe(folder);
  });

  test('a download that is cut goes on where it stopped, also in a later process', async () => {
    hub.cuts.set('model.safetensors', 30_000);
    const { folder } = await modelFolder('org/base');
    expect(readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true);
    const gets = hub.requests.filter((request) => request.startsWith('GET /store/'));
    expect(gets).toHaveLength(2);
    expect(gets[1]).toMatch(/ bytes=\d+-$/);
    expect(Number(/(\d+)-$/.exec(gets[1])?.[1])).toBeGreaterThan(0);
  });

  test('what an earlier process left is used', async () => {
    await modelFolder('org/base');
    const [blob] = readdirSync(join(repository(), 'blobs')).filter((name) => name.length === 64);
    const fresh = mkdtempSync(join(tmpdir(), 'zero-rl-hub-'));
    process.env.HF_HOME = fresh;
    const first = await modelFolder('org/base');
    process.env.HF_HOME = mkdtempSync(join(tmpdir(), 'zero-rl-hub-'));
    const blobs = join(process.env.HF_HOME, 'hub', 'models--org--base', 'blobs');
    await import('node:fs/promises').then(({ mkdir }) => mkdir(blobs, { recursive: true }));
    writeFileSync(join(blobs, `${blob}.incomplete`), weights.subarray(0, 60_000));
    hub.requests.length = 0;
    const second = await modelFolder('org/base');
    expect(
      readFileSync(join(second.folder, 'model.safetensors')).equals(
        readFileSync(join(first.folder, 'model.safetensors')),
      ),
    ).toBe(true);
    expect(hub.requests.filter((request) => request.startsWith('GET') && request.includes('/store/'))).toEqual([
      expect.stringMatching(/ bytes=60000-$/),
    ]);
  });

  test('bytes with a wrong checksum are never put in place', async () => {
    hub.wrong.set('model.safetensors', Buffer.alloc(weights.length, 1));
    const failure = await failing(modelFolder('org/base'));
    expect(failure).toMatchObject({ code: 'ERR_ZERO_RL_HUB', message: expect.stringContaining('checksum') });
    expect(existsSync(join(repository(), 'snapshots', commitOf(model), 'model.safetensors'))).toBe(false);
    hub.wrong.clear();
    const { folder } = await modelFolder('org/base');
    expect(readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true);
  });

  test('files of the same content share a blob', async () => {
    hub.repositories['model org/base'] = { ...model, 'tokenizer.json': '{}', 'generation_config.json': '{}' };
    const { folder } = await modelFolder('org/base');
    expect(readdirSync(folder)).toHaveLength(4);
    expect(readdirSync(join(repository(), 'blobs'))).toHaveLength(2);
  });

  test('two calls at once download each file once', async () => {
    const [a, b] = await Promise.all([modelFolder('org/base'), modelFolder('org/base')]);
    expect(a).toEqual(b);
    expect(hub.requests.filter((request) => request.startsWith('GET /store/'))).toHaveLength(1);
  });

  test('offline, the cache is all there is; what it lacks is said with what to do', async () => {
    process.env.HF_HUB_OFFLINE = '1';
    expect(await failing(modelFolder('org/base'))).toMatchObject({
      code: 'ERR_ZERO_RL_HUB',
      message: expect.stringMatching(/HF_HUB_OFFLINE is set .* model org\/base@main; download it/),
    });
    expect(hub.requests).toEqual([]);
    delete process.env.HF_HUB_OFFLINE;
    const { folder } = await modelFolder('org/base');
    hub.requests.length = 0;
    process.env.HF_HUB_OFFLINE = '1';
    expect((await modelFolder('org/base')).folder).toBe(folder);
    expect(hub.requests).toEqual([]);
  });

  test('a hub that cannot be reached: the cache serves, else one sentence says what to do', async () => {
    const { folder } = await modelFolder('org/base');
    process.env.HF_ENDPOINT = 'http://127.0.0.1:9';
    expect((await modelFolder('org/base')).folder).toBe(folder);
    expect(await failing(modelFolder('org/other'))).toMatchObject({
      code: 'ERR_ZERO_RL_HUB',
      message: expect.stringMatching(/127\.0\.0\.1:9 cannot be reached .*give the path of a folder/),
    });
  });

  test('the token is sent to the hub alone, and a refusal says what to do', async () => {
    hub.token = 'secret';
    expect(await failing(modelFolder('org/base'))).toMatchObject({
      code: 'ERR_ZERO_RL_HUB',
      message: expect.stringMatching(/refuses .* \(401\).*set HF_TOKEN/),
    });
    process.env.HF_TOKEN = 'secret';
    await modelFolder('org/base');
    const seen = hub.requests.map((request, i) => [request.includes('/store/'), hub.tokens[i]]);
    expect(seen.slice(1)).toContainEqual([true, undefined]);
    expect(seen.slice(1).filter(([elsewhere, token]) => (token === undefined) !== elsewhere)).toEqual([]);
    expect(await failing(modelFolder('org/absent'))).toMatchObject({
      message: expect.stringContaining('no model org/absent@main'),
    });
  });

  test('a repository without safetensors, and paths that lead out of it', async () => {
    hub.repositories['model org/base'] = { 'config.json': '{}', 'pytorch_model.bin': 'x' };
    expect(await failing(modelFolder('org/base'))).toMatchObject({
      code: 'ERR_ZERO_RL_CHECKPOINT',
      message: expect.stringContaining('has no model.safetensors'),
    });
    hub.repositories['dataset org/evil'] = { '../../../evil.jsonl': rows };
    expect(
      await failing(
        datasetFiles({ type: 'dataset', name: 'org/evil', revision: 'main' }, { split: 'train', splitIsDefault: true }),
      ),
    ).toMatchObject({
      code: 'ERR_ZERO_RL_DATA',
    });
  });

  test('a download that was cut is not served as the whole, by its branch or by its commit', async () => {
    const shards = { 'model-00001-of-00002.safetensors': weights, 'model-00002-of-00002.safetensors': 'second' };
    const sharded = { 'config.json': '{}', 'model.safetensors.index.json': '{}', ...shards };
    hub.repositories['model org/base'] = sharded;
    hub.wrong.set('model-00001-of-00002.safetensors', Buffer.alloc(weights.length, 1));
    expect(await failing(modelFolder('org/base'))).toMatchObject({ message: expect.stringContaining('checksum') });
    hub.wrong.clear();
    process.env.HF_HUB_OFFLINE = '1';
    for (const id of ['org/base', `org/base@${commitOf(sharded)}`])
      expect(await failing(modelFolder(id))).toMatchObject({ code: 'ERR_ZERO_RL_HUB' });
    delete process.env.HF_HUB_OFFLINE;
    const { folder } = await modelFolder('org/base');
    process.env.HF_HUB_OFFLINE = '1';
    expect(await modelFolder('org/base')).toMatchObject({ folder });
    // A snapshot that another program made, without a shard.
    rmSync(join(repository(), '.zero-rl'), { recursive: true });
    rmSync(join(folder, 'model-00001-of-00002.safetensors'));
    expect(await failing(modelFolder('org/base'))).toMatchObject({
      code: 'ERR_ZERO_RL_HUB',
      message: expect.stringMatching(/only 3 of the 4 files .*model-00001-of-00002\.safetensors is missing/),
    });
  });

  test('a revision leads out of no folder', async () => {
    const request = { split: 'train', splitIsDefault: true } as const;
    for (const revision of ['../..', 'a/../../b', '/tmp', '..\\x', '']) {
      const repository = { type: 'dataset', name: 'org/sums', revision } as const;
      expect(await failing(datasetFiles(repository, request))).toMatchObject({
        code: 'ERR_ZERO_RL_HUB',
        message: expect.stringContaining('can be no revision of org/sums'),
      });
    }
    expect(hub.requests).toEqual([]);
  });

  test('a hub that is busy is asked again, as soon as it says', async () => {
    hub.busy = [
      { status: 429, headers: { 'retry-after': '0' } },
      { status: 503 },
      { status: 502, headers: { 'retry-after': new Date(0).toUTCString() } },
    ];
    const { folder } = await modelFolder('org/base');
    expect(readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true);
    expect(hub.requests.slice(0, 4)).toEqual(Array(4).fill('GET /api/models/org/base/revision/main'));
  });

  test('a hub that stays busy: the cache serves, else it is said when to try again', async () => {
    const busy = { status: 429, headers: { 'retry-after': '0' } };
    hub.busy = Array(5).fill(busy);
    expect(await failing(modelFolder('org/base'))).toMatchObject({
      code: 'ERR_ZERO_RL_HUB',
      message: expect.stringMatching(/is busy \(429 .*; try again later; HF_TOKEN raises/),
    });
    hub.busy = [{ status: 503, headers: { 'retry-after': '3600' } }];
    expect(await failing(modelFolder('org/base'))).toMatchObject({
      message: expect.stringContaining('try again in 3600 s'),
    });
    const { folder } = await modelFolder('org/base');
    hub.busy = Array(5).fill(busy);
    expect((await modelFolder('org/base')).folder).toBe(folder);
  });

  test('a folder of that name comes first', async () => {
    expect(await modelFolder('test/unit')).toEqual({ folder: 'test/unit', pinned: 'test/unit' });
    expect(hub.requests).toEqual([]);
  });
});

describe('a dataset', () => {
  const options = { count: 1, split: 'train' } as const;

  test('gives its training split, and its test split for held-out problems', async () => {
    const { problems, sources } = await loadProblems([{ source: 'org/sums' }], options);
    expect(problems.map(({ problem, answer }) => [problem, answer])).toEqual([
      ['1+1', '2'],
      ['2+2', '4'],
    ]);
    expect(sources).toEqual([{ source: 'org/sums', revision: commitOf(dataset) }]);
    const heldOut = await loadProblems([{ source: 'org/sums' }], { ...options, split: 'heldOut' });
    expect(heldOut.problems).toHaveLength(1);
  });
});
