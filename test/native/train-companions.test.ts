/** Runs with a critic, a reference that follows and steered coefficients: they resume to the same bits, and ReMax runs. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Policy, train, type RewardFunction, type StepMetrics, type TrainConfigInput } from '../../src';
import { temporaryFolder } from '../support/fixture-model';
import { createTinyPolicy, TOKENIZER_FOLDER } from '../support/tiny-policy';

let folder: string;
let model: string;

beforeAll(async () => {
  folder = temporaryFolder();
  model = join(folder, 'model');
  using policy = await createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER, endTokens: [7, 8, 9] });
  await policy.save(model);
});
afterAll(() => rmSync(folder, { recursive: true }));

const evenness: RewardFunction = ({ tokens }) => ({
  reward: tokens.filter((token) => token % 2 === 0).length / tokens.length,
  reason: 'evenness',
  correct: null,
});

const configOf = (name: string, changes: Partial<TrainConfigInput>): TrainConfigInput => ({
  name,
  model,
  data: { train: 'arithmetic', count: 20 },
  rollout: { promptsPerStep: 4, samplesPerPrompt: 4, maxTokens: 10 },
  evaluation: { problems: 2 },
  checkpoint: { every: 1, keep: 20 },
  threads: 1,
  output: join(folder, 'runs'),
  ...changes,
});

interface RunOptions {
  resume?: string;
  stopAfter?: number;
  reward?: RewardFunction;
}

async function run(config: TrainConfigInput, options: RunOptions = {}) {
  const steps: StepMetrics[] = [];
  let path = '';
  const loop = train(config, {
    reward: options.reward ?? evenness,
    resume: options.resume,
    onEvent: (event) => {
      if (event.type === 'start') path = event.folder;
    },
  });
  for await (const step of loop) {
    steps.push(step);
    if (step.step === options.stopAfter) break;
  }
  return { path, steps };
}

const files = (path: string, step: number): Buffer[] =>
  ['model.safetensors', 'optimizer.safetensors', 'critic/model.safetensors', 'critic/optimizer.safetensors'].map(
    (name) => readFileSync(join(path, 'checkpoints', `step-${step}`, name)),
  );

describe('ppo with everything that is carried from step to step', () => {
  const config = (name: string) =>
    configOf(name, {
      algorithm: { name: 'ppo', lambda: 0.95 },
      kl: { initCoefficient: 0.1, target: 0.01, horizon: 100, follow: { every: 2, rate: 0.5 } },
      optimizer: { objective: 'ppo', learningRate: 0.003, epochs: 2, entropy: { coefficient: 0.01, target: 5 } },
      critic: { learningRate: 0.003, epochs: 2, warmupSteps: 1 },
      steps: 6,
    });

  test('a resumed run ends with the same bits', async () => {
    const whole = await run(config('whole'));
    expect(whole.steps[0].learningRate).toBe(0);
    expect(whole.steps.every(({ critic }) => critic?.applied)).toBe(true);
    // They are steered from the first step in which the policy learns.
    expect(new Set(whole.steps.slice(1).map(({ klCoefficient }) => klCoefficient)).size).toBe(5);
    expect(new Set(whole.steps.slice(1).map(({ entropyCoefficient }) => entropyCoefficient)).size).toBe(5);
    const cut = await run(config('cut'), { stopAfter: 3 });
    await run(config('cut'), { resume: cut.path });
    files(cut.path, 6).forEach((bytes, i) => expect(bytes.equals(files(whole.path, 6)[i])).toBe(true));
    const reference = (path: string) => readFileSync(join(path, 'checkpoints/step-6/reference/model.safetensors'));
    expect(reference(cut.path).equals(reference(whole.path))).toBe(true);
    expect(reference(whole.path).equals(readFileSync(join(model, 'model.safetensors')))).toBe(false);
  }, 60_000);

  test('so does one with a critic on the trunk', async () => {
    const critic = { kind: 'trunk', epochs: 2 } as const;
    const state = (path: string): Buffer => readFileSync(join(path, 'checkpoints/step-6/critic/optimizer.safetensors'));
    const whole = await run({ ...config('trunk-whole'), critic });
    expect(whole.steps.every(({ critic: metrics }) => metrics?.applied)).toBe(true);
    const cut = await run({ ...config('trunk-cut'), critic }, { stopAfter: 3 });
    await run({ ...config('trunk-cut'), critic }, { resume: cut.path });
    expect(state(cut.path).equals(state(whole.path))).toBe(true);
    const weights = (path: string): Buffer => readFileSync(join(path, 'checkpoints/step-6/model.safetensors'));
    expect(weights(cut.path).equals(weights(whole.path))).toBe(true);
  }, 60_000);

  test('the critic comes to explain what the prompt decides', async () => {
    const reward: RewardFunction = ({ answer }) => ({ reward: Number(answer) % 2, reason: 'parity', correct: null });
    const data = { train: 'arithmetic', count: 4 };
    const critic = { learningRate: 0.01, epochs: 2 };
    const { steps } = await run({ ...config('explains'), data, kl: {}, critic, steps: 12 }, { reward });
    expect(steps[0].critic?.explainedVariance).toBe(0);
    expect(steps[11].critic?.explainedVariance).toBeGreaterThan(0.8);
  }, 60_000);
});

test.each(['remax', 'grpo', 'dr-grpo', 'opo', 'pass-at-k', 'reinforce++-baseline'])('%s trains', async (name) => {
  const config = configOf(name.replaceAll('+', 'p'), {
    algorithm: { name },
    rollout: { promptsPerStep: 8, samplesPerPrompt: 4, maxTokens: 10 },
    optimizer: { learningRate: 0.02 },
    steps: 12,
    checkpoint: { every: 0 },
  });
  const { steps } = await run(config);
  const mean = (part: StepMetrics[]) => part.reduce((sum, { rewardMean }) => sum + rewardMean / part.length, 0);
  expect(mean(steps.slice(-3))).toBeGreaterThan(mean(steps.slice(0, 3)));
  expect(steps.every(({ applied }) => applied)).toBe(true);
});

test.each(['gspo', 'cispo'] as const)('%s takes several epochs', async (objective) => {
  const optimizer = { objective, learningRate: 0.003, epochs: 3, aggregation: 'seq-mean-token-mean' } as const;
  const { steps } = await run(configOf(objective, { optimizer, steps: 2, checkpoint: { every: 0 } }));
  expect(steps.every(({ applied, loss }) => applied && Number.isFinite(loss))).toBe(true);
});

test('the policy of a checkpoint with companions loads on its own', async () => {
  const { path } = await run(configOf('alone', { algorithm: { name: 'ppo' }, steps: 1 }));
  using policy = await Policy.load(join(path, 'checkpoints/step-1'), { device: 'cpu' });
  expect(policy.parameterCount).toBeGreaterThan(0);
});

describe('rollouts that are truncated', () => {
  const rollout = { promptsPerStep: 4, samplesPerPrompt: 4, maxTokens: 10, topP: 0.7 };
  const config = (truncation: 'replay' | 'ignore') =>
    configOf(`truncation-${truncation}`, {
      rollout: { ...rollout, truncation },
      kl: { measure: true },
      optimizer: { objective: 'ppo', learningRate: 0.003, epochs: 2 },
      steps: 3,
      checkpoint: { every: 0 },
    });

  test('replay: rollout and training agree, and the KL from the reference begins at 0', async () => {
    const { steps } = await run(config('replay'));
    for (const { logProbDifference, clipFraction } of steps) {
      expect(logProbDifference).toBeLessThan(1e-5);
      expect(clipFraction).toBeLessThan(1);
    }
    expect(Math.abs(steps[0].klPerToken!)).toBeLessThan(1e-5);
  });

  test('ignore: says so, once', async () => {
    const warnings: string[] = [];
    for await (const { applied } of train(config('ignore'), {
      reward: evenness,
      onEvent: (event) => {
        if (event.type === 'warning') warnings.push(event.message);
      },
    }))
      expect(applied).toBe(true);
    expect(warnings.filter((message) => message.includes('rollout.truncation is ignore'))).toHaveLength(1);
  });
});
