/** Prompts that leave no room for an answer are said before the first step, and never end a run at the step that draws them. */
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluateModel } from '../../../src/evaluation/suite';
import { PromptTooLong } from '../../../src/policy/sample-request';
import type { TrainConfigInput } from '../../../src/training/config';
import { resolveConfig } from '../../../src/training/load-config';
import { planRun } from '../../../src/training/plan';
import { readRows, type SampleRow } from '../../../src/training/run-folder';
import { train } from '../../../src/training/train';
import { BanditPolicy } from '../../support/bandit-policy';

const CONTEXT = 40;

/** Has a context. */
class ShortPolicy extends BanditPolicy {
  readonly config = { layers: 1, kvHeads: 1, headDim: 1, maxPositions: CONTEXT };
  encoded = 0;

  override encodePrompt(prompt: unknown): Int32Array {
    this.encoded++;
    const tokens = super.encodePrompt(prompt);
    if (tokens.length >= CONTEXT) throw new PromptTooLong(`Expected fewer tokens but received ${tokens.length}`);
    return tokens;
  }
}

const scratch = mkdtempSync(join(tmpdir(), 'zero-rl-long-'));
const data = (name: string, lengths: readonly number[]): string => {
  const file = join(scratch, name);
  const rows = lengths.map((length, i) => ({ id: `p${i}`, problem: 'x'.repeat(length), answer: '2' }));
  writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'));
  return file;
};
const one = data('one.jsonl', [1, 2, 3, 90, 5, 6]);
const all = data('all.jsonl', [50, 60]);
const held = data('held.jsonl', [7, 70, 8]);

const config = (
  changes: Partial<TrainConfigInput['data']> = {},
  more: Partial<TrainConfigInput> = {},
): TrainConfigInput => ({
  model: scratch,
  data: { train: one, leakage: { action: 'off' }, ...changes },
  rollout: { promptsPerStep: 2, samplesPerPrompt: 2 },
  preview: { prompts: 2 },
  rollouts: { prompts: 8 },
  evaluation: { problems: 3 },
  steps: 6,
  output: join(scratch, 'runs'),
  ...more,
});

async function run(input: TrainConfigInput): Promise<{ folder: string; warnings: string[]; policy: ShortPolicy }> {
  const policy = new ShortPolicy();
  const warnings: string[] = [];
  let folder = '';
  const onEvent: NonNullable<Parameters<typeof train>[1]>['onEvent'] = (event) => {
    if (event.type === 'start') ({ folder } = event);
    if (event.type === 'warning') warnings.push(event.message);
  };
  let done = 0;
  for await (const { step } of train(input, { loadPolicy: () => Promise.resolve(policy), onEvent })) done = step;
  expect(done).toBe(input.steps);
  return { folder, warnings, policy };
}
const long = (of: number, kind: string): string =>
  `1 of ${of} ${kind} problems have prompts that leave no room for an answer: Problem "p`;

test('a run refuses them before its first step, and so does its plan', async () => {
  const output = join(scratch, 'refused');
  await expect(run(config({}, { output }))).rejects.toThrow();
  expect(readdirSync(output)).toEqual([]);
  const refused = { code: 'ERR_ZERO_RL_DATA', message: expect.stringContaining(long(6, 'training')) };
  await expect(run(config())).rejects.toMatchObject(refused);
  await expect(run(config())).rejects.toThrow('or set data.badRows to skip where others are left');
  const loadPolicy = () => Promise.resolve(new ShortPolicy());
  await expect(planRun(resolveConfig(config(), 'test'), { loadPolicy })).rejects.toMatchObject(refused);
  await expect(run(config({ train: data('short.jsonl', [1]), evaluation: held }))).rejects.toThrow(long(3, 'held-out'));
});

test('with data.badRows skip others take their places, and every step has its prompts', async () => {
  const { folder, warnings } = await run(config({ badRows: 'skip', evaluation: held }));
  expect(warnings.filter((text) => text.includes('no room'))).toEqual([
    expect.stringContaining(long(3, 'held-out')),
    expect.stringContaining(long(6, 'training')),
  ]);
  const files = readdirSync(join(folder, 'rollouts'));
  expect(files).toHaveLength(6);
  for (const file of files) {
    const rows = readRows<SampleRow>(join(folder, 'rollouts', file));
    expect(rows).toHaveLength(4);
    expect(rows.map(({ id }) => id)).not.toContain('p3');
  }
  expect(readRows<SampleRow>(join(folder, 'evaluations', 'step-000006.jsonl')).map(({ id }) => id)).toEqual([
    'p0',
    'p2',
  ]);
});

test('refills and measured problems leave them out as well', async () => {
  const rollout = { promptsPerStep: 2, samplesPerPrompt: 2, dynamicSampling: { rounds: 3 } };
  const { folder } = await run(config({ badRows: 'skip' }, { rollout, steps: 9 }));
  expect(readdirSync(join(folder, 'rollouts'))).toHaveLength(9);
  const difficulty = { samples: 2, minPassRate: 0, maxPassRate: 1 };
  const measured = await run(config({ badRows: 'skip', difficulty }));
  expect(readRows<{ id: string }>(join(measured.folder, 'difficulty.jsonl')).map(({ id }) => id)).not.toContain('p3');
});

test('where none is left the run is refused all the same', async () => {
  await expect(run(config({ train: all, badRows: 'skip' }))).rejects.toThrow('2 of 2 training problems have prompts');
});

test('an evaluation says so too', async () => {
  const loadPolicy = () => Promise.resolve(new ShortPolicy());
  const suite = (badRows: 'error' | 'skip') =>
    resolveConfig({ ...config({ evaluation: held, badRows }), name: 'suite' }, 'test');
  await expect(evaluateModel(scratch, [suite('error')], { loadPolicy })).rejects.toThrow(long(3, 'held-out'));
  const [{ samples }] = await evaluateModel(scratch, [suite('skip')], { loadPolicy });
  expect(samples.map(({ prompt }) => prompt.problem.id)).toEqual(['p0', 'p2']);
});

test('what is surely short enough is not read twice', async () => {
  const { policy } = await run(config({ train: data('few.jsonl', [1, 2, 3]) }, { preview: { prompts: 0 } }));
  expect(policy.encoded).toBe(6 * 2);
});
