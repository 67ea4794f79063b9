/** Polynomials in one symbol and products of sums in two: expanded, factored, reordered, after Horner. */
import fc from 'fast-check';
import { family, shuffled } from './family';

interface Polynomial {
  symbol: string;
  /** From the constant term up; the last is not 0. */
  coefficients: number[];
  seed: number;
}

/** `3x^2` with its sign; the sign of the first term only where it is negative. */
function term(coefficient: number, monomial: string, first: boolean): string {
  const sign = coefficient < 0 ? '-' : first ? '' : '+';
  const size = Math.abs(coefficient);
  return sign + (size === 1 && monomial !== '' ? '' : String(size)) + monomial;
}

type Powers = (power: number) => string;

const texPower =
  (symbol: string): Powers =>
  (power) =>
    power === 0 ? '' : power === 1 ? symbol : `${symbol}^${power}`;
const braced =
  (symbol: string): Powers =>
  (power) =>
    power === 0 ? '' : power === 1 ? symbol : `${symbol}^{${power}}`;
const superscript =
  (symbol: string): Powers =>
  (power) =>
    power === 0 ? '' : symbol + ['', '', '²', '³', '⁴', '⁵'][power];
const repeated =
  (symbol: string): Powers =>
  (power) =>
    Array<string>(power).fill(symbol).join('\\cdot ');

/** Signed terms in some order, those that are 0 left out. */
function terms(coefficients: readonly number[], order: readonly number[], powers: Powers, times = ''): string[] {
  const present = order.filter((power) => coefficients[power] !== 0);
  if (present.length === 0) return ['0'];
  return present.map((power, at) => {
    const written = term(coefficients[power], powers(power), at === 0);
    return times === '' ? written : written.replace(/(\d)(?=[a-z])/, `$1${times}`);
  });
}

const sum = (coefficients: readonly number[], order: readonly number[], powers: Powers): string =>
  terms(coefficients, order, powers).join('');

/** `3*x^2 - x + 1` */
const plain = (coefficients: readonly number[], order: readonly number[], symbol: string): string =>
  terms(coefficients, order, texPower(symbol), '*').map((text, at) => (at === 0 ? text : ` ${text[0]} ${text.slice(1)}`)).join(''); // prettier-ignore

function horner(coefficients: readonly number[], symbol: string): string {
  const top = coefficients.length - 1;
  let text = term(coefficients[top], symbol, true) + (top === 0 ? '' : term(coefficients[top - 1], '', false));
  for (const coefficient of coefficients.slice(0, -2).reverse())
    text = `${symbol}(${text})${term(coefficient, '', false)}`;
  return text;
}

function forms({ symbol, coefficients, seed }: Polynomial): string[] {
  const falling = coefficients.map((_, power) => power).reverse();
  const mixed = shuffled(falling, seed);
  const negated = coefficients.map((coefficient) => -coefficient);
  const doubled = coefficients.map((coefficient) => 2 * coefficient);
  const expanded = sum(coefficients, falling, texPower(symbol));
  const texts = [
    expanded, sum(coefficients, falling, braced(symbol)), sum(coefficients, [...falling].reverse(), texPower(symbol)), sum(coefficients, mixed, braced(symbol)),
    sum(coefficients, falling, superscript(symbol)), plain(coefficients, falling, symbol), sum(coefficients, mixed, repeated(symbol)), horner(coefficients, symbol),
    `-(${sum(negated, mixed, texPower(symbol))})`, `\\frac{${sum(doubled, falling, texPower(symbol))}}{2}`, `\\left(${expanded}\\right)`, `(${expanded})^1`,
    `${expanded}+${symbol}-${symbol}`, `\\frac{\\left(${expanded}\\right)\\cdot ${symbol}}{${symbol}}`, expanded.replace(/(?<=.)[+-]/g, ' $& '),
  ]; // prettier-ignore
  return texts;
}

const symbols = fc.constantFrom<string[]>('x', 'x', 'x', 'y', 't', 'n', 'b', 'k', 'm', 'z', 'r');
const coefficient = fc.integer({ min: -12, max: 12 });

const changed = (polynomial: Polynomial, power: number, by: number): Polynomial => ({
  ...polynomial,
  coefficients: polynomial.coefficients.map((value, at) => (at === power ? value + by : value)),
});

