/**
 * Units of measure and currency. `readUnit` understands products, quotients and powers of the names in the unit table, in words
 * ("square miles per hour") and in symbols ("km/h", "m^2"); it judges no context, so the parser decides where a unit may stand.
 */
import { divide, multiply, one, type Rational } from '../exact/rational';
import { lookUpUnit, type Dimension, type UnitEntry } from './unit-table';

/** A unit as written after a number. */
export interface Unit {
  /** Canonical name, e.g. `centimeter^2`, `dollar`; for a word that is no known unit, the word itself in lower case. */
  name: string;
  /** Values of one dimension convert into each other, e.g. `length^2`; null for a word that is no known unit. */
  dimension: string | null;
  /** Size in the base unit of its dimension. */
  scale: Rational;
}

const MAXIMUM_CHARACTERS = 80;
const MAXIMUM_EXPONENT = 9;

/** Words of the longest name in the table. */
const LONGEST_NAME = 3;

const before = new Map([
  ['square', 2],
  ['sq', 2],
  ['cubic', 3],
  ['cu', 3],
]);
const after = new Map([
  ['squared', 2],
  ['cubed', 3],
]);

interface Factor {
  entry: UnitEntry;
  exponent: number;
}

/** Words, `/`, and powers as `^n`. */
function tokenize(text: string): string[] {
  const spaced = text
    .replaceAll('平方', ' square ')
    .replaceAll('立方', ' cubic ')
    .replaceAll('每', ' / ')
    .replace(/[{}]/g, '')
    .replace(/⁻¹/g, '^-1')
    .replace(/⁻²/g, '^-2')
    .replace(/²/g, '^2')
    .replace(/³/g, '^3')
    .replace(/\^ ?(-?)(\d)/g, ' ^$1$2 ')
    .replace(/([\p{L}])([23])(?!\d)/gu, '$1 ^$2 ')
    .replace(/([\p{L}])\./gu, '$1 ')
    .replace(/(\p{L})-(?=\p{L})/gu, '$1 ')
    .replace(/[/÷]/g, ' / ')
    .replace(/[·*⋅×]/g, ' ');
  return spaced.split(/\s+/).filter((token) => token !== '');
}

/** The longest name that starts at `position`, and how many tokens it takes. */
function readName(tokens: string[], position: number): [UnitEntry, number] | null {
  for (let length = Math.min(LONGEST_NAME, tokens.length - position); length > 0; length--) {
    const entry = lookUpUnit(tokens.slice(position, position + length).join(' '));
    if (entry !== undefined) return [entry, length];
  }
  return null;
}

/** The exponent that a token like `^2` or `squared` gives; 0 for any other. */
function exponentOf(token: string | undefined): number {
  if (token === undefined) return 0;
  return token.startsWith('^') ? Number(token.slice(1)) || 0 : (after.get(token.toLowerCase()) ?? 0);
}

/** The factors; null when a word is unknown; `unknownDivisor` when only what follows the last `per` is unknown. */
function readFactors(tokens: string[]): { factors: Factor[]; unknownDivisor: boolean } | null {
  const factors: Factor[] = [];
  for (let position = 0; position < tokens.length;) {
    const divides = /^(?:\/|[Pp]er|an?)$/.test(tokens[position]);
    if (divides && (factors.length === 0 || position + 1 === tokens.length)) return null;
    if (divides) position++;
    const power = before.get(tokens[position].toLowerCase()) ?? 1;
    const name = readName(tokens, power > 1 ? position + 1 : position);
    // `meters in a week`: behind another unit it is no inch.
    if (name !== null && !divides && factors.length > 0 && tokens[position].toLowerCase() === 'in') return null;
    if (name === null)
      return divides && /^(?:\/|[Pp]er)$/.test(tokens[position - 1]) ? { factors, unknownDivisor: true } : null;
    position += name[1] + (power > 1 ? 1 : 0);
    const written = exponentOf(tokens[position]);
    if (written !== 0) position++;
    factors.push({ entry: name[0], exponent: (divides ? -1 : 1) * power * (written || 1) });
  }
  return factors.length > 0 ? { factors, unknownDivisor: false } : null;
}

function power(base: Rational, exponent: number): Rational {
  const value = {
    numerator: base.numerator ** BigInt(Math.abs(exponent)),
    denominator: base.denominator ** BigInt(Math.abs(exponent)),
  };
  return exponent < 0 ? divide(one, value) : value;
}

const withExponent = (name: string, exponent: number): string => (exponent === 1 ? name : `${name}^${exponent}`);

function nameDimension(factors: Factor[]): string | null {
  const exponents = new Map<string, number>();
  for (const { entry, exponent } of factors) {
    const dimension: Dimension | null = entry.dimension;
    if (dimension === null) return null;
    for (const [base, count] of dimension) exponents.set(base, (exponents.get(base) ?? 0) + count * exponent);
  }
  const parts = [...exponents].filter(([, exponent]) => exponent !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
  return parts.length === 0 ? null : parts.map(([base, exponent]) => withExponent(base, exponent)).join('·');
}

/**
 * The unit that a text names; null where it names none or holds a word that is no unit. TeX is already gone from the text.
 * A known unit per something unknown ("dollars per person") is a unit without dimension. Single letters taken: m s g h l L A V
 * W J N K Ω and the currency signs $ ¢ € £ ¥ ₹ ₩ ₽. Left out, since they mean something else more often: degrees and percent
 * (the tree has nodes for them), am and pm, t, d, C, F, B, and words that count things ("points", "people").
 */
export function readUnit(text: string): Unit | null {
  if (text.length > MAXIMUM_CHARACTERS) return null;
  const read = readFactors(tokenize(text));
  if (read === null) return null;
  const { factors, unknownDivisor } = read;
  if (factors.some(({ exponent }) => Math.abs(exponent) > MAXIMUM_EXPONENT)) return null;
  return {
    name: factors.map(({ entry, exponent }) => withExponent(entry.name, exponent)).join('·'),
    dimension: unknownDivisor ? null : nameDimension(factors),
    scale: factors.reduce((scale, { entry, exponent }) => multiply(scale, power(entry.scale, exponent)), one),
  };
}
