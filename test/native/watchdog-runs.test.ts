/** Each rule of the watchdog, provoked by a training run of a tiny model. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RewardFunction, TrainConfigInput } from '../../src';
import { readRows, type MetricsRow, type SampleRow } from '../../src/training/run-folder';
import { train } from '../../src/training/train';
import { advice, type WatchdogRule } from '../../src/training/watchdog';
import { temporaryFolder } from '../support/fixture-model';
import { createTinyPolicy, TOKENIZER_FOLDER } from '../support/tiny-policy';

let scratch: string;
let runs = 0;

beforeAll(async () => {
  scratch = temporaryFolder();
  // Every fourth token ends a response, so that responses are short at first.
  const endTokens = Array.from({ length: 325 }, (_, i) => 4 * i);
  using policy = await createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER, endTokens });
  await policy.save(join(scratch, 'model'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

async function run(reward: RewardFunction, changes: Partial<TrainConfigInput>) {
  const warnings: string[] = [];
  let folder = '';
  let error: unknown = null;
  const config: TrainConfigInput = {
    model: join(scratch, 'model'),
    data: { train: 'arithmetic', count: 20 },
    algorithm: { name: 'rloo' },
    rollout: { promptsPerStep: 4, samplesPerPrompt: 8, maxTokens: 40 },
    optimizer: { learningRate: 0.02, memoryBudgetMiB: 64 },
    preview: { prompts: 0 },
    steps: 40,
    evaluation: { problems: 1 },
    threads: 1,
    output: join(scratch, `runs-${runs++}`),
    ...changes,
  };
  try {
    const steps = train(config, {
      reward,
      onEvent: (event) => {
        if (event.type === 'start') folder = event.folder;
        if (event.type === 'warning') warnings.push(event.message);
      },
    });
    while (!(await steps.next()).done);
  } catch (thrown) {
    error = thrown;
  }
  const metrics = readRows<MetricsRow>(join(folder, 'metrics.jsonl')).slice(1);
  return { warnings, folder, error, metrics };
}

const stop = (limit: number, steps = 2) => ({ limit, steps, action: 'stop' as const });

/** The run was stopped by `rule` and shows samples of its last step. */
function expectStopped(rule: WatchdogRule, { error, folder, metrics }: Awaited<ReturnType<typeof run>>): SampleRow[] {
  expect(error).toMatchObject({
    code: 'ERR_ZERO_RL_WATCHDOG',
    message: expect.stringContaining(advice[rule]) as string,
  });
  expect((error as Error).message).toContain(`watchdog.${rule}`);
  const { step } = metrics[metrics.length - 1];
  const [file] = readdirSync(join(folder, 'watchdog')).filter((name) => name.startsWith(rule));
  const rows = readRows<SampleRow>(join(folder, 'watchdog', file));
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.every((row) => row.step === step)).toBe(true);
  return rows;
}

const odd = (tokens: Int32Array): number => tokens.filter((token) => token === 101).length;
/** Length as the reward, without a baseline and at a high rate: the policy ends in a loop. */
const hasty: Partial<TrainConfigInput> = {
  algorithm: { name: 'reinforce' },
  optimizer: { learningRate: 0.05, memoryBudgetMiB: 64 },
};
const longer: RewardFunction = ({ tokens }) => tokens.length / 10;

test('groups without a spread', async () => {
  const dead = await run(() => 1, { watchdog: { deadGroups: stop(0.9) } });
  expectStopped('deadGroups', dead);
  expect(dead.metrics).toHaveLength(2);
});

test('entropy that collapses', async () => {
  const collapsed = await run(longer, { ...hasty, watchdog: { entropy: stop(1) } });
  const [worst] = expectStopped('entropy', collapsed);
  expect(worst.length).toBeGreaterThan(5);
});

test('responses that repeat themselves', async () => {
  const repeating = await run(longer, { ...hasty, watchdog: { repetition: stop(0.5) } });
  const rows = expectStopped('repetition', repeating);
  expect(rows[0].length).toBeGreaterThan(20);
});

test('responses that grow at a jump', async () => {
  const grown = await run(longer, { watchdog: { length: stop(3) } });
  const rows = expectStopped('length', grown);
  expect(rows.map(({ length }) => length)).toEqual(rows.map(({ length }) => length).sort((a, b) => b - a));
});

/** Rewards that grow a thousandfold from the calls of step `from` on, for so many steps. */
function spike(from: number, steps: number, factor: number): RewardFunction {
  let calls = 0;
  return ({ tokens }) => {
    // The evaluation before the first step makes one call.
    const step = Math.ceil(calls++ / 32);
    return (step >= from && step < from + steps ? factor : 1) * (odd(tokens) + tokens.length / 10);
  };
}

