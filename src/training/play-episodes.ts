/**
 * Plays episodes of several turns: the policy samples until it stops, the environment answers, and so on. What the policy did not
 * write has mask 0 and log-prob 0. Every turn is sampled with randomness of its own, keyed by prompt, sample and turn.
 */
import type { Environment, EnvironmentLimits, Turn } from '../environments/environment';
import { ZeroRlError } from '../errors';
import type { Rollout, SampleOptions } from '../policy/types';
import type { Prompt } from './rollouts';
import { decodeResponse, type TrainingPolicy } from './training-policy';

export interface PlayedRollout extends Rollout {
  /** 1 for tokens of the policy, 0 for those of the environment; absent: all are the policy's. */
  mask?: Uint8Array;
  /** The episode as text; absent: there was one turn. */
  turns?: readonly Turn[];
  /** Why the episode cannot be scored. */
  failure?: 'timeout';
}

interface Segment {
  tokens: Int32Array;
  /** Null for tokens of the environment. */
  logProbs: Float32Array | null;
}

interface OpenEpisode {
  first: Rollout;
  segments: Segment[];
  turns: Turn[];
  finishReason: Rollout['finishReason'];
  failure?: 'timeout';
  over: boolean;
}

/** Uids of later turns start here, above those of first turns. */
const FIRST_UID = 2 ** 52;

const joined = (parts: readonly Int32Array[]): Int32Array => {
  const all = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

/** `work`, or undefined when it takes longer than `seconds`. */
async function within<T>(seconds: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), seconds * 1000)));
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}

async function respond(
  episode: OpenEpisode,
  { problem, text: prompt }: Prompt,
  environment: Environment,
  { timeoutSeconds }: EnvironmentLimits,
  signal: AbortSignal | undefined,
): Promise<string | null | undefined> {
  const { turns, first } = episode;
  const ask = async (): Promise<string | null> =>
    environment.respond({ problem, prompt, turns: [...turns], sample: first.sample }, signal);
  const where = `sample ${first.sample} of prompt ${JSON.stringify(problem.id)}`;
  let answer: unknown;
  try {
    answer = await within(timeoutSeconds, ask());
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ZeroRlError('ERR_ZERO_RL_DATA', `The environment threw on ${where}: ${message}`, { cause });
  }
  if (answer === undefined || answer === null || (typeof answer === 'string' && answer !== '')) return answer;
  throw new ZeroRlError(
    'ERR_ZERO_RL_DATA',
    `The environment answered ${where} with ${answer === '' ? 'an empty text' : typeof answer}: return a text, or null when the episode is over`,
  );
}

function finished({ first, segments, turns, finishReason, failure }: OpenEpisode): PlayedRollout {
  const base = { ...first, finishReason, ...(failure ? { failure } : {}) };
  if (segments.length === 1) return base;
  const tokens = joined(segments.map((segment) => segment.tokens));
  const logProbs = new Float32Array(tokens.length);
  const mask = new Uint8Array(tokens.length);
  let at = 0;
  for (const segment of segments) {
    if (segment.logProbs !== null) {
      logProbs.set(segment.logProbs, at);
      mask.fill(1, at, at + segment.tokens.length);
    }
    at += segment.tokens.length;
  }
  return { ...base, tokens, logProbs, mask, turns };
}

/**
 * `n` episodes of each prompt, ordered by prompt, then sample. `maxTokens` limits each turn; an episode that reaches it, or the
 * end of the context, is over with finishReason `length`.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` when the environment throws or answers with something else than text or null
 */
export async function playEpisodes(
  policy: TrainingPolicy,
  prompts: readonly Prompt[],
  options: Omit<SampleOptions, 'uids'>,
  environment: Environment,
  limits: EnvironmentLimits,
): Promise<PlayedRollout[]> {
  const { n = 1, signal } = options;
  const firsts = await policy.sample(
    prompts.map(({ tokens }) => tokens),
    { ...options, uids: prompts.map(({ uid }) => uid) },
  );
  const text = (tokens: Int32Array): string => decodeResponse(policy, tokens);
  const episodes = firsts.map((first): OpenEpisode => {
    const { tokens, logProbs, finishReason } = first;
    const turns: Turn[] = [{ from: 'policy', text: text(tokens) }];
    return { first, segments: [{ tokens, logProbs }], turns, finishReason, over: finishReason === 'length' };
  });
  const close = (episode: OpenEpisode): void => void (episode.over = true);

  for (let turn = 1; turn < limits.maxTurns; turn++) {
    const open = episodes.filter(({ over }) => !over);
    if (open.length === 0) break;
    const answers = await Promise.all(
      open.map((episode) => respond(episode, prompts[episode.first.prompt], environment, limits, signal)),
    );
    signal?.throwIfAborted();
    const goingOn: { episode: OpenEpisode; context: Int32Array }[] = [];
    open.forEach((episode, i) => {
      const answer = answers[i];
      if (answer === undefined) episode.failure = 'timeout';
      if (typeof answer !== 'string') {
        close(episode);
        return;
      }
      const tokens = policy.encodePrompt(answer, false);
      const before = [prompts[episode.first.prompt].tokens, ...episode.segments.map((segment) => segment.tokens)];
      const context = joined([...before, tokens]);
      try {
        policy.encodePrompt(context);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        // The context is full; the answer that no turn follows is left out.
        episode.finishReason = 'length';
        close(episode);
        return;
      }
      episode.segments.push({ tokens, logProbs: null });
      episode.turns.push({ from: 'environment', text: answer });
      goingOn.push({ episode, context });
    });
    if (goingOn.length === 0) continue;
    const uids = goingOn.map(
      ({ episode: { first } }) => FIRST_UID + (prompts[first.prompt].uid * n + first.sample) * limits.maxTurns + turn,
    );
    const sampled = await policy.sample(
      goingOn.map(({ context }) => context),
      { ...options, n: 1, uids },
    );
    goingOn.forEach(({ episode }, i) => {
      const { tokens, logProbs, finishReason } = sampled[i];
      episode.segments.push({ tokens, logProbs });
      episode.turns.push({ from: 'policy', text: text(tokens) });
      episode.finishReason = finishReason;
      if (finishReason === 'length') close(episode);
    });
  }
  return episodes.map(finished);
}
