/** Prints the completions of a fixed request on the first CUDA device. */
import { create, prompts } from '../support.mjs';

const policy = await create({ device: 'cuda', dtype: 'bfloat16' });
const options = { n: 4, maxTokens: 40, stopTokens: [1, 2, 3], seed: 2, maxBatch: 20 };
const rollouts = await policy.sample(prompts, options);
process.stdout.write(
  JSON.stringify(rollouts.map(({ tokens, logProbs }) => [Array.from(tokens), Array.from(logProbs)])),
);
policy.dispose();