test('KL that jumps', async () => {
  // With so large an eps a step is as long as its gradient, which jumps after step 5.
  const far = await run(spike(6, 10, 1000), {
    optimizer: { learningRate: 0.02, eps: 1, maxGradNorm: 0, memoryBudgetMiB: 64 },
    kl: { measure: true },
    watchdog: { kl: stop(10) },
  });
  expectStopped('kl', far);
});

test('gradients that jump', async () => {
  const jumped = await run(spike(6, 10, 1000), { watchdog: { gradient: stop(30) } });
  expectStopped('gradient', jumped);
  expect(jumped.metrics).toHaveLength(7);
});

test('gradients that are not finite', async () => {
  const lost = await run(spike(4, 10, 1e38), {});
  expectStopped('notFinite', lost);
  expect(lost.metrics).toHaveLength(6);
});

test('a rollback goes on from the checkpoint before the trouble, with other randomness and a lower rate', async () => {
  const { error, warnings, metrics, folder } = await run(spike(6, 2, 1000), {
    steps: 9,
    checkpoint: { every: 1, keep: 5 },
    watchdog: { gradient: { limit: 30, steps: 2, action: 'rollback' } },
  });
  expect(error).toBeNull();
  expect(warnings.join('\n')).toContain('The run goes back to step 5');
  expect(metrics.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(metrics.map((row) => ('learningRate' in row ? row.learningRate : 0))).toEqual([
    ...Array<number>(5).fill(0.02),
    ...Array<number>(4).fill(0.01),
  ]);
  expect(JSON.parse(readFileSync(join(folder, 'rollbacks.json'), 'utf8'))).toEqual({ rollbacks: [5] });
  expect(existsSync(join(folder, 'summary.json'))).toBe(true);
});

test('rollbacks that do not help end in a stop', async () => {
  const { error, folder } = await run(() => 1, {
    checkpoint: { every: 1 },
    watchdog: { deadGroups: { limit: 0.5, steps: 2, action: 'rollback' }, rollback: { most: 1 } },
  });
  expect(error).toMatchObject({ code: 'ERR_ZERO_RL_WATCHDOG' });
  // Of each alarm, though both are of one step.
  expect(readdirSync(join(folder, 'watchdog')).sort()).toEqual([
    'deadGroups-step-000002-rollback-1.jsonl',
    'deadGroups-step-000002.jsonl',
  ]);
});

describe('an update after which nothing can be sampled', () => {
  // Weights of 1e30 have no logits.
  const breaking = (action: 'rollback' | 'stop' | 'warn', learningRateFactor: number): Partial<TrainConfigInput> => ({
    steps: 3,
    rollout: { promptsPerStep: 2, samplesPerPrompt: 4, maxTokens: 10 },
    optimizer: { learningRate: 1e30, memoryBudgetMiB: 64 },
    checkpoint: { every: 1, keep: 3 },
    watchdog: { notFinite: { action }, rollback: { learningRateFactor } },
  });

  test('is taken back by rollback, its checkpoint with it', async () => {
    const { error, folder, metrics, warnings } = await run(longer, breaking('rollback', 1e-33));
    expect(error).toBeNull();
    expect(warnings).toEqual([
      expect.stringMatching(/the weights of step 1 have logits that are NaN or infinite \(watchdog\.notFinite\)/),
      'The run goes back to step 0',
    ]);
    expect(metrics.map(({ step }) => step)).toEqual([1, 2, 3]);
    expect((metrics[0] as { learningRate: number }).learningRate).toBeCloseTo(1e-3, 9);
    expect(existsSync(join(folder, 'summary.json'))).toBe(true);
  });

  test('stops the run, which saves no such weights', async () => {
    const { error, folder } = await run(longer, { ...breaking('stop', 0.5), checkpoint: { every: 0 } });
    expect(error).toMatchObject({
      code: 'ERR_ZERO_RL_WATCHDOG',
      message: expect.stringContaining(advice.notFinite) as string,
      cause: { code: 'ERR_ZERO_RL_NOT_FINITE' },
    });
    expect(readdirSync(join(folder, 'checkpoints'))).toEqual([]);
  });

  test('is an error of its own where the rule only warns', async () => {
    const { error } = await run(longer, breaking('warn', 0.5));
    expect(error).toMatchObject({
      code: 'ERR_ZERO_RL_NOT_FINITE',
      message: expect.stringMatching(/weights are damaged/),
    });
  });
});
