/** A policy whose weights have no finite logits says so, wherever they are needed. */
import type { Policy } from '../../src';
import { createTinyPolicy } from '../support/tiny-policy';

const prompt = [1, 2, 3];
const sequence = { tokens: [1, 2, 3, 4, 5], promptLength: 3 };
const refusal = (what: string) => ({
  code: 'ERR_ZERO_RL_NOT_FINITE',
  message: expect.stringMatching(new RegExp(`cannot be ${what} because its logits are NaN or infinite`)),
});

async function broken(): Promise<Policy> {
  const policy = await createTinyPolicy();
  await policy.step([{ ...sequence, advantages: 1 }], { learningRate: 1e30 });
  return policy;
}

test.each([{}, { topP: 0.9, keptTokens: true }, { temperature: 0 }, { maxTokens: 1 }])(
  'sampling with %j',
  async (options) => {
    using policy = await broken();
    await expect(policy.sample([prompt, prompt], { n: 2, maxTokens: 9, ...options })).rejects.toMatchObject(
      refusal('sampled from'),
    );
  },
);

test('scoring, and a step, which changes nothing', async () => {
  using policy = await broken();
  await expect(policy.logProbs([sequence])).rejects.toMatchObject(refusal('scored with'));
  await expect(policy.trunkCritic().values([sequence])).rejects.toMatchObject(refusal('scored with'));
  expect(await policy.step([{ ...sequence, advantages: 1 }])).toMatchObject({ applied: false });
  expect(policy.optimizerSteps).toBe(1);
});
