/**
 * Plays episodes of several turns: the policy samples until it stops, the environment answers, and so on. What the policy did not
 * write has mask 0 and log-prob 0. Every turn is sampled with randomness of its own, keyed by prompt, sample and turn.
 */
import { askEnvironment, type Answer, type Play } from '../environments/ask';
import type { Turn } from '../environments/environment';
import { mapInSlices } from '../event-loop';
import { joinKeptTokens } from '../policy/kept-tokens';
import { concatTokens } from '../policy/numbers';
import { PromptTooLong } from '../policy/sample-request';
import type { Completion, SampleOptions } from '../policy/types';
import { sampleName } from '../rewards';
import { userCodeThrew } from '../user-code';
import type { Prompt } from './rollouts';
import { decodeResponse, type TrainingPolicy } from './training-policy';
import { turnUid } from './uids';

export interface PlayedRollout extends Completion {
  /** 1 for tokens of the policy, 0 for those of the environment; absent: all are the policy's. */
  mask?: Uint8Array;
  /** The episode as text; absent: there was one turn. */
  turns?: readonly Turn[];
  /** Why the episode cannot be scored. */
  failure?: 'timeout';
}

interface Segment extends Pick<Completion, 'tokens' | 'logMass' | 'entropies' | 'keptTokens'> {
  /** Absent for tokens of the environment. */
  logProbs?: Float32Array;
}

const segmentOf = ({ tokens, logProbs, logMass, entropies, keptTokens }: Completion): Segment => ({
  tokens,
  logProbs,
  logMass,
  entropies,
  keptTokens,
});

interface OpenEpisode {
  prompt: number;
  sample: number;
  segments: Segment[];
  turns: Turn[];
  finishReason: Completion['finishReason'];
  failure?: 'timeout';
  over: boolean;
}

/** A figure per token, 0 where a segment has none; undefined where no segment has any. */
function column(
  segments: readonly Segment[],
  length: number,
  figure: (segment: Segment) => Float32Array | undefined,
): Float32Array | undefined {
  if (segments.every((segment) => figure(segment) === undefined)) return undefined;
  const values = new Float32Array(length);
  let at = 0;
  for (const segment of segments) {
    values.set(figure(segment) ?? [], at);
    at += segment.tokens.length;
  }
  return values;
}

function finished({ prompt, sample, segments, turns, finishReason, failure }: OpenEpisode): PlayedRollout {
  const tokens = concatTokens(segments.map((segment) => segment.tokens));
  const { length } = tokens;
  const logMass = column(segments, length, (segment) => segment.logMass);
  const entropies = column(segments, length, (segment) => segment.entropies);
  const keptTokens = joinKeptTokens(segments);
  const rollout = {
    prompt,
    sample,
    tokens,
    logProbs: column(segments, length, ({ logProbs }) => logProbs) ?? new Float32Array(length),
    ...(logMass ? { logMass } : {}),
    ...(entropies ? { entropies } : {}),
    ...(keptTokens ? { keptTokens } : {}),
    finishReason,
    ...(failure ? { failure } : {}),
  };
  if (segments.length === 1) return rollout;
  const mask = new Uint8Array(length);
  let at = 0;
  for (const { tokens: part, logProbs } of segments) {
    if (logProbs) mask.fill(1, at, at + part.length);
    at += part.length;
  }
  return { ...rollout, mask, turns };
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
    return { answer: tokens, context: policy.encodePrompt(concatTokens([prompt, ...before, tokens])) };
  } catch (cause) {
    if (cause instanceof PromptTooLong) return null;
    const where = sampleName({ problem, index: episode.sample });
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
    const { prompt, sample, tokens, finishReason } = first;
    const turns: Turn[] = [{ from: 'policy', text: text(tokens) }];
    return { prompt, sample, segments: [segmentOf(first)], turns, finishReason, over: finishReason === 'length' };
  });

  for (let turn = 1; turn < maxTurns; turn++) {
    const open = episodes.filter(({ over }) => !over);
    if (open.length === 0) break;
    const asked = open.map(({ prompt, sample, turns }) => {
      const { problem, text: promptText } = prompts[prompt];
      return { problem, prompt: promptText, turns: [...turns], sample };
    });
    const answers = await askEnvironment(play, asked, signal);
    const goingOn: { episode: OpenEpisode; context: Int32Array }[] = [];
    const goOn = (episode: OpenEpisode, { text: answer, late }: Answer): void => {
      episode.over = true;
      if (late) episode.failure = 'timeout';
      if (answer === null) return;
      const next = contextWith(answer, episode, prompts[episode.prompt], policy, play);
      if (next === null) {
        episode.finishReason = 'length';
        return;
      }
      episode.over = false;
      episode.segments.push({ tokens: next.answer });
      episode.turns.push({ from: 'environment', text: answer });
      goingOn.push({ episode, context: next.context });
    };
    await mapInSlices(open, (episode, i) => goOn(episode, answers[i]), signal);
    if (goingOn.length === 0) continue;
    const uids = goingOn.map(({ episode: { prompt, sample } }) =>
      turnUid({ uid: prompts[prompt].uid, sample, n, turn, maxTurns }),
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
