/** What `train` does with a rollout batch on the engine is what calls of `Policy.step` by hand do, bit for bit. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { algorithms, Policy, train, type RewardFunction, type Rollout, type TrainConfigInput } from '../../src';
import { splitGroups } from '../../src/training/minibatches';
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

const evenness = (tokens: ArrayLike<number>): number =>
  Array.from(tokens).filter((token) => token % 2 === 0).length / tokens.length;
const reward: RewardFunction = ({ tokens }) => evenness(tokens);

/** One training step; returns what was sampled in it and the checkpoint after it. */
async function trainOnce(name: string, optimizer: TrainConfigInput['optimizer']) {
  const sampled: { prompts: readonly Int32Array[]; rollouts: Rollout[] }[] = [];
  const config: TrainConfigInput = {
    name,
    model,
    data: { train: 'arithmetic', count: 20 },
    rollout: { promptsPerStep: 5, samplesPerPrompt: 3, maxTokens: 10 },
    optimizer: { learningRate: 0.003, ...optimizer },
    evaluation: { problems: 1 },
    preview: { prompts: 0 },
    steps: 1,
    threads: 1,
    output: join(folder, name),
  };
  let checkpoint = '';
  const steps = train(config, {
    reward,
    loadPolicy: async (directory, options) => {
      const policy = await Policy.load(directory, options);
      const sample = policy.sample.bind(policy);
      policy.sample = async (prompts, sampling) => {
        const rollouts = await sample(prompts, sampling);
        if (sampling?.n === 3) sampled.push({ prompts: prompts as Int32Array[], rollouts });
        return rollouts;
      };
      return policy;
    },
    onEvent: (event) => {
      if (event.type === 'checkpoint') checkpoint = event.path;
    },
  });
  for await (const { applied } of steps) expect(applied).toBe(true);
  expect(sampled).toHaveLength(1);
  return { ...sampled[0], checkpoint };
}

test.each([
  ['one minibatch', {}, 1, 1],
  ['two passes of two minibatches', { objective: 'ppo', epochs: 2, minibatches: 2 }, 2, 2],
  [
    'three minibatches over sequences',
    { objective: 'reinforce', minibatches: 3, aggregation: 'seq-mean-token-mean' },
    1,
    3,
  ],
] as const)('%s', async (_, optimizer, epochs, minibatches) => {
  const { prompts, rollouts, checkpoint } = await trainOnce(`run-${epochs}-${minibatches}`, optimizer);
  const groups = rollouts.map(({ prompt }) => prompt);
  const advantages = algorithms.rloo({
    rewards: rollouts.map(({ tokens }) => evenness(tokens)),
    groups,
    lengths: rollouts.map(({ tokens }) => tokens.length),
  });
  const sequences = rollouts.map(({ prompt, tokens, logProbs }, i) => ({
    tokens: Int32Array.from([...prompts[prompt], ...tokens]),
    promptLength: prompts[prompt].length,
    advantages: advantages[i],
    oldLogProbs: logProbs,
  }));

  using policy = await Policy.load(model, { device: 'cpu', threads: 1 });
  const own = ['epochs', 'minibatches'];
  const rest = Object.fromEntries(Object.entries(optimizer).filter(([key]) => !own.includes(key)));
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const part of splitGroups(groups, { minibatches, seed: 0, step: 1 }, epoch)) {
      await policy.step(
        part.map((i) => sequences[i]),
        { learningRate: 0.003, ...rest },
      );
    }
  }
  expect(policy.optimizerSteps).toBe(epochs * minibatches);
  const byHand = join(folder, `by-hand-${epochs}-${minibatches}`);
  await policy.save(byHand);
  await policy.saveTrainingState(byHand);
  for (const file of ['model.safetensors', 'optimizer.safetensors'])
    expect(readFileSync(join(checkpoint, file)).equals(readFileSync(join(byHand, file)))).toBe(true);
});
