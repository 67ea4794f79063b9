/**
 * Reads a number as people write it: separators of thousands of all usual kinds, decimals, repeating decimals and powers of
 * ten. What a comma between digits means cannot be known from the text alone, so the caller says which reading it wants.
 */
import { BudgetExceeded } from '../budget';
import { rational, type Rational, zero } from '../exact/rational';
import { limits } from '../limits';

/** How commas between digits read. */
export interface NumberReading {
  /** `1,234` is 1234, not a list. */
  groupCommas: boolean;
  /** `1,5` is 1.5, not a list. */
  decimalComma: boolean;
}

export interface NumberLiteral {
  value: Rational;
  significant: number | null;
  decimals: number;
  /** The digits where a bare integer was written, else null. */
  digits: string | null;
  /** Power of ten too large to be written out; 0 otherwise. */
  exponent: number;
  /** Index just after the literal. */
  end: number;
}

/** Separators that nothing but a group of thousands explains. */
const STRONG_GROUP = /(?:\\!)?(?:\{,\}|,\\!|\\!,|\\,|\\;|\\:|\\ |~|'|_(?=\d))(?:\\!)? ?(?=\d{3}(?!\d))/y;
const COMMA_GROUP = /,(?=\d{3}(?!\d))/y;
const SPACE_GROUP = / (?=\d{3}(?![\d/]))/y;
const INDIAN = /\d{1,2}(?:,\d{2})+,\d{3}(?![\d,])/y;
const DOTTED = /\d{1,3}(?:\.\d{3}){2,}(?![\d.])/y;
const EUROPEAN = /\d{1,3}(?:\.\d{3})+,\d+(?![\d,])/y;
const DIGITS = /\d+/y;
const EXPONENT = / ?[eE]([+-]?\d{1,15})(?![A-Za-z0-9.])/y;
const REPETEND = /\\(?:overline|bar|dot)\s*(?:\{(\d+)\}|(\d))|(?:\((\d+)\)|\\left\s*\((\d+)\\right\s*\))(?![!^])/y;
const ELLIPSIS = /\s*(?:\.{3}|\\l?dots(?![a-zA-Z]))/y;
/** A comma that can be a decimal one after something else than a lone zero. */
const DECIMAL_COMMA = /,(?=\d{2}(?![\d,])|\d{4,}(?![\d,]))/y;

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

const tenTo = (power: number): bigint => 10n ** BigInt(power);

/** Groups joined by one kind of separator: `1,234,567`. Returns the digits and the end. */
function groups(text: string, at: number, reading: NumberReading): [digits: string, end: number] {
  const first = match(DIGITS, text, at)?.[0] ?? '';
  let end = at + first.length;
  if (first === '' || first.length > 3 || first.startsWith('0')) return [first, end];
  let digits = first;
  const kinds = reading.groupCommas ? [STRONG_GROUP, COMMA_GROUP, SPACE_GROUP] : [STRONG_GROUP, SPACE_GROUP];
  for (const kind of kinds) {
    for (let found = match(kind, text, end); found; found = match(kind, text, end)) {
      const group = text.slice(end + found[0].length, end + found[0].length + 3);
      digits += group;
      end += found[0].length + 3;
    }
    if (digits !== first) break;
  }
  return [digits, end];
}

function checkLength(digits: string): void {
  if (digits.length > limits.digits) throw new BudgetExceeded('a number has too many digits');
}

const significantDigits = (digits: string): number => digits.replace(/^0+/, '').length;

/** The value of digits with a repeating tail: d.ddd(rrr). */
function repeating(whole: string, fraction: string, repetend: string): Rational {
  const scale = tenTo(fraction.length);
  const nines = tenTo(repetend.length) - 1n;
  return rational(BigInt(whole + fraction || '0') * nines + BigInt(repetend), scale * nines);
}

/** `0.333...`: the shortest block that the written digits repeat at least three times. */
function endlessBlock(fraction: string): string | null {
  for (let size = 1; size * 3 <= fraction.length && size <= 6; size++) {
    const block = fraction.slice(-size);
    if (fraction.endsWith(block.repeat(3))) return block;
  }
  return null;
}

/** The number that starts at `at` (a digit, or a point before a digit). */
export function readNumber(text: string, at: number, reading: NumberReading): NumberLiteral {
  const exact = (digits: string, end: number): NumberLiteral => {
    checkLength(digits);
    return { value: rational(BigInt(digits)), significant: null, decimals: 0, digits, exponent: 0, end };
  };
  const grouped = match(DOTTED, text, at) ?? (reading.groupCommas ? match(INDIAN, text, at) : null);
  if (grouped) return exact(grouped[0].replace(/[.,]/g, ''), at + grouped[0].length);

  let [whole, end] = groups(text, at, reading);
  let fraction: string | null = null;
  const european = reading.decimalComma ? match(EUROPEAN, text, at) : null;
  if (european) {
    [whole, fraction] = european[0].replace(/\./g, '').split(',');
    end = at + european[0].length;
  } else {
    const comma = reading.decimalComma && (match(DECIMAL_COMMA, text, end) || (whole === '0' && text[end] === ','));
    if (text[end] === '.' || comma) {
      const digits = match(DIGITS, text, end + 1)?.[0] ?? '';
      const repeats = /^(?:\\overline|\\bar|\\dot|(?:\\left\s*)?\(\d)/.test(text.slice(end + 1, end + 10));
      // A point after an integer with nothing behind it ends a sentence.
      if (digits !== '' || (repeats && text[end] === '.')) {
        fraction = digits;
        end += 1 + digits.length;
      }
    }
  }
  if (fraction === null) {
    const power = match(EXPONENT, text, end);
    if (!power) return exact(whole || '0', end);
    return scaled(whole, '', Number(power[1]), end + power[0].length);
  }
  checkLength(whole + fraction);
  const repetend: (string | undefined)[] | null = match(REPETEND, text, end);
  if (repetend) {
    const digits = repetend.slice(1).find((group) => group !== undefined) ?? '';
    checkLength(whole + fraction + digits);
    const value = repeating(whole, fraction, digits);
    return { value, significant: null, decimals: 0, digits: null, exponent: 0, end: end + (repetend[0] ?? '').length };
  }
  const ellipsis = match(ELLIPSIS, text, end);
  const block = ellipsis ? endlessBlock(fraction) : null;
  if (ellipsis && block !== null) {
    const value = repeating(whole, fraction, block);
    return { value, significant: null, decimals: 0, digits: null, exponent: 0, end: end + ellipsis[0].length };
  }
  const power = match(EXPONENT, text, end);
  return scaled(whole, fraction, power ? Number(power[1]) : 0, end + (power ? power[0].length : 0));
}

/** digits / 10^decimals in lowest terms, without Euclid's many steps: only 2 and 5 can cancel. */
function decimalFraction(digits: bigint, decimals: number): Rational {
  if (digits === 0n) return zero;
  let [numerator, twos, fives] = [digits, decimals, decimals];
  for (let step = 1 << 10; step > 0; step >>= 1) {
    for (const power = 5n ** BigInt(step); fives >= step && numerator % power === 0n; fives -= step) numerator /= power;
  }
  for (let step = 1 << 10; step > 0; step >>= 1) {
    const low = (1n << BigInt(step)) - 1n;
    for (; twos >= step && (numerator & low) === 0n; twos -= step) numerator >>= BigInt(step);
  }
  return { numerator, denominator: 2n ** BigInt(twos) * 5n ** BigInt(fives) };
}

/** Greater powers of ten stay powers. */
const MAX_WRITTEN_EXPONENT = 1000;

/** whole.fraction · 10^exponent. */
function scaled(whole: string, fraction: string, exponent: number, end: number): NumberLiteral {
  checkLength(whole + fraction);
  const digits = BigInt(whole + fraction || '0');
  const significant = fraction === '' ? null : significantDigits(whole + fraction);
  const written = Math.abs(exponent) <= MAX_WRITTEN_EXPONENT ? exponent : 0;
  const power = written - fraction.length;
  const value = power >= 0 ? rational(digits * tenTo(power)) : decimalFraction(digits, -power);
  return { value, significant, decimals: Math.max(0, -power), digits: null, exponent: exponent - written, end };
}
