/** A model and a dataset named by their ids, from download to a resumed run. */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Policy } from '../../src';
import type { TrainConfigInput } from '../../src/training/config';
import { parseYaml } from '../../src/training/load-config';
import { train } from '../../src/training/train';
import type { TrainEvent } from '../../src/training/train-event';
import { commitOf, startFakeHub, type FakeHub } from '../support/fake-hub';
import { createTinyPolicy, TOKENIZER_FOLDER } from '../support/tiny-policy';

const saved = { ...process.env };
let hub: FakeHub;
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zero-rl-hub-model-'));
  using policy = await createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER, endTokens: [7, 8] });
  await policy.save(join(folder, 'model'));
  const files = Object.fromEntries(
    readdirSync(join(folder, 'model')).map((name) => [name, readFileSync(join(folder, 'model', name))]),
  );
  const rows = Array.from({ length: 6 }, (_, i) => JSON.stringify({ question: `${i}+1?`, answer: `#### ${i + 1}` }));
  hub = await startFakeHub({ 'model org/tiny': files, 'dataset org/sums': { 'train.jsonl': rows.join('\n') } });
  const clean = Object.entries(saved).filter(([name]) => !/^(HF_|(http|https|no)_proxy$)/i.test(name));
  const own = { HF_ENDPOINT: hub.url, HF_HOME: mkdtempSync(join(tmpdir(), 'zero-rl-hf-')) };
  process.env = { ...Object.fromEntries(clean), ...own };
});
afterAll(async () => {
  process.env = saved;
  await hub.close();
});

test('Policy.load takes the id of a model', async () => {
  using policy = await Policy.load('org/tiny', { device: 'cpu', threads: 1 });
  expect(policy.endTokens).toEqual([7, 8]);
  expect(policy.tokenizer).not.toBeNull();
  await expect(Policy.load('org/absent')).rejects.toMatchObject({ code: 'ERR_ZERO_RL_HUB' });
});

test('a run pins the commits, so that it goes on with the same files when the hub has moved', async () => {
  const config: TrainConfigInput = {
    model: 'org/tiny',
    data: { train: 'org/sums' },
    kl: { measure: true },
    rollout: { promptsPerStep: 2, samplesPerPrompt: 2, maxTokens: 4 },
    steps: 1,
    threads: 1,
    output: mkdtempSync(join(tmpdir(), 'zero-rl-hub-runs-')),
  };
  let folder = '';
  const onEvent = (event: TrainEvent): void => {
    if (event.type === 'start') folder = event.folder;
  };
  for await (const step of train(config, { onEvent })) expect(step.applied).toBe(true);
  const resolved = parseYaml(readFileSync(join(folder, 'config.resolved.yaml'), 'utf8'), 'config') as unknown;
  const [model, dataset] = [hub.repositories['model org/tiny'], hub.repositories['dataset org/sums']];
  expect(resolved).toMatchObject({
    model: `org/tiny@${commitOf(model)}`,
    data: { train: [{ source: 'org/sums', revision: commitOf(dataset) }] },
  });

  hub.repositories['dataset org/sums'] = { 'train.jsonl': '{"question":"new","answer":"1"}' };
  process.env.HF_HUB_OFFLINE = '1';
  const steps = train({ ...(resolved as TrainConfigInput), steps: 2 }, { onEvent, resume: folder });
  for await (const step of steps) expect(step).toMatchObject({ step: 2, groups: 2 });
});
