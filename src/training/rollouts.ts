/** The sampling half of a step: problems become prompts, prompts become completions, completions get scores. */
import { ZeroRlError } from '../errors';
import type { Problem } from '../data/dataset';
import type { Template } from '../data/template';
import type { Environment, EnvironmentLimits } from '../environments/environment';
import type { SampleOptions } from '../policy/types';
import { scoreSamples, type CompleteScore, type RewardFunction, type RewardSample } from '../rewards';
import { playEpisodes, type PlayedRollout } from './play-episodes';
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
  rollout: PlayedRollout;
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

/** What answers the policy's turns, and how often. */
export interface Play extends EnvironmentLimits {
  environment: Environment;
}

/** `n` completions of each prompt, ordered by prompt, then sample; episodes where there is an environment. */
export async function samplePrompts(
  policy: TrainingPolicy,
  prompts: readonly Prompt[],
  options: Omit<SampleOptions, 'uids'>,
  play: Play | null = null,
): Promise<PlayedRollout[]> {
  if (play !== null) return playEpisodes(policy, prompts, options, play.environment, play);
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
  rollouts: readonly PlayedRollout[],
  reward: RewardFunction,
  signal?: AbortSignal,
): Promise<Sample[]> {
  const samples = await scoreGroups(policy, prompts, rollouts, reward, signal);
  checkTimeouts(samples);
  return samples;
}

/** @throws ZeroRlError `ERR_ZERO_RL_DATA` when the reward ended in time on none of `samples` */
export function checkTimeouts(samples: readonly Sample[]): void {
  if (samples.length === 0 || samples.some(({ score }) => score.reason !== 'timeout')) return;
  throw new ZeroRlError(
    'ERR_ZERO_RL_DATA',
    `The reward did not end in time on any of ${samples.length} samples; mend it, or raise its timeoutSeconds`,
  );
}

/** As `scoreRollouts`, for a part of the groups. */
export async function scoreGroups(
  policy: TrainingPolicy,
  prompts: readonly Prompt[],
  rollouts: readonly PlayedRollout[],
  reward: RewardFunction,
  signal?: AbortSignal,
): Promise<Sample[]> {
  const samples = rollouts.map(({ prompt, sample: index, tokens, finishReason, turns }): RewardSample => {
    const { problem, text } = prompts[prompt];
    // An answer that the environment wrote must not be paid.
    const own = turns?.flatMap((turn) => (turn.from === 'policy' ? [turn.text] : []));
    const completion = own?.join('\n') ?? decodeResponse(policy, tokens);
    const rest = turns === undefined ? {} : { turns };
    return { problem, prompt: text, completion, answer: problem.answer, tokens, finishReason, index, ...rest };
  });
  const whole = samples.filter((_, i) => rollouts[i].failure === undefined);
  const scored = (await untilAborted(scoreSamples(reward, whole, signal), signal)).values();
  const scores = rollouts.map(({ failure }): CompleteScore =>
    failure === undefined
      ? (scored.next().value as CompleteScore)
      : { reward: null, reason: failure, correct: null, formatted: null, answer: null },
  );
  return rollouts.map((rollout, i) => ({
    prompt: prompts[rollout.prompt],
    group: rollout.prompt,
    index: rollout.sample,
    rollout,
    completion: rollout.turns?.map(({ text }) => text).join('') ?? samples[i].completion,
    score: scores[i],
  }));
}

/** The samples of each group, in the order of the groups. */
export function samplesByGroup(samples: readonly Sample[]): Sample[][] {
  const groups = new Map<number, Sample[]>();
  for (const sample of samples) {
    const group = groups.get(sample.group);
    if (group) group.push(sample);
    else groups.set(sample.group, [sample]);
  }
  return [...groups.values()];
}

/** 1 for tokens of the policy, 0 for those of the environment; null where all are the policy's. */
export function responseMasks(samples: readonly Sample[]): Uint8Array[] | null {
  if (samples.every(({ rollout }) => rollout.mask === undefined)) return null;
  return samples.map(({ rollout }) => rollout.mask ?? new Uint8Array(rollout.tokens.length).fill(1));
}

/** Tokens of a response that the policy wrote. */
export function policyTokens({ tokens, mask }: PlayedRollout): number {
  return mask?.reduce((sum, value) => sum + value, 0) ?? tokens.length;
}

/** Prompt and response as one sequence. */
export function wholeSequence({ prompt, rollout }: Sample): { tokens: Int32Array; promptLength: number } {
  const tokens = new Int32Array(prompt.tokens.length + rollout.tokens.length);
  tokens.set(prompt.tokens);
  tokens.set(rollout.tokens, prompt.tokens.length);
  return { tokens, promptLength: prompt.tokens.length };
}
