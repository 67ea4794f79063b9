/** Square roots with factors and denominators, sums with them, complex numbers. */
import fc from 'fast-check';
import { family } from './family';
import { fraction, type Fraction } from './rationals';

/** (numerator / denominator) · √radicand with a square-free radicand. */
interface Radical extends Fraction {
  radicand: number;
}

const SQUARE_FREE = [2, 3, 5, 6, 7, 10, 11, 13, 15, 21, 30, 97];

export function radicalForms({ numerator, denominator: d, radicand: r }: Radical): string[] {
  const n = Math.abs(numerator);
  const sign = numerator < 0 ? '-' : '';
  const head = n === 1 ? '' : String(n);
  const whole = [
    `${head}\\sqrt{${r}}`, `${head} \\sqrt{${r}}`, `${head === '' ? 1 : head}\\cdot\\sqrt{${r}}`, `\\sqrt{${n * n * r}}`, `${head}√${r}`, `${head}√(${r})`, `${head}sqrt(${r})`,
    `${n}*sqrt(${r})`, `${head}\\sqrt{${r}}`.replace(/\{(\d)\}$/, '$1'), `${n}\\cdot ${r}^{1/2}`, `${n} \\cdot ${r}^{\\frac{1}{2}}`, `\\sqrt{${r}}\\cdot ${n}`, `${n}\\cdot ${r}^{0.5}`,
    `\\frac{${n * r}}{\\sqrt{${r}}}`, `\\sqrt{${n * r}}\\cdot\\sqrt{${n}}`, `√${n * n * r}`, `sqrt(${n * n * r})`, `\\sqrt{${n}^2\\cdot ${r}}`, `\\sqrt[4]{${n ** 4 * r * r}}`,
  ]; // prettier-ignore
  if (d === 1) return whole.map((text) => sign + text);
  const texts = [
    `\\frac{${head}\\sqrt{${r}}}{${d}}`, `\\dfrac{${head}\\sqrt{${r}}}{${d}}`, `\\frac{${n}}{${d}}\\sqrt{${r}}`, `${head}\\sqrt{${r}}/${d}`, `\\frac{${n * r}}{${d}\\sqrt{${r}}}`,
    `\\sqrt{\\frac{${n * n * r}}{${d * d}}}`, `\\frac{\\sqrt{${n * n * r}}}{${d}}`, `\\frac{\\sqrt{${n * n * r}}}{\\sqrt{${d * d}}}`, `${head}√${r}/${d}`, `${n}*sqrt(${r})/${d}`,
    `(${head}sqrt(${r}))/${d}`, `\\frac{${n}}{${d}} \\cdot ${r}^{\\frac12}`, `\\frac{${2 * n}\\sqrt{${r}}}{${2 * d}}`, `sqrt(${n * n * r}/${d * d})`, `\\frac{${n}}{${d}}\\times\\sqrt{${r}}`,
  ]; // prettier-ignore
  return texts.map((text) => sign + text);
}

const radical = fc
  .tuple(fc.integer({ min: -12, max: 40 }).filter((n) => n !== 0), fc.integer({ min: 1, max: 15 }), fc.constantFrom(...SQUARE_FREE))
  .map(([n, d, radicand]): Radical => ({ ...fraction(n, d), radicand })); // prettier-ignore

const nearRadicals = (value: Radical): Radical[] => [
  { ...value, ...fraction(value.numerator + (value.numerator === -1 ? 2 : 1), value.denominator) },
  { ...value, ...fraction(value.numerator, value.denominator + 1) },
  { ...value, numerator: -value.numerator },
  { ...value, radicand: SQUARE_FREE[(SQUARE_FREE.indexOf(value.radicand) + 1) % SQUARE_FREE.length] },
];

export const radicals = family('radicals', {
  value: radical,
  forms: radicalForms,
  near: nearRadicals,
  wrong: ({ numerator: n, denominator: d, radicand: r }) => [
    `\\frac{${n * r}}{${d}}`,
    `\\frac{${n}\\sqrt{${r + 1}}}{${d}}`,
    `\\frac{${n}\\sqrt[3]{${r}}}{${d}}`,
  ],
});

/** rational + radical, from the quadratic formula as it were. */
interface Surd {
  rational: Fraction;
  root: Radical;
}

