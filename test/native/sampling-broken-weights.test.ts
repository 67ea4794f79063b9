/** A policy whose weights have no finite logits says so, wherever they are needed. */
import type { NativeModel } from '../../binding/native';
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

/** One token's row of the tied embedding is damaged, so that one logit of each position is NaN and the others are not. */
async function chipped(): Promise<Policy> {
  const policy = await createTinyPolicy();
  const { model } = policy as unknown as { model: NativeModel };
  const [{ shape }] = model.parameters();
  await model.writeState('master', 50 * shape[1], new Uint8Array(Float32Array.of(NaN).buffer));
  return policy;
}

const draws = [{}, { topP: 0.9, keptTokens: true }, { topK: 5 }, { minP: 0.01 }, { temperature: 0 }, { maxTokens: 1 }];

test.each(draws)('sampling with %j where one logit is NaN', async (options) => {
  using policy = await chipped();
  await expect(policy.sample([prompt, prompt], { n: 2, maxTokens: 9, ...options })).rejects.toMatchObject(
    refusal('sampled from'),
  );
});

test('scoring and a step where one logit is NaN', async () => {
  using policy = await chipped();
  await expect(policy.logProbs([sequence])).rejects.toMatchObject(refusal('scored with'));
  expect(await policy.step([{ ...sequence, advantages: 1 }])).toMatchObject({ applied: false });
  expect(policy.optimizerSteps).toBe(0);
});

test.each([{}, { topP: 0.9, keptTokens: true }, { temperature: 0 }, { maxTokens: 1 }])(
  'sampling with %j',
  async (options) => {
    using policy = await broken();
    await expect(policy.sample([prompt, prompt], { n: 2, maxTokens: 9, ...options })).rejects.toMatchObject(
      refusal('sampled from'),
    );
  },
);

test('scoring, also over kept tokens, and a step, which changes nothing', async () => {
  using whole = await createTinyPolicy();
  const [{ tokens, keptTokens }] = await whole.sample([prompt], { maxTokens: 2, topK: 9, keptTokens: true });
  using policy = await broken();
  const drawn = { tokens: [...prompt, ...tokens], promptLength: prompt.length, keptTokens };
  await expect(policy.logProbs([drawn])).rejects.toMatchObject(refusal('scored with'));
  await expect(policy.logProbs([sequence])).rejects.toMatchObject(refusal('scored with'));
  await expect(policy.trunkCritic().values([sequence])).rejects.toMatchObject(refusal('scored with'));
  expect(await policy.step([{ ...sequence, advantages: 1 }])).toMatchObject({ applied: false });
  expect(policy.optimizerSteps).toBe(1);
});
