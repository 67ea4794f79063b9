/** The sampling half of a step: problems become prompts, prompts become completions, completions get scores. */
import { ZeroRlError } from '../errors';
import type { Problem } from '../data/dataset';
import type { Template } from '../data/template';
import type { Play } from '../environments/ask';
import { mapInSlices } from '../event-loop';
import { PromptTooLong } from '../policy/sample-request';
import type { SampleOptions, Sequence } from '../policy/types';
import { scoreSamples, type CompleteScore, type RewardFunction, type RewardSample } from '../rewards';
import { untilAborted } from '../until-aborted';
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

/** Whether `error` of {@link makePrompts} says that the prompt leaves no room for an answer in the context. */
export function isTooLong(error: unknown): boolean {
  return error instanceof ZeroRlError && error.cause instanceof PromptTooLong;
}

/**
 * Prompts of `problems[indices[i]]`. In place of one that leaves no room for an answer in the context the next problem is
 * taken.
 */
export function drawPrompts(
  policy: TrainingPolicy,
  problems: readonly Problem[],
  indices: readonly number[],
  template: Template,
  firstUid: number,
  addSpecialTokens: boolean,
): Prompt[] {
  return indices.map((index, i) => {
    for (let tried = 1; ; tried++) {
      const problem = problems[(index + tried - 1) % problems.length];
      try {
        return makePrompts(policy, [problem], template, firstUid + i, addSpecialTokens)[0];
      } catch (error) {
        if (!isTooLong(error) || tried === problems.length) throw error;
      }
    }
  });
}

/** `n` completions of each prompt, ordered by prompt, then sample; episodes where there is an environment. */
export async function samplePrompts(
  policy: TrainingPolicy,
  prompts: readonly Prompt[],
  options: Omit<SampleOptions, 'uids'>,
  play: Play | null = null,
): Promise<PlayedRollout[]> {
  if (play !== null) return playEpisodes(policy, prompts, options, play);
  const uids = prompts.map(({ uid }) => uid);
  return policy.sample(
    prompts.map(({ tokens }) => tokens),
    { ...options, uids },
  );
}

/**
 * Decodes and scores; the order is kept. Episodes without an answer in time are not scored.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` when the reward throws
 */
export async function scoreRollouts(
  policy: TrainingPolicy,
  prompts: readonly Prompt[],
  rollouts: readonly PlayedRollout[],
  reward: RewardFunction,
  signal?: AbortSignal,
): Promise<Sample[]> {
  const toScore = (rollout: PlayedRollout): RewardSample => {
    const { prompt, sample: index, finishReason, turns } = rollout;
    const { problem, text } = prompts[prompt];
    const tokens = ownTokens(rollout);
    // An answer that the environment wrote must not be paid.
    const own = turns?.flatMap((turn) => (turn.from === 'policy' ? [turn.text] : []));
    const completion = own?.join('\n') ?? decodeResponse(policy, tokens);
    const rest = turns === undefined ? {} : { turns };
    return { problem, prompt: text, completion, answer: problem.answer, tokens, finishReason, index, ...rest };
  };
  const samples = await mapInSlices(rollouts, toScore, signal);
  const whole = samples.filter((_, i) => rollouts[i].failure === undefined);
  const scored = (await untilAborted(scoreSamples(reward, whole, signal), signal)).values();
  const scores = rollouts.map(({ failure }): CompleteScore =>
    failure === undefined
      ? (scored.next().value as CompleteScore)
      : { reward: null, reason: failure, correct: null, formatted: null },
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

/**
 * Refuses samples none of which came in time, which says that something is broken.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_DATA`
 */
export function checkTimeouts(samples: readonly Sample[]): void {
  if (samples.length === 0 || samples.some(({ score }) => score.reason !== 'timeout')) return;
  throw new ZeroRlError(
    'ERR_ZERO_RL_DATA',
    samples.every(({ rollout }) => rollout.failure === 'timeout')
      ? `The environment did not answer in time in any of ${samples.length} episodes; mend it, or raise environment.timeoutSeconds`
      : `The reward did not end in time on any of ${samples.length} samples; mend it, or raise its timeoutSeconds`,
  );
}

/** Each reason once. */
export function reasonsOf(samples: readonly Sample[]): string {
  return [...new Set(samples.map(({ score }) => score.reason))].join(', ');
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

/** The tokens of a response that the policy wrote. */
export function ownTokens({ tokens, mask }: Pick<PlayedRollout, 'tokens' | 'mask'>): Int32Array {
  return mask === undefined ? tokens : tokens.filter((_, t) => mask[t] === 1);
}

/** How many they are. */
export function policyTokens({ tokens, mask }: Pick<PlayedRollout, 'tokens' | 'mask'>): number {
  return mask?.reduce((sum, value) => sum + value, 0) ?? tokens.length;
}

/** Prompt and response as one sequence, scored over the tokens that truncated draws kept where those were recorded. */
export function wholeSequence({ prompt, rollout }: Sample): Sequence & { tokens: Int32Array } {
  const tokens = new Int32Array(prompt.tokens.length + rollout.tokens.length);
  tokens.set(prompt.tokens);
  tokens.set(rollout.tokens, prompt.tokens.length);
  const { keptTokens } = rollout;
  return { tokens, promptLength: prompt.tokens.length, ...(keptTokens ? { keptTokens } : {}) };
}

/** Log-probs at sampling of the response tokens as {@link wholeSequence} scores them. */
export function behaviourLogProbs({ rollout: { logProbs, logMass, keptTokens } }: Sample): Float32Array {
  return keptTokens && logMass ? logProbs.map((value, t) => value - logMass[t]) : logProbs;
}
