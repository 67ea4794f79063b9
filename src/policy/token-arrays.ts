/**
 * Arrays of one number per response token, sequences one after the other, with the aggregation as one weight per token.
 * With mask m and response i of N:
 *   token-mean            m / Σm over the call
 *   seq-mean-token-mean   m / (Σm of the response · N)
 *   seq-mean-token-sum    m / N
 *   constant              m / (N · the constant)
 * N counts the responses with at least one unmasked token.
 */
import { checkNumber, invalidRange, invalidType } from '../errors';
import { copyFinite, isArrayLike } from './numbers';
import type { Aggregation } from './types';

/** One number for the whole response, or one per token, into target[start ... end). */
export function fillAdvantages(name: string, value: unknown, target: Float32Array, start: number, end: number): void {
  if (typeof value === 'number') {
    const advantage = checkNumber(name, value);
    if (!Number.isFinite(Math.fround(advantage))) throw invalidRange(name, 'float32 number', value);
    target.fill(advantage, start, end);
  } else if (isArrayLike(value)) {
    copyFinite(name, value, end - start, target, start);
  } else {
    throw invalidType(name, 'number or array of numbers', value);
  }
}

/** Writes the mask as 0 and 1 and returns the number of ones. */
export function fillMask(name: string, value: unknown, target: Float32Array, start: number, end: number): number {
  if (value === undefined) {
    target.fill(1, start, end);
    return end - start;
  }
  const expected = `array of ${end - start} zeros and ones, one per response token,`;
  if (!isArrayLike(value)) throw invalidType(name, expected, value);
  if (value.length !== end - start) throw invalidRange(name, expected, value);
  let ones = 0;
  for (let i = 0; i < value.length; i++) {
    const bit = value[i];
    if (bit !== 0 && bit !== 1) throw invalidRange(`${name}[${i}]`, '0 or 1', bit);
    target[start + i] = bit;
    ones += bit;
  }
  return ones;
}

/** Turns the 0/1 mask in `weights` into aggregation weights, in place. `trained[i]` is Σm of response i. */
export function aggregate(
  weights: Float32Array,
  offsets: Int32Array,
  trained: readonly number[],
  aggregation: Aggregation,
  constant = 1,
): void {
  const total = trained.reduce((sum, count) => sum + count, 0);
  const responses = trained.filter((count) => count > 0).length;
  const divisorOf = (count: number): number => {
    if (aggregation === 'token-mean') return total;
    if (aggregation === 'seq-mean-token-mean') return count * responses;
    return aggregation === 'constant' ? constant * responses : responses;
  };
  trained.forEach((count, i) => {
    for (let token = offsets[i]; token < offsets[i + 1]; token++) {
      if (weights[token] !== 0) weights[token] = 1 / divisorOf(count);
    }
  });
}

/** One value per response token, or null where no sequence has any; `why` makes them required. */
export function collectPerToken<K extends string>(
  sequences: readonly Partial<Record<K, unknown>>[],
  key: K,
  offsets: Int32Array,
  why: string | null,
  what = 'log-probs',
): Float32Array | null {
  if (why === null && sequences.every((sequence) => sequence[key] === undefined)) return null;
  const collected = new Float32Array(offsets[sequences.length]);
  sequences.forEach((sequence, i) => {
    const name = `sequences[${i}].${key}`;
    if (sequence[key] === undefined) {
      throw invalidType(name, `${what} (${why ?? 'other sequences of the call have them'})`, undefined);
    }
    copyFinite(name, sequence[key], offsets[i + 1] - offsets[i], collected, offsets[i]);
  });
  return collected;
}
