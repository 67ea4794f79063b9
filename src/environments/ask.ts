/** Asks an environment for its answers: within their time, until the run is stopped, and with one error for what goes wrong. */
import { ZeroRlError } from '../errors';
import { sampleName } from '../rewards';
import { timerDelay, untilAborted } from '../until-aborted';
import { userCodeThrew } from '../user-code';
import type { Environment, EnvironmentLimits, Episode } from './environment';

/** An environment as a run uses it. */
export interface Play extends EnvironmentLimits {
  environment: Environment;
  /** What errors and warnings call it. */
  name: string;
  warn: (message: string) => void;
}

/** The text that goes on with an episode, or null: it is over. `late`: there was no answer in time. */
export interface Answer {
  text: string | null;
  late: boolean;
}

const nameOf = ({ problem, sample }: Episode): string => sampleName({ problem, index: sample });

function checkAnswer(answer: unknown, name: string, episode: Episode): string | null {
  if (answer === null || (typeof answer === 'string' && answer !== '')) return answer;
  const received =
    answer === undefined
      ? 'with nothing (does its respond lack a return?)'
      : `with ${answer === '' ? 'an empty text' : typeof answer}`;
  throw new ZeroRlError(
    'ERR_ZERO_RL_DATA',
    `The ${name} answered ${nameOf(episode)} ${received}: return a text, or null when the episode is over`,
  );
}

/** `stop` is aborted when the time is up; whoever aborts it otherwise ends the waiting. */
async function ask(play: Play, episode: Episode, stop: AbortController): Promise<Answer> {
  const { environment, name, timeoutSeconds } = play;
  const tooLate = new Error(`There was no answer within ${timeoutSeconds} s`);
  const timer = setTimeout(() => stop.abort(tooLate), timerDelay(timeoutSeconds));
  const work = async (): Promise<unknown> => environment.respond(episode, stop.signal);
  let answer: unknown;
  try {
    answer = await untilAborted(work(), stop.signal);
  } catch (cause) {
    if (stop.signal.reason === tooLate) return { text: null, late: true };
    if (stop.signal.aborted) throw cause;
    throw userCodeThrew(`The ${name} threw on ${nameOf(episode)}`, cause);
  } finally {
    clearTimeout(timer);
  }
  return { text: checkAnswer(answer, name, episode), late: false };
}

/**
 * The environment's answers to `episodes`, asked for at the same time, in their order. The first failure and the signal end all
 * of them.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` when the environment throws or answers with something else than text or null; the
 *   signal's reason when it is aborted
 */
export async function askEnvironment(
  play: Play,
  episodes: readonly Episode[],
  signal: AbortSignal | undefined,
): Promise<Answer[]> {
  signal?.throwIfAborted();
  const stops = episodes.map(() => new AbortController());
  const stopAll = (): void => stops.forEach((stop) => stop.abort(signal?.reason));
  signal?.addEventListener('abort', stopAll, { once: true });
  let answers: Answer[];
  try {
    answers = await Promise.all(episodes.map((episode, i) => ask(play, episode, stops[i])));
  } catch (error) {
    stopAll();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stopAll);
  }
  const late = episodes.filter((_, i) => answers[i].late);
  if (late.length > 0) {
    const more = late.length > 1 ? ` and ${late.length - 1} more` : '';
    play.warn(
      `The ${play.name} did not answer within ${play.timeoutSeconds} s on ${nameOf(late[0])}${more}, which ${more ? 'are' : 'is'} left out`,
    );
  }
  return answers;
}
