/** A scheduler on the engine: submissions give the completions of sample, whatever they share the batch with. */
import { type Policy, type Rollout } from '../../src';
import { createTinyPolicy, TOKENIZER_FOLDER } from '../support/tiny-policy';

let policy: Policy;
beforeAll(async () => (policy = await createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER, endTokens: [7] })));
afterAll(() => policy.dispose());

const stopTokens = Array.from({ length: 100 }, (_, i) => i);
const options = { maxTokens: 12, temperature: 0.9, stopTokens };
const prompts = Array.from({ length: 9 }, (_, i) => Int32Array.from({ length: 1 + i }, (__, j) => 200 + 7 * i + j));
const plain = ({ tokens, logProbs, promptTokens, finishReason, text }: Rollout) => ({
  tokens: Array.from(tokens),
  logProbs: Array.from(logProbs),
  promptTokens: Array.from(promptTokens),
  finishReason,
  text,
});

test('submissions in one turn or in several give what sample gives', async () => {
  const expected = (await policy.sample(prompts, { ...options, seed: 4 })).map(plain);
  using scheduler = policy.open({ ...options, seed: 4 });
  const together = await Promise.all(prompts.map((tokens) => scheduler.submit({ tokens })));
  expect(together.map(plain)).toEqual(expected);
  const apart: Rollout[] = [];
  for (const [uid, tokens] of prompts.entries()) apart.push(await scheduler.submit({ tokens, uid }));
  expect(apart.map(plain)).toEqual(expected);
});

test('sample s of a submission is sample s of a call, whatever is submitted with it', async () => {
  const n = 5;
  const expected = await policy.sample(prompts.slice(0, 3), { ...options, seed: 4, n });
  using scheduler = policy.open({ ...options, seed: 4 });
  const indices = Array.from({ length: 3 * n }, (_, i) => (7 * i) % (3 * n));
  const submitted = await Promise.all(
    indices.map((i) => {
      const [uid, sample] = [Math.floor(i / n), i % n];
      return scheduler.submit({ tokens: prompts[uid], uid, sample, priority: i % 2 === 0 ? 'normal' : 'low' });
    }),
  );
  submitted.forEach((rollout, place) => {
    const i = indices[place];
    expect(plain(rollout)).toEqual(plain(expected[i]));
    expect(rollout.sample).toBe(i % n);
  });
  expect(new Set(expected.map(({ tokens }) => String(tokens))).size).toBeGreaterThan(3);
});

test('entropies are those of the distribution that log-probs are of, also where the draw is truncated', async () => {
  const drawn = { maxTokens: 6, stopTokens: [], seed: 2 };
  const [whole] = await policy.sample([[1, 2, 3]], { ...drawn, temperature: 0.7 });
  expect(whole.entropies).toHaveLength(6);
  // The definition, at the first token: log-probs of the whole vocabulary after the prompt.
  const vocabulary = Array.from({ length: policy.config.vocabSize }, (_, token) => ({
    tokens: [1, 2, 3, token],
    promptLength: 3,
  }));
  for (const [given, temperature] of [
    [{ temperature: 0.7 }, 0.7],
    [{ temperature: 0.7, topK: 3 }, 0.7],
    [{ temperature: 0 }, 1],
  ] as const) {
    const logProbs = (await policy.logProbs(vocabulary, { temperature })).map(([value]) => value);
    const entropy = -logProbs.reduce((sum, value) => sum + Math.exp(value) * value, 0);
    const [{ entropies }] = await policy.sample([[1, 2, 3]], { ...drawn, ...given });
    expect(Math.abs(entropies[0] - entropy)).toBeLessThan(1e-4);
  }
});

