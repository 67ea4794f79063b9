/** Irrational and rational numbers against their decimals of six significant digits and more. */
import fc from 'fast-check';
import { family } from './family';
import { fraction, type Fraction } from './rationals';

/** Digits behind the point of the constants below. */
const PLACES = 70;
const SCALE = 10n ** BigInt(PLACES);

const CONSTANTS: Record<string, bigint> = {
  '\\pi': 31415926535897932384626433832795028841971693993751058209749445923078164n,
  e: 27182818284590452353602874713526624977572470936999595749669676277240766n,
  '\\ln 2': 6931471805599453094172321214581765680755001343602552541206800094933936n,
  '\\phi': 16180339887498948482045868343656381177203091798057628621354486227052604n,
};

/** Floor of the square root. */
export function squareRoot(n: bigint): bigint {
  let root = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (let next = (root + n / root) >> 1n; next < root; next = (root + n / root) >> 1n) root = next;
  return root;
}

interface Irrational {
  /** As TeX, e.g. `\frac{3\sqrt{2}}{7}`. */
  exact: string[];
  /** Its size by 10^70, cut. */
  scaled: bigint;
}

function times({ numerator, denominator }: Fraction, name: string, scaled: bigint): Irrational {
  const head = numerator === 1 ? '' : String(numerator);
  const exact =
    denominator === 1
      ? [`${head}${name}`, `${head === '' ? 1 : head} \\cdot ${name}`]
      : [`\\frac{${head}${name}}{${denominator}}`, `\\frac{${numerator}}{${denominator}}${name}`];
  // `\\ln 2/3` may be ln(2/3).
  if (denominator > 1 && !name.startsWith('\\ln')) exact.push(`${head}${name}/${denominator}`);
  return { exact, scaled: (scaled * BigInt(numerator)) / BigInt(denominator) };
}

const factor = fc
  .tuple(fc.integer({ min: 1, max: 999 }), fc.integer({ min: 1, max: 60 }))
  .map(([n, d]) => fraction(n, d));

const irrational = fc.oneof(
  fc.tuple(factor, fc.constantFrom('\\pi', 'e', '\\ln 2')).map(([value, name]) => times(value, name, CONSTANTS[name])),
  fc
    .tuple(factor, fc.constantFrom(2n, 3n, 5n, 6n, 7n, 10n, 13n, 101n))
    .map(([value, n]) => times(value, `\\sqrt{${n}}`, squareRoot(n * SCALE * SCALE))),
  factor
    .filter(({ denominator }) => !/^[25]*$/.test(primes(denominator)))
    .map(({ numerator, denominator }): Irrational => ({
      exact: [
        `\\frac{${numerator}}{${denominator}}`,
        `${numerator}/${denominator}`,
        `\\dfrac{${numerator}}{${denominator}}`,
      ],
      scaled: (SCALE * BigInt(numerator)) / BigInt(denominator),
    })),
);

/** The prime factors of a small number, side by side. */
function primes(n: number): string {
  let text = '';
  let rest = n;
  for (let divisor = 2; rest > 1; divisor++) for (; rest % divisor === 0; rest /= divisor) text += String(divisor);
  return text;
}

interface Approximated extends Irrational {
  negative: boolean;
  /** Significant digits written. */
  digits: number;
}

/** The first digits of a value, as an integer, and how many of them are behind the point. */
function leading({ scaled, digits }: Approximated): { cut: bigint; rounded: bigint; places: number } {
  const length = String(scaled).length;
  const unit = 10n ** BigInt(length - digits);
  const cut = scaled / unit;
  const rounded = cut + ((scaled % unit) * 2n >= unit ? 1n : 0n);
  return { cut, rounded, places: PLACES - length + digits };
}

function decimal(n: bigint, places: number, sign: string): string {
  const padded = String(n).padStart(places + 1, '0');
  return `${sign}${padded.slice(0, padded.length - places)}.${padded.slice(padded.length - places)}`;
}

/** Exact forms are one value; each of its decimals equals it, but not another decimal of it. */
const forms = (value: Approximated): string[] => value.exact.map((text) => (value.negative ? `-${text}` : text));

export const approximated: fc.Arbitrary<Approximated> = fc
  .tuple(irrational, fc.boolean(), fc.integer({ min: 6, max: 30 }))
  .map(([value, negative, digits]) => ({ ...value, negative, digits }))
  .filter((value) => leading(value).places > 0);

/** The decimals that the value has, rounded and cut. */
export function decimalsOf(value: Approximated): string[] {
  const { cut, rounded, places } = leading(value);
  const sign = value.negative ? '-' : '';
  return [decimal(cut, places, sign), decimal(rounded, places, sign)];
}

/** Decimals with as many digits that it does not have. */
export function decimalsBeside(value: Approximated): string[] {
  const { cut, rounded, places } = leading(value);
  const sign = value.negative ? '-' : '';
  return [
    decimal(rounded + 2n, places, sign),
    decimal(cut - 2n, places, sign),
    decimal(cut, places, sign === '' ? '-' : ''),
    decimal(cut + 10n, places, sign),
  ];
}

export const irrationals = family('constants and their multiples', {
  value: approximated,
  forms,
  near: (value) => [{ ...value, negative: !value.negative }],
  wrong: decimalsBeside,
});
