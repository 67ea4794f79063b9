/** Rewards of a user, some with bugs: what they do, the completion says. */
const never = new Promise(() => {});
let calls = 0;

export default function score({ completion, tokens, problem, answer, finishReason, index, prompt }) {
  if (completion === 'loop') for (;;);
  if (completion === 'throw') throw new RangeError('no such unit');
  if (completion === 'exit') process.exit(4);
  if (completion === 'function') return () => 1;
  if (completion === 'undefined') return undefined;
  if (completion === 'null') return null;
  if (completion === 'score')
    return { reward: 0.25, reason: 'mine', correct: true, formatted: null, why: () => 'unsendable' };
  if (completion === 'all')
    return { reward: tokens.length, reason: [prompt, problem.row.unit, answer, finishReason, index].join() };
  return completion.length;
}

/** Waits before it does the same; `wait` waits for ever, and `later` loops only after waiting. */
export async function slow(sample) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  if (sample.completion === 'wait') return never;
  if (sample.completion === 'later') for (;;);
  return score(sample);
}

/** Keeps state between calls and steps. */
export const counting = () => ++calls;

/** Says all that a score may hold. */
export const whole = ({ index }) => ({
  reward: index,
  correct: index % 2,
  answer: index === 2 ? null : `${index}`,
  parts: [{ name: 'a', reward: 2, weight: 0.5, reason: 'half' }],
  depth: 3,
  metrics: { shown: true },
  extra: { large: 'object' },
});

/** Scores batches; a sample alone would tell. Loops where there is a `loop` in it, and gives what is no list for `none`. */
export const together = Object.assign(() => -1, {
  async scoreAll(samples) {
    const has = (text) => samples.some(({ completion }) => completion === text);
    if (has('loop')) for (;;);
    if (has('throw')) throw new Error('no judge');
    if (has('none')) return { 0: 1 };
    await new Promise((resolve) => setTimeout(resolve, 5));
    return samples.map(({ completion }) => ({ reward: samples.length, reason: completion }));
  },
});

export const text = 'not a function';

/** For a run: loops for one completion in four. */
export function loopsNowAndThen({ index }) {
  if (index === 1) for (;;);
  return index % 3;
}

export function alwaysLoops() {
  for (;;);
}
