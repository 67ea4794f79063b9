// Rewards of one's own, to be named in a config:
//   zero-rl train recipes/demo.yaml --set reward=./examples/rewards.mjs#rightAndShown
// A reward sees one sample: { problem, prompt, completion, answer, tokens, finishReason, index }. It returns a number, null for
// "cannot be scored", or { reward, reason, correct, formatted }; a promise of these is awaited. It runs on a thread of its own:
// a sample on which it hangs for `timeoutSeconds` is left out and the run goes on.
import { verify } from 'zero-rl';

/** Right answers gain, and gain more where the working is shown. */
export function rightAndShown({ answer, completion }) {
  const { correct, reason } = verify(answer, completion);
  if (correct === null) return { reward: null, reason };
  const lines = completion.trim().split('\n').length;
  return { reward: correct ? 1 + Math.min(lines, 10) / 20 : -0.5, reason, correct };
}

/** A reward may ask a service. Other rewards of the batch wait at the same time. */
export async function judged({ prompt, completion }) {
  const url = process.env.JUDGE_URL;
  if (!url) return { reward: null, reason: 'no-judge' };
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt, completion }),
  });
  if (!response.ok) return { reward: null, reason: `judge-${response.status}` };
  const { score } = await response.json();
  return { reward: score, reason: 'judged' };
}
