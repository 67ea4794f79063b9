/** Episodes on the engine: the log-probs of every turn are those of the whole sequence, and runs of them replay exactly. */
import type { Environment } from '../../src/environments/environment';
import type { Policy } from '../../src/policy/policy';
import { playEpisodes } from '../../src/training/play-episodes';
import { createTinyPolicy, TOKENIZER_FOLDER } from '../support/tiny-policy';

let policy: Policy;
beforeAll(async () => {
  policy = await createTinyPolicy({
    tokenizerFrom: TOKENIZER_FOLDER,
    endTokens: Array.from({ length: 300 }, (_, i) => i),
  });
});
afterAll(() => policy.dispose());

const environment: Environment = { respond: ({ turns }) => ` result ${turns.length}:` };
const play = { environment, name: 'environment', warn: () => undefined, maxTurns: 3, timeoutSeconds: 30 };

test('log-probs of the policy are those of the whole sequence; a step takes the mask', async () => {
  const prompts = ['1+1=', 'What is 12-7?'].map((text, uid) => ({
    problem: { id: text, problem: text, answer: '2' },
    text,
    tokens: policy.encodePrompt(text),
    uid: uid + 2 ** 40,
  }));
  const options = { n: 4, maxTokens: 16, seed: 3 };
  const rollouts = await playEpisodes(policy, prompts, options, play);
  expect(rollouts).toHaveLength(8);
  const longer = rollouts.filter(({ mask }) => mask !== undefined);
  expect(longer.length).toBeGreaterThan(2);

  const sequences = rollouts.map(({ prompt, tokens }) => ({
    tokens: Int32Array.from([...prompts[prompt].tokens, ...tokens]),
    promptLength: prompts[prompt].tokens.length,
  }));
  const scored = await policy.logProbs(sequences);
  rollouts.forEach(({ logProbs, mask }, i) => {
    logProbs.forEach((value, t) => {
      if (mask?.[t] === 0) expect(value).toBe(0);
      else expect(Math.abs(value - scored[i][t])).toBeLessThan(1e-4);
    });
  });

  const again = await playEpisodes(policy, prompts, options, play);
  expect(again.map(({ tokens }) => Array.from(tokens))).toEqual(rollouts.map(({ tokens }) => Array.from(tokens)));

  const stats = await policy.step(
    sequences.map((sequence, i) => ({
      ...sequence,
      advantages: 1,
      oldLogProbs: rollouts[i].logProbs,
      ...(rollouts[i].mask ? { mask: rollouts[i].mask } : {}),
    })),
    { learningRate: 1e-5 },
  );
  expect(stats.logProbDifference).toBeLessThan(1e-4);
  expect(stats.tokens).toBe(
    rollouts.reduce(
      (sum, { tokens, mask }) => sum + (mask ? mask.reduce((all, bit) => all + bit, 0) : tokens.length),
      0,
    ),
  );
});

test('each turn goes on from the very tokens before it, so that the engine computes no more than is new', async () => {
  const prompts = ['1+1=', 'What is 12-7?'].map((text, uid) => ({
    problem: { id: text, problem: text, answer: '2' },
    text,
    tokens: policy.encodePrompt(text),
    uid,
  }));
  const sample = jest.spyOn(policy, 'sample');
  const rollouts = await playEpisodes(policy, prompts, { n: 4, maxTokens: 16, seed: 3 }, play);
  const calls = sample.mock.calls.map(([contexts]) => contexts.map((context) => Array.from(context as Int32Array)));
  sample.mockRestore();
  expect(calls).toHaveLength(play.maxTurns);
  const episodes = rollouts.map(({ prompt, tokens }) => [...prompts[prompt].tokens, ...tokens]);
  let written = 0;
  for (const contexts of calls.slice(1)) {
    for (const context of contexts) {
      // Random weights write what encodes otherwise once it is text.
      const text = policy.tokenizer!.decode(context);
      if (String(policy.encodePrompt(text, false)) !== String(context)) written++;
      expect(episodes.some((episode) => String(episode.slice(0, context.length)) === String(context))).toBe(true);
    }
  }
  expect(written).toBeGreaterThan(0);
});
