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

export const text = 'not a function';

/** For a run: loops for one completion in four. */
export function loopsNowAndThen({ index }) {
  if (index === 1) for (;;);
  return index % 3;
}

export function alwaysLoops() {
  for (;;);
}
