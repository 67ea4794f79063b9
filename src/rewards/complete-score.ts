/** What a reward returned, checked and complete. User code may not keep to the types. */
import { invalidType, ZeroRlError } from '../errors';
import { isJsonObject } from '../json-object';
import type { RewardSample, Score, ScorePart } from './types';

/** A score with every key that has a default. */
export interface CompleteScore extends Required<Omit<Score, 'answer' | 'parts' | 'metrics'>> {
  /** Null: the completion states none; absent: not known. */
  answer?: string | null;
  parts?: ScorePart[];
  /** Null: not known of this sample. */
  metrics?: Record<string, number | null>;
}

/** What errors call a sample. */
export function sampleName({ index, problem }: Pick<RewardSample, 'index' | 'problem'>): string {
  return `sample ${index ?? 0} of prompt ${JSON.stringify(problem.id)}`;
}

const SCORE_KEYS = ['reward', 'reason', 'correct', 'formatted', 'answer', 'parts', 'metrics'] as const;

type Returned = Partial<Record<(typeof SCORE_KEYS)[number], unknown>>;

const isFigure = (value: unknown): value is number | boolean => typeof value === 'number' || typeof value === 'boolean';

/**
 * The keys of a returned object that count: those of a score, and further numbers and truth values, which are metrics. What else it
 * holds may be large, or not fit to be sent between threads.
 */
export function countedKeys(result: object): Returned {
  const further = Object.entries(result).filter(
    ([key, value]: [string, unknown]) => isFigure(value) && !(SCORE_KEYS as readonly string[]).includes(key),
  );
  const known = SCORE_KEYS.filter((key) => key in result).map((key) => [key, (result as Returned)[key]]);
  const score = Object.fromEntries(known) as Returned;
  if (further.length === 0) return score;
  const { metrics } = score;
  // What is no mapping is left for the check to refuse.
  if (metrics !== undefined && metrics !== null && !isJsonObject(metrics)) return score;
  return { ...score, metrics: { ...Object.fromEntries(further), ...metrics } };
}

/** A truth value; Python's rewards say 1 and 0. */
function truth(name: string, value: unknown): boolean | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value;
  if (value === 0 || value === 1) return value === 1;
  throw invalidType(name, 'true, false or null', value);
}

function stated(value: unknown): string | null | undefined {
  if (value === undefined || value === null || typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  throw invalidType('answer', 'text or null', value);
}

function checkParts(value: unknown): ScorePart[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw invalidType('parts', 'a list of { name, reward, weight, reason }', value);
  return value.map((part: unknown, i): ScorePart => {
    if (!isJsonObject(part)) throw invalidType(`parts[${i}]`, 'an object with name and reward', part);
    const { name, reward, weight = 1, reason = 'custom' } = part;
    if (typeof name !== 'string') throw invalidType(`parts[${i}].name`, 'text', name);
    if (typeof reason !== 'string') throw invalidType(`parts[${i}].reason`, 'text', reason);
    const finite = (key: string, number: unknown): number => {
      if (typeof number === 'number' && Number.isFinite(number)) return number;
      throw invalidType(`parts[${i}].${key}`, 'a finite number', number);
    };
    return { name, reward: finite('reward', reward), weight: finite('weight', weight), reason };
  });
}

/** Figures by name; one that is not finite is not known of this sample. */
function checkMetrics(value: unknown): Record<string, number | null> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) throw invalidType('metrics', 'a mapping of names to numbers', value);
  return Object.fromEntries(
    Object.entries(value).map(([name, figure]) => {
      if (figure !== null && figure !== undefined && !isFigure(figure))
        throw invalidType(`metrics.${name}`, 'a number, true, false or null', figure);
      const number = Number(figure ?? NaN);
      return [name, Number.isFinite(number) ? number : null];
    }),
  );
}

/**
 * The score of `sample` that a reward returned.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` naming the sample and the key that cannot be used
 */
export function completeScore(result: unknown, sample: RewardSample): CompleteScore {
  const returned = typeof result === 'object' && result !== null ? countedKeys(result) : { reward: result };
  const { reward, reason } = returned;
  if (reward !== null && !(typeof reward === 'number' && Number.isFinite(reward))) {
    const received = typeof reward === 'number' ? String(reward) : typeof reward;
    throw new ZeroRlError(
      'ERR_ZERO_RL_DATA',
      `The reward of ${sampleName(sample)} is ${received}: return a finite number, or null to leave the sample out`,
    );
  }
  try {
    if (reason !== undefined && reason !== null && typeof reason !== 'string')
      throw invalidType('reason', 'text', reason);
    const answer = stated(returned.answer);
    const parts = checkParts(returned.parts);
    const metrics = checkMetrics(returned.metrics);
    return {
      reward,
      reason: reason ?? (reward === null ? 'unscored' : 'custom'),
      correct: truth('correct', returned.correct),
      formatted: truth('formatted', returned.formatted),
      ...(answer === undefined ? {} : { answer }),
      ...(parts === undefined ? {} : { parts }),
      ...(metrics === undefined ? {} : { metrics }),
    };
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    const message = `${cause.message} in the reward's result for ${sampleName(sample)}`;
    throw new ZeroRlError('ERR_ZERO_RL_DATA', message, { cause });
  }
}

/**
 * What `scoreAll` returned for so many samples, one result each.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` where it is something else
 */
export function checkResults(results: unknown, samples: number): readonly unknown[] {
  if (Array.isArray(results) && results.length === samples) return results;
  const received = Array.isArray(results) ? results.length : typeof results;
  throw new ZeroRlError(
    'ERR_ZERO_RL_DATA',
    `The reward's scoreAll gave ${received} results for ${samples} samples: return an array with one result each`,
  );
}
