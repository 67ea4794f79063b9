/** Checks of numbers and number arrays that the Policy shares. */
import { checkNumber, invalidRange, invalidType } from '../errors';
import { TEMPERATURE } from './limits';

/** Most elements of anything the engine indexes with 32-bit integers. */
export const MAX_INT32 = 2 ** 31 - 1;

/** A plain or typed array; `instanceof` would fail for arrays of another realm. */
export function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView) && 'length' in value);
}

/** A finite number greater than 0. */
export function checkPositive(name: string, value: unknown): number {
  if (typeof value !== 'number') throw invalidType(name, 'number greater than 0', value);
  if (!Number.isFinite(value) || value <= 0) throw invalidRange(name, 'number greater than 0', value);
  return value;
}

/** A finite number greater than 0 and at most `maximum`. */
export function checkFraction(name: string, value: unknown, maximum = 1): number {
  const expected = `number greater than 0 and at most ${maximum}`;
  if (typeof value !== 'number') throw invalidType(name, expected, value);
  if (!(value > 0 && value <= maximum)) throw invalidRange(name, expected, value);
  return value;
}

/** A {@link TEMPERATURE}. `also` names other values the caller takes. */
export function checkTemperature(value: unknown, also = ''): number {
  const { least, most } = TEMPERATURE;
  const expected = `${also}number between ${least} and ${most}`;
  if (typeof value !== 'number') throw invalidType('temperature', expected, value);
  if (!(value >= least && value <= most)) throw invalidRange('temperature', expected, value);
  return value;
}

/** Copies `length` finite numbers into `target` at `offset`; a float32 overflow counts as not finite. */
export function copyFinite(name: string, values: unknown, length: number, target: Float32Array, offset: number): void {
  const expected = `array of ${length} numbers, one per response token,`;
  if (!isArrayLike(values)) throw invalidType(name, expected, values);
  if (values.length !== length) throw invalidRange(name, expected, values);
  for (let i = 0; i < length; i++) {
    const value = values[i];
    // No name is made of a number that is right: there are as many as tokens.
    if (typeof value !== 'number' || !Number.isFinite(Math.fround(value))) {
      throw invalidRange(`${name}[${i}]`, 'float32 number', checkNumber(`${name}[${i}]`, value));
    }
    target[offset + i] = value;
  }
}

/** Copies token ids after checking that each is in the vocabulary. */
export function copyTokens(name: string, values: unknown, vocabSize: number): Int32Array<ArrayBuffer> {
  if (!isArrayLike(values)) throw invalidType(name, 'Int32Array or array of token ids', values);
  const copy = new Int32Array(values.length);
  for (let i = 0; i < copy.length; i++) {
    const id = values[i];
    if (typeof id !== 'number' || !(id >= 0 && id < vocabSize) || !Number.isInteger(id)) {
      const expected = `token id between 0 and ${vocabSize - 1}`;
      throw (typeof id === 'number' ? invalidRange : invalidType)(`${name}[${i}]`, expected, id);
    }
    copy[i] = id;
  }
  return copy;
}

/** Token ids one after the other. */
export function concatTokens(parts: readonly Int32Array[]): Int32Array<ArrayBuffer> {
  const all = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
