/**
 * JSON whose numbers keep every digit: one that a double does not hold, such as a whole number beyond 2^53, becomes its text.
 * lossless-json reads the rows that have such numbers; all others take the faster JSON.parse.
 */
import { isInteger, isSafeNumber, parse, type ParseOptions } from 'lossless-json';

/** Digits that determine a double. */
const DOUBLE_DIGITS = 17;
/** What a number has that may not fit: as many digits as the first whole number that does not, or a large exponent. */
const MAY_LOSE_DIGITS = /\d[\d.]{14}\d|\d[eE][+-]?\d{2}/;

/** The digits of a number without sign, point, exponent and zeros around them. */
function significantDigits(text: string): string {
  return text
    .replace(/[eE].*$/, '')
    .replace(/[^\d]/g, '')
    .replace(/^0+|0+$/g, '');
}

/** Whether `text` is a double as programs write it: in the fewest digits that determine it, or in 17 as C's %.17g does. */
function isDouble(text: string): boolean {
  if (isInteger(text)) return false;
  const value = Number(text);
  const digits = significantDigits(text);
  return [String(value), value.toPrecision(DOUBLE_DIGITS)].some((written) => significantDigits(written) === digits);
}

/** The number that `text` writes; the text itself where a double would not keep its digits. */
export function exactNumber(text: string): number | string {
  return isSafeNumber(text) || isDouble(text) ? Number(text) : text;
}

/** Of a key that occurs twice the last value counts, as for JSON.parse. */
const OPTIONS: ParseOptions = { parseNumber: exactNumber, onDuplicateKey: ({ newValue }) => newValue };

/** @throws SyntaxError where `text` is no JSON */
export function parseExactJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return MAY_LOSE_DIGITS.test(text) ? parse(text, undefined, OPTIONS) : value;
}

/** The nearest value of a half (10 bits of fraction, exponents from −14). */
function roundToHalf(value: number): number {
  const spacing = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), -14) - 10);
  return Math.round(value / spacing) * spacing;
}

/** The number with the fewest digits that is `value` once it is stored as a float of `bits` bits: 0.1, not 0.10000000149. */
export function shortestFloat(value: number, bits: 16 | 32): number {
  if (!Number.isFinite(value)) return value;
  const round = bits === 32 ? Math.fround : roundToHalf;
  for (let digits = bits === 32 ? 6 : 3; digits <= 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (round(shorter) === value) return shorter;
  }
  return value;
}
