/**
 * Exact rational numbers as people write them: integers, decimals, fractions, mixed numbers, signs, thousands
 * separators, `3e8`, per cent and currency signs. What is not such a number is null, never a guess.
 */

export interface Rational {
  /** In lowest terms, the denominator positive. */
  numerator: bigint;
  denominator: bigint;
  /** Decimals written, 0 for integers, null where a fraction was written. */
  decimals: number | null;
}

/** Longer texts and exponents are not read as numbers: 10^400 is enough, and work stays bounded. */
const MAX_CHARACTERS = 400;
const MAX_EXPONENT = 400;

function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a < 0n ? -a : a;
}

function rational(numerator: bigint, denominator: bigint, decimals: number | null): Rational | null {
  if (denominator === 0n) return null;
  const divisor = gcd(numerator, denominator) * (denominator < 0n ? -1n : 1n);
  return { numerator: numerator / divisor, denominator: denominator / divisor, decimals };
}

/** Unsigned integer, decimal or `3e8`. */
function parseDecimal(text: string): Rational | null {
  const match: (string | undefined)[] | null = /^(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text);
  if (!match || (!match[1] && !match[2])) return null;
  const exponent = Number(match[3] ?? 0);
  if (Math.abs(exponent) > MAX_EXPONENT) return null;
  const decimals = match[2] ? match[2].length : 0;
  const power = exponent - decimals;
  const digits = BigInt(`${match[1] ?? ''}${match[2] ?? ''}`);
  const ten = 10n ** BigInt(Math.abs(power));
  return power >= 0 ? rational(digits * ten, 1n, Math.max(0, -power)) : rational(digits, ten, -power);
}

const FRACTION = /^\\[dtc]?frac(?:\{([^{}]+)\}|(\d))(?:\{([^{}]+)\}|(\d))$/;

function parseUnsigned(text: string): Rational | null {
  const mixed: string[] | null = /^(\d+)(?: (?=\d+\/\d+$)|(?=\\[dtc]?frac))/.exec(text);
  if (mixed) {
    const fraction = parseUnsigned(text.slice(mixed[0].length));
    if (!fraction || fraction.numerator < 0n) return null;
    const whole = BigInt(mixed[1]);
    return rational(whole * fraction.denominator + fraction.numerator, fraction.denominator, null);
  }
  const latex: (string | undefined)[] | null = FRACTION.exec(text);
  const slash = latex ? -1 : text.indexOf('/');
  if (!latex && slash < 0) return parseDecimal(text);
  const top = parseSigned(latex ? (latex[1] ?? latex[2] ?? '') : text.slice(0, slash));
  const bottom = parseSigned(latex ? (latex[3] ?? latex[4] ?? '') : text.slice(slash + 1));
  if (!top || !bottom) return null;
  return rational(top.numerator * bottom.denominator, top.denominator * bottom.numerator, null);
}

function parseSigned(text: string): Rational | null {
  const trimmed = text.trim();
  const sign = /^[+-]\s*/.exec(trimmed);
  const value = parseUnsigned(sign ? trimmed.slice(sign[0].length) : trimmed);
  return value && sign?.[0].startsWith('-') ? { ...value, numerator: -value.numerator } : value;
}

/** Drops what does not change the value: dollar and per cent signs, TeX spacing, separators of thousands. */
function plain(text: string): string {
  const bare = text
    .replace(/\\[$%]|[$%€£]/g, '')
    .replace(/\\(?:left|right)(?![a-zA-Z])/g, '')
    .replace(/\{,\}/g, ',')
    .replace(/\\[,;:! ]|~/g, ' ')
    .replace(/[\u2212\u2013]/g, '-')
    .replace(/\^\{?\\circ\}?/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  return bare.replace(/\d{1,3}(?:,\d{3})+(?![\d,])|\d{1,3}(?: \d{3})+(?![\d /])/g, (number) =>
    number.replace(/[ ,]/g, ''),
  );
}

/** The number that `text` is as a whole, or null. */
export function parseRational(text: string): Rational | null {
  if (text.length > MAX_CHARACTERS) return null;
  return parseSigned(plain(text));
}

/** Decimals of a fraction count as equal from this many significant digits on. */
const MIN_SIGNIFICANT = 6;

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);

/** `rounded` is a decimal of `exact` with enough digits: rounded or cut off at its last place. */
function approximates(rounded: Rational, exact: Rational): boolean {
  if (rounded.decimals === null || exact.decimals !== null || rounded.decimals === 0) return false;
  const unit = 10n ** BigInt(rounded.decimals);
  if (String(absolute((rounded.numerator * unit) / rounded.denominator)).length < MIN_SIGNIFICANT) return false;
  const difference = rounded.numerator * exact.denominator - exact.numerator * rounded.denominator;
  const whole = rounded.denominator * exact.denominator;
  const cutOff = difference !== 0n && difference < 0n === exact.numerator > 0n;
  return cutOff ? absolute(difference) * unit < whole : 2n * absolute(difference) * unit <= whole;
}

/** Equal as numbers, or one a decimal of the other with at least six significant digits. */
export function equalRationals(a: Rational, b: Rational): boolean {
  if (a.numerator === b.numerator && a.denominator === b.denominator) return true;
  return approximates(a, b) || approximates(b, a);
}
