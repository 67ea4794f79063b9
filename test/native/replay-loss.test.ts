/** Replay of whole steps on the engine: what the tokens added makes up the loss that the run wrote. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { train, type TrainConfigInput } from '../../src';
import { replay } from '../../src/training/replay';
import { temporaryFolder } from '../support/fixture-model';
import { createTinyPolicy, TOKENIZER_FOLDER } from '../support/tiny-policy';

let folder: string;
let model: string;

beforeAll(async () => {
  folder = temporaryFolder();
  model = join(folder, 'model');
  using policy = await createTinyPolicy({
    tokenizerFrom: TOKENIZER_FOLDER,
    endTokens: Array.from({ length: 200 }, (_, i) => i),
  });
  await policy.save(model);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Three steps in which the length is what pays. */
async function trained(name: string, changes: Partial<TrainConfigInput>): Promise<string> {
  const config: TrainConfigInput = {
    name,
    model,
    data: { train: 'arithmetic', count: 20 },
    reward: { name: 'length', buffer: 10 },
    rollout: { promptsPerStep: 4, samplesPerPrompt: 4, maxTokens: 10 },
    evaluation: { problems: 1 },
    checkpoint: { every: 1, keep: 5 },
    preview: { prompts: 0 },
    steps: 3,
    threads: 1,
    output: join(folder, 'runs'),
    ...changes,
  };
  let path = '';
  for await (const { applied } of train(config, {
    onEvent: (event) => void (path = event.type === 'start' ? event.folder : path),
  }))
    expect(applied).toBe(true);
  return path;
}

const configs: Record<string, Partial<TrainConfigInput>> = {
  'ppo on truncated rollouts': {
    rollout: { promptsPerStep: 4, samplesPerPrompt: 4, maxTokens: 10, topP: 0.7, truncation: 'replay' },
    kl: { lossCoefficient: 0.1 },
    optimizer: { learningRate: 0.01, objective: 'ppo', epochs: 2 },
  },
  'reinforce with the KL in the reward': { kl: { initCoefficient: 0.1 }, optimizer: { learningRate: 0.01 } },
  'ppo with a KL in the loss': {
    kl: { lossCoefficient: 0.2, lossEstimator: 'k3', lossCorrection: true, follow: { every: 2 } },
    optimizer: { learningRate: 0.01, objective: 'ppo', epochs: 2, aggregation: 'constant' },
  },
  'gspo in minibatches': {
    algorithm: { name: 'grpo' },
    optimizer: { learningRate: 0.01, objective: 'gspo', minibatches: 3, aggregation: 'seq-mean-token-mean' },
  },
  'cispo with a steered entropy bonus, in minibatches': {
    kl: { lossCoefficient: 0.1 },
    optimizer: {
      learningRate: 0.01,
      objective: 'cispo',
      minibatches: 2,
      entropy: { coefficient: 0.02, target: 1 },
    },
  },
  'a critic': { algorithm: { name: 'ppo' }, optimizer: { learningRate: 0.01, minibatches: 1 } },
};

test.each(Object.entries(configs))('%s', async (name, changes) => {
  const run = await trained(name.replaceAll(/\W+/g, '-'), changes);
  const { samples, loss, same, written } = await replay(run, 3);
  expect(written).toBeGreaterThan(0);
  expect(same).toBe(written);
  expect(Math.abs(loss.difference!)).toBeLessThan(1e-5);
  const minibatches = changes.optimizer?.minibatches ?? 1;
  expect(loss).toMatchObject({ minibatches, epochs: changes.optimizer?.epochs ?? 1 });

  const terms = samples.flatMap((sample) => sample.terms ?? []);
  expect(terms).toHaveLength(samples.reduce((sum, { length }) => sum + length, 0));
  expect(terms.reduce((sum, term) => sum + Math.abs(term.sum), 0)).toBeGreaterThan(1e-4);
  const total = terms.reduce((sum, term) => sum + term.sum, 0);
  expect(Math.abs(total + loss.entropy! - loss.written!)).toBeLessThan(1e-5);
  expect(loss.entropy! < 0).toBe(changes.optimizer?.entropy !== undefined);
  if ((changes.optimizer?.aggregation ?? 'token-mean') !== 'constant')
    expect(terms.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 5);
  for (const { terms: row, logProbs, texts, tokens, advantage } of samples) {
    expect(texts).toHaveLength(tokens.length);
    const old = row!.map(({ oldLogProb }) => oldLogProb!);
    // Truncated draws are from a distribution that has more of every token it has.
    if (changes.rollout?.truncation === 'replay') old.forEach((value, t) => expect(value).toBeGreaterThan(logProbs[t]));
    else expect(old).toEqual(logProbs);
    expect(row!.reduce((sum, term) => sum + term.advantage, 0) / row!.length).toBeCloseTo(advantage!, 6);
    for (const { ratio, k1, kl } of row!) {
      if (minibatches === 1) expect(Math.abs(ratio! - 1)).toBeLessThan(1e-4);
      expect(k1 !== null).toBe(changes.kl !== undefined);
      if (changes.kl?.lossCoefficient === undefined) expect(kl).toBe(0);
    }
  }
});

test('an entropy bonus that is not a mean over tokens is said to be unknown', async () => {
  const run = await trained('entropy-of-sequences', {
    optimizer: { learningRate: 0.01, aggregation: 'seq-mean-token-sum', entropy: { coefficient: 0.02 } },
  });
  const { loss } = await replay(run, 2);
  expect(loss).toMatchObject({ entropy: null, sum: null, difference: null });
  expect(loss.written!).toBeLessThan(loss.policy + loss.kl);
});
