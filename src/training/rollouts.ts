/** The sampling half of a step: problems become prompts, prompts become completions, completions get scores. */
import { ZeroRlError } from '../errors';
import type { Problem } from '../data/dataset';
import type { Template } from '../data/template';
import type { Rollout, SampleOptions } from '../policy/types';
import { scoreSamples, type CompleteScore, type RewardFunction, type RewardSample } from '../rewards';
import { decodeResponse, type TrainingPolicy } from './training-policy';

/** A prompt of a step. */
export interface Prompt {
  problem: Problem;
  text: string;
  tokens: Int32Array;
  /** Key of its randomness. */
  uid: number;
}

/** A completion with its score. */
export interface Sample {
  prompt: Prompt;
  /** Index of the prompt in the step. */
  group: number;
  /** Index within the group. */
  index: number;
  rollout: Rollout;
  completion: string;
  score: CompleteScore;
}

/** Prompts of `problems`; `firstUid` + i keys the randomness of prompt i. */
export function makePrompts(
  policy: TrainingPolicy,
  problems: readonly Problem[],
  template: Template,
  firstUid: number,
  addSpecialTokens: boolean,
): Prompt[] {
  return problems.map((problem, i) => {
    const text = template(problem);
    try {
      return { problem, text, tokens: policy.encodePrompt(text, addSpecialTokens), uid: firstUid + i };
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new ZeroRlError(
        'ERR_ZERO_RL_DATA',
        `Problem ${JSON.stringify(problem.id)} cannot be a prompt: ${message}`,
        { cause },
      );
    }
  });
}

/** `n` completions of each prompt, ordered by prompt, then sample. */
export async function samplePrompts(
  policy: TrainingPolicy,
  prompts: readonly Prompt[],
  options: Omit<SampleOptions, 'uids'>,
): Promise<Rollout[]> {
  const uids = prompts.map(({ uid }) => uid);
  return policy.sample(
    prompts.map(({ tokens }) => tokens),
    { ...options, uids },
  );
}

/** `work`, or the signal's reason as soon as it is aborted: a reward that waits for a server must not hold up a stop. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  const settled = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true, signal: settled.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    settled.abort();
  }
}

/**
 * Decodes and scores; the order is kept.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` when the reward throws, or ends in time on no sample
 */
export async function scoreRollouts(
  policy: TrainingPolicy,
  prompts: readonly Prompt[],
  rollouts: readonly Rollout[],
  reward: RewardFunction,
  signal?: AbortSignal,
): Promise<Sample[]> {
  const samples = rollouts.map(({ prompt, sample: index, tokens, finishReason }): RewardSample => {
    const { problem, text } = prompts[prompt];
    const completion = decodeResponse(policy, tokens);
    return { problem, prompt: text, completion, answer: problem.answer, tokens, finishReason, index };
  });
  const scores = await untilAborted(scoreSamples(reward, samples, signal), signal);
  if (scores.length > 0 && scores.every(({ reason }) => reason === 'timeout')) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_DATA',
      `The reward did not end in time on any of ${scores.length} samples; mend it, or raise its timeoutSeconds`,
    );
  }
  return rollouts.map((rollout, i) => ({
    prompt: prompts[rollout.prompt],
    group: rollout.prompt,
    index: rollout.sample,
    rollout,
    completion: samples[i].completion,
    score: scores[i],
  }));
}

/** Prompt and response as one sequence. */
export function wholeSequence({ prompt, rollout }: Sample): { tokens: Int32Array; promptLength: number } {
  const tokens = new Int32Array(prompt.tokens.length + rollout.tokens.length);
  tokens.set(prompt.tokens);
  tokens.set(rollout.tokens, prompt.tokens.length);
  return { tokens, promptLength: prompt.tokens.length };
}