export const polynomials = family('polynomials', {
  value: fc.record({
    symbol: symbols,
    coefficients: fc
      .tuple(
        fc.array(coefficient, { minLength: 1, maxLength: 4 }),
        coefficient.filter((n) => n !== 0),
      )
      .map(([lower, top]) => [...lower, top]),
    seed: fc.nat(1_000),
  }),
  forms,
  near: (value) => [
    ...value.coefficients
      .flatMap((_, power) => [changed(value, power, 1), changed(value, power, -2)])
      .filter(({ coefficients }) => coefficients.at(-1) !== 0),
    { ...value, symbol: value.symbol === 'x' ? 'y' : 'x' },
  ],
});

interface Factored {
  symbol: string;
  scale: number;
  roots: number[];
  seed: number;
}

function expand({ scale, roots }: Factored): number[] {
  let coefficients = [scale];
  for (const root of roots) {
    const next = [0, ...coefficients];
    coefficients.forEach((value, power) => (next[power] -= root * value));
    coefficients = next;
  }
  return coefficients;
}

function factoredForms(value: Factored): string[] {
  const { symbol, scale, roots, seed } = value;
  const factor = (root: number): string => (root === 0 ? symbol : `${symbol}${root < 0 ? '+' : '-'}${Math.abs(root)}`);
  const turned = (root: number): string => `${root}-${symbol}`;
  const order = shuffled(roots, seed);
  const head = scale === 1 ? '' : scale === -1 ? '-' : String(scale);
  const texts = [
    head + order.map((root) => `(${factor(root)})`).join(''), head + order.map((root) => `\\left(${factor(root)}\\right)`).join(''), head + roots.map((root) => `(${factor(root)})`).join('\\cdot '),
    `${scale}*${order.map((root) => `(${factor(root)})`).join('*')}`, `${scale * (-1) ** roots.length}${order.map((root) => `(${turned(root)})`).join('')}`,
    `${order.map((root) => `(${factor(root)})`).join(' ')} \\cdot ${scale < 0 ? `(${scale})` : scale}`,
  ]; // prettier-ignore
  const [first] = roots;
  if (roots.every((root) => root === first))
    texts.push(`${head}(${factor(first)})^${roots.length}`, `${head}(${factor(first)})^{${roots.length}}`);
  return [...texts, ...forms({ symbol, coefficients: expand(value), seed })];
}

export const factored = family('factored polynomials', {
  value: fc.record({
    symbol: symbols,
    scale: fc.integer({ min: -6, max: 9 }).filter((n) => n !== 0),
    roots: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 4 }),
    seed: fc.nat(1_000),
  }),
  forms: factoredForms,
  near: (value) => [
    { ...value, scale: value.scale === -1 ? 1 : value.scale + 1 },
    { ...value, roots: [value.roots[0] + 1, ...value.roots.slice(1)] },
    { ...value, roots: [...value.roots, value.roots[0]] },
    { ...value, scale: -value.scale },
  ],
});

/** (ax + by)(cx + dy) */
interface TwoSymbols {
  a: number;
  b: number;
  c: number;
  d: number;
}

const linear = (a: number, b: number): string => {
  const first = a === 0 ? '' : term(a, 'x', true);
  return b === 0 && first !== '' ? first : first + term(b, 'y', first === '');
};

export const twoSymbols = family('products in two symbols', {
  value: fc
    .record({ a: coefficient, b: coefficient, c: coefficient, d: coefficient })
    .filter(({ a, b, c, d }) => a !== 0 && b !== 0 && c !== 0 && d !== 0),
  forms: ({ a, b, c, d }: TwoSymbols) => {
    const [xx, xy, yy] = [a * c, a * d + b * c, b * d];
    const middle = xy === 0 ? '' : term(xy, 'xy', false);
    const turned = xy === 0 ? '' : term(xy, 'yx', false);
    return [
      `(${linear(a, b)})(${linear(c, d)})`, `(${linear(c, d)})(${linear(a, b)})`, `\\left(${linear(a, b)}\\right)\\cdot\\left(${linear(c, d)}\\right)`, `${term(xx, 'x^2', true)}${middle}${term(yy, 'y^2', false)}`,
      `${term(yy, 'y^2', true)}${turned}${term(xx, 'x^2', false)}`, `${term(xx, 'x²', true)}${middle}${term(yy, 'y²', false)}`, `${term(a, 'x', true)}(${linear(c, d)})${term(b, 'y', false)}(${linear(c, d)})`,
    ]; // prettier-ignore
  },
  near: ({ a, b, c, d }) =>
    [
      { a: a + 1, b, c, d },
      { a, b, c, d: d - 1 },
      { a, b: -b, c, d },
      { a: -a, b: -b, c, d },
    ].filter((near) => [near.a, near.d].every((n) => n !== 0)),
});