function surdForms({ rational, root }: Surd): string[] {
  const d = rational.denominator * root.denominator;
  const a = rational.numerator * root.denominator;
  const b = root.numerator * rational.denominator;
  const r = root.radicand;
  const size = Math.abs(b) === 1 ? '' : String(Math.abs(b));
  const term = `${size}\\sqrt{${r}}`;
  const plus = b < 0 ? '-' : '+';
  const norm = a * a - b * b * r;
  const minus = b < 0 ? '+' : '-';
  const texts = [
    `\\frac{${a}${plus}${term}}{${d}}`, `\\frac{${b < 0 ? '-' : ''}${term}+${a}}{${d}}`.replace('+-', '-'), `\\frac{1}{${d}}(${a}${plus}${term})`, `(${a} ${plus} ${size === '' ? '' : `${size}*`}sqrt(${r}))/${d}`,
    `\\frac{${-a}${minus}${term}}{${-d}}`, `\\frac{${a}}{${d}}${plus}\\frac{${term}}{${d}}`, `(${a}${plus}${size}√${r})/${d}`, `\\frac{${a}${plus}\\sqrt{${b * b * r}}}{${d}}`,
    `\\frac{${norm}}{${d}(${a}${minus}${term})}`,
  ]; // prettier-ignore
  if (d === 1) texts.push(`${a}${plus}${term}`, `${a} ${plus} ${term}`, `${a}${plus}\\sqrt{${b * b * r}}`);
  return texts;
}

export const surds = family('sums with roots', {
  value: fc.record({ rational: fc.integer({ min: -20, max: 20 }).map((n) => fraction(n, 1)), root: radical }),
  forms: surdForms,
  near: ({ rational, root }) => [
    ...nearRadicals(root).map((other) => ({ rational, root: other })),
    { rational: fraction(rational.numerator + rational.denominator, rational.denominator), root },
  ],
});

/** Parts are integers. */
interface Complex {
  real: number;
  imaginary: number;
}

/** `3i`, `i`, `-i`, with the sign of the second term in front where `plus`. */
function imaginaryTerm(b: number, unit: string, plus: boolean): string {
  const sign = b < 0 ? '-' : plus ? '+' : '';
  return `${sign}${Math.abs(b) === 1 ? '' : Math.abs(b)}${unit}`;
}

export function complexForms({ real: a, imaginary: b }: Complex): string[] {
  const tail = imaginaryTerm(b, 'i', true);
  const texts = [
    `${a}${tail}`, `${a} ${tail[0]} ${tail.slice(1)}`, `${imaginaryTerm(b, 'i', false)}${a < 0 ? '' : '+'}${a}`, `${a}${b < 0 ? '-' : '+'}i\\cdot ${Math.abs(b)}`,
    `${a}+(${b})i`, `(${a}${tail})`, `\\left(${a}${tail}\\right)`, `${a}${imaginaryTerm(b, '\\mathrm{i}', true)}`, `${a} ${b < 0 ? '-' : '+'} ${Math.abs(b)}*i`, `${a}${b < 0 ? '-' : '+'}${Math.abs(b)}\\sqrt{-1}`,
    `\\frac{${a - b}${imaginaryTerm(a + b, 'i', true)}}{1+i}`, `\\frac{${2 * a}${imaginaryTerm(2 * b, 'i', true)}}{2}`, `i(${b}${imaginaryTerm(-a, 'i', true)})`, `${a}+${b} \\cdot i`.replace('+-', '-'),
  ]; // prettier-ignore
  return a === 0 ? [...texts, imaginaryTerm(b, 'i', false), `${b}i`] : texts;
}

const part = fc.integer({ min: -30, max: 30 });

export const complexNumbers = family('complex numbers', {
  value: fc.record({ real: part, imaginary: part.filter((n) => n !== 0) }),
  forms: complexForms,
  near: ({ real, imaginary }) => [
    { real, imaginary: -imaginary },
    { real: real + 1, imaginary },
    ...(imaginary === -1 ? [] : [{ real, imaginary: imaginary + 1 }]),
    ...(real === imaginary || real === 0 ? [] : [{ real: imaginary, imaginary: real }]),
    ...(real === 0 ? [] : [{ real: -real, imaginary }]),
  ],
});
