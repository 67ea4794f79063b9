/**
 * Plays episodes of several turns: the policy samples until it stops, the environment answers, and so on. What the policy did not
 * write has mask 0 and log-prob 0. Every turn is sampled with randomness of its own, keyed by prompt, sample and turn.
 */
import { askEnvironment, type Answer, type Play } from '../environments/ask';
import type { Turn } from '../environments/environment';
import { mapInSlices } from '../event-loop';
import { joinKeptTokens } from '../policy/kept-tokens';
import { PromptTooLong } from '../policy/sample-request';
import type { Rollout, SampleOptions } from '../policy/types';
import { sampleName } from '../rewards';
import { userCodeThrew } from '../user-code';
import type { Prompt } from './rollouts';
import { decodeResponse, type TrainingPolicy } from './training-policy';
import { turnUid } from './uids';

export interface PlayedRollout extends Rollout {
  /** 1 for tokens of the policy, 0 for those of the environment; absent: all are the policy's. */
  mask?: Uint8Array;
  /** The episode as text; absent: there was one turn. */
  turns?: readonly Turn[];
  /** Why the episode cannot be scored. */
  failure?: 'timeout';
}

interface Segment extends Pick<Rollout, 'tokens' | 'logMass' | 'keptTokens'> {
  /** Null for tokens of the environment. */
  logProbs: Float32Array | null;
}

const segmentOf = ({ tokens, logProbs, logMass, keptTokens }: Rollout): Segment => ({
  tokens,
  logProbs,
  logMass,
  keptTokens,
});

interface OpenEpisode {
  first: Rollout;
  segments: Segment[];
  turns: Turn[];
  finishReason: Rollout['finishReason'];
  failure?: 'timeout';
  over: boolean;
}

const joined = (parts: readonly Int32Array[]): Int32Array => {
  const all = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

function finished({ first, segments, turns, finishReason, failure }: OpenEpisode): PlayedRollout {
  const base = { ...first, finishReason, ...(failure ? { failure } : {}) };
  if (segments.length === 1) return base;
  const tokens = joined(segments.map((segment) => segment.tokens));
  const logProbs = new Float32Array(tokens.length);
  const mask = new Uint8Array(tokens.length);
  const logMass = segments.some((segment) => segment.logMass) ? new Float32Array(tokens.length) : undefined;
  const keptTokens = joinKeptTokens(segments);
  let at = 0;
  for (const segment of segments) {
    if (segment.logProbs !== null) {
      logProbs.set(segment.logProbs, at);
      if (segment.logMass) logMass?.set(segment.logMass, at);
      mask.fill(1, at, at + segment.tokens.length);
    }
    at += segment.tokens.length;
  }
  const truncated = { ...(logMass ? { logMass } : {}), ...(keptTokens ? { keptTokens } : {}) };
  return { ...base, tokens, logProbs, ...truncated, mask, turns };
}

/** The episode so far and `answer` as one prompt; null where it leaves no room for a turn in the context. */
function contextWith(
  answer: string,
  episode: OpenEpisode,
  { problem, tokens: prompt }: Prompt,
  policy: TrainingPolicy,
  { name }: Play,
): { answer: Int32Array; context: Int32Array } | null {
  try {
    const tokens = policy.encodePrompt(answer, false);
    const before = episode.segments.map((segment) => segment.tokens);
    return { answer: tokens, context: policy.encodePrompt(joined([prompt, ...before, tokens])) };
  } catch (cause) {
    if (cause instanceof PromptTooLong) return null;
    const where = sampleName({ problem, index: episode.first.sample });
    throw userCodeThrew(`The ${name} answered ${where} with a text that cannot be tokens of the policy`, cause);
  }
}

/**
 * `n` episodes of each prompt, ordered by prompt, then sample. `maxTokens` limits each turn; an episode that reaches it, or the
 * end of the context, is over with finishReason `length`. An answer that no turn follows is left out.
 *
 * @throws as {@link askEnvironment}
 */
export async function playEpisodes(
  policy: TrainingPolicy,
  prompts: readonly Prompt[],
  options: Omit<SampleOptions, 'uids'>,
  play: Play,
): Promise<PlayedRollout[]> {
  const { n = 1, signal } = options;
  const { maxTurns } = play;
  const firsts = await policy.sample(
    prompts.map(({ tokens }) => tokens),
    { ...options, uids: prompts.map(({ uid }) => uid) },
  );
  const text = (tokens: Int32Array): string => decodeResponse(policy, tokens);
  const episodes = firsts.map((first): OpenEpisode => {
    const { tokens, finishReason } = first;
    const turns: Turn[] = [{ from: 'policy', text: text(tokens) }];
    return { first, segments: [segmentOf(first)], turns, finishReason, over: finishReason === 'length' };
  });

  for (let turn = 1; turn < maxTurns; turn++) {
    const open = episodes.filter(({ over }) => !over);
    if (open.length === 0) break;
    const asked = open.map(({ first: { prompt, sample }, turns }) => {
      const { problem, text: promptText } = prompts[prompt];
      return { problem, prompt: promptText, turns: [...turns], sample };
    });
    const answers = await askEnvironment(play, asked, signal);
    const goingOn: { episode: OpenEpisode; context: Int32Array }[] = [];
    const goOn = (episode: OpenEpisode, { text: answer, late }: Answer): void => {
      episode.over = true;
      if (late) episode.failure = 'timeout';
      if (answer === null) return;
      const next = contextWith(answer, episode, prompts[episode.first.prompt], policy, play);
      if (next === null) {
        episode.finishReason = 'length';
        return;
      }
      episode.over = false;
      episode.segments.push({ tokens: next.answer, logProbs: null });
      episode.turns.push({ from: 'environment', text: answer });
      goingOn.push({ episode, context: next.context });
    };
    await mapInSlices(open, (episode, i) => goOn(episode, answers[i]), signal);
    if (goingOn.length === 0) continue;
    const uids = goingOn.map(({ episode: { first } }) =>
      turnUid({ uid: prompts[first.prompt].uid, sample: first.sample, n, turn, maxTurns }),
    );
    const sampled = await policy.sample(
      goingOn.map(({ context }) => context),
      { ...options, n: 1, uids },
    );
    goingOn.forEach(({ episode }, i) => {
      const { tokens, finishReason } = sampled[i];
      episode.segments.push(segmentOf(sampled[i]));
      episode.turns.push({ from: 'policy', text: text(tokens) });
      episode.finishReason = finishReason;
      episode.over = finishReason === 'length';
    });
  }
  return episodes.map(finished);
}