test('text is the completion without its end token and special tokens', async () => {
  const rollouts = await policy.sample(['one two', 'three'], { ...options, n: 8 });
  const { tokenizer } = policy;
  const stopped = rollouts.filter(({ finishReason }) => finishReason === 'stop');
  expect(stopped.length).toBeGreaterThan(0);
  for (const { tokens, finishReason, text, promptTokens, prompt } of rollouts) {
    const written = finishReason === 'stop' ? tokens.slice(0, -1) : tokens;
    expect(text).toBe(tokenizer?.decode(written, { skipSpecialTokens: true }));
    expect(Array.from(promptTokens)).toEqual(Array.from(policy.encodePrompt(['one two', 'three'][prompt])));
  }
  // All samples of a prompt share its tokens.
  expect(rollouts[0].promptTokens).toBe(rollouts[7].promptTokens);
  // What is copied or sent to a worker has the text, and what is written as JSON.
  expect(structuredClone({ ...rollouts[0] }).text).toBe(rollouts[0].text);
  expect((JSON.parse(JSON.stringify(stopped[0])) as Rollout).text).toBe(stopped[0].text);
  const without = await createTinyPolicy();
  const [bare] = await without.sample([[1]]);
  without.dispose();
  expect(bare.text).toBeNull();
});

test('a child is what sample gives after the whole context; its log-probs are those of the sequence', async () => {
  using scheduler = policy.open({ ...options, seed: 6 });
  const parent = await scheduler.submit({ prompt: 'one two' });
  const append = ' so =';
  const child = await scheduler.submit({ parent, append, uid: 40 });
  const context = [...parent.promptTokens, ...parent.tokens, ...policy.encodePrompt(append, false)];
  const [expected] = await policy.sample([context], { ...options, seed: 6, uids: [40] });
  expect(plain(child)).toEqual(plain(expected));
  const [scored] = await policy.logProbs(
    [{ tokens: [...child.promptTokens, ...child.tokens], promptLength: child.promptTokens.length }],
    { temperature: options.temperature },
  );
  child.logProbs.forEach((value, t) => expect(Math.abs(value - scored[t])).toBeLessThan(1e-4));
});

test('a change of weights waits for what was submitted before it in the same turn, and later submissions for the change', async () => {
  const learner = await createTinyPolicy({ seed: 3 });
  const submission = { tokens: [1, 2, 3], uid: 0, stopTokens: [], maxTokens: 10 };
  const [before] = await learner.sample([submission.tokens], { stopTokens: [], maxTokens: 10 });
  using scheduler = learner.open();
  const first = scheduler.submit(submission);
  const step = learner.step([{ tokens: [1, 2, 3, 4], promptLength: 1, advantages: 1 }], { learningRate: 0.1 });
  const second = scheduler.submit(submission);
  expect(Array.from((await first).logProbs)).toEqual(Array.from(before.logProbs));
  expect((await step).applied).toBe(true);
  expect((await second).logProbs[0]).not.toBe(before.logProbs[0]);
  const [after] = await learner.sample([submission.tokens], { stopTokens: [], maxTokens: 10 });
  expect(Array.from((await second).logProbs)).toEqual(Array.from(after.logProbs));
  learner.dispose();
});

test('thousands of submissions at once, most of which a signal ends', async () => {
  using scheduler = policy.open({ maxTokens: 20, stopTokens: [] });
  const controller = new AbortController();
  const kept = Array.from({ length: 40 }, (_, i) => scheduler.submit({ tokens: [i + 1], maxTokens: 2 }));
  const ended = Array.from({ length: 5000 }, (_, i) =>
    scheduler.submit({ tokens: [1 + (i % 1000)], signal: controller.signal }),
  );
  setImmediate(() => controller.abort());
  const outcomes = await Promise.allSettled(ended);
  const rejected = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
  expect(rejected.length).toBeGreaterThan(0);
  for (const { reason } of rejected) expect(reason).toMatchObject({ code: 'ERR_ZERO_RL_ABORTED' });
  await expect(Promise.all(kept)).resolves.toHaveLength(40);
});

test('disposing of the scheduler ends its work, and the policy goes on', async () => {
  const scheduler = policy.open({ maxTokens: 50, stopTokens: [] });
  const pending = Array.from({ length: 3000 }, (_, i) => scheduler.submit({ tokens: [i % 1000] }));
  setImmediate(() => scheduler.dispose());
  const reasons = (await Promise.allSettled(pending)).filter(({ status }) => status === 'rejected');
  expect(reasons.length).toBeGreaterThan(0);
  await expect(scheduler.submit({ tokens: [1] })).rejects.toMatchObject({ code: 'ERR_ZERO_RL_DISPOSED' });
  await expect(policy.sample([[1]], { maxTokens: 2 })).resolves.toHaveLength(1);
});
