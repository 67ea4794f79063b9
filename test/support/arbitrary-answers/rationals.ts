/** Fractions, mixed numbers, finite and repeating decimals, percents, ratios. */
import fc from 'fast-check';
import { family } from './family';
import { inWords } from './integers';

/** In lowest terms, the denominator positive. */
export interface Fraction {
  numerator: number;
  denominator: number;
}

const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));

export function fraction(numerator: number, denominator: number): Fraction {
  const divisor = gcd(numerator, denominator) * Math.sign(denominator);
  return { numerator: numerator / divisor + 0, denominator: denominator / divisor };
}

const same = (a: Fraction, b: Fraction): boolean => a.numerator * b.denominator === b.numerator * a.denominator;

/** The digits behind the point: those that come once and those that come again and again. */
export function expansion({ numerator, denominator }: Fraction): { whole: number; once: string; repetend: string } {
  const size = Math.abs(numerator);
  let rest = size % denominator;
  const seen = new Map<number, number>();
  let digits = '';
  while (rest !== 0 && !seen.has(rest)) {
    seen.set(rest, digits.length);
    rest *= 10;
    digits += String(Math.floor(rest / denominator));
    rest %= denominator;
  }
  const start = rest === 0 ? digits.length : seen.get(rest)!;
  return { whole: Math.floor(size / denominator), once: digits.slice(0, start), repetend: digits.slice(start) };
}

/** The decimal, where it ends; else null. */
export function finiteDecimal(value: Fraction): string | null {
  const { whole, once, repetend } = expansion(value);
  if (repetend !== '') return null;
  return `${value.numerator < 0 ? '-' : ''}${whole}${once === '' ? '' : `.${once}`}`;
}

function decimals(value: Fraction, sign: string): string[] {
  const { whole, once, repetend } = expansion(value);
  if (repetend === '') {
    const text = `${sign}${whole}.${once || '0'}`;
    return [text, `${text}0`, `${text}000`, text.replace(/^(-?)0\./, '$1.')];
  }
  if (repetend.length > 6) return [];
  const head = `${sign}${whole}.${once}`;
  return [`${head}\\overline{${repetend}}`, `${head}\\bar{${repetend}}`, `${head}(${repetend})`];
}

const VULGAR: Record<string, string> = {
  '1/2': '½',
  '1/3': '⅓',
  '2/3': '⅔',
  '1/4': '¼',
  '3/4': '¾',
  '1/5': '⅕',
  '5/6': '⅚',
  '7/8': '⅞',
};
const PARTS: Record<number, string> = {
  3: 'third',
  4: 'fourth',
  5: 'fifth',
  6: 'sixth',
  7: 'seventh',
  8: 'eighth',
  9: 'ninth',
  10: 'tenth',
};

function mixedForms(whole: number, n: number, d: number, sign: string): string[] {
  const texts = [`${sign}${whole}\\frac{${n}}{${d}}`, `${sign}${whole} \\frac{${n}}{${d}}`, `${sign}${whole}\\dfrac{${n}}{${d}}`, `${sign}${whole}\\tfrac{${n}}{${d}}`,
    `${sign}${whole} ${n}/${d}`, `${sign}${whole}\\,\\frac{${n}}{${d}}`, `${sign}${whole}+\\frac{${n}}{${d}}`.replace(/^-(.*)\+/, '-$1-'),
  ]; // prettier-ignore
  // `1\\ 149/199` may be 1149/199.
  if (n < 100) texts.push(`${sign}${whole}\\ ${n}/${d}`);
  if (n < 10 && d < 10) texts.push(`${sign}${whole}\\frac${n}${d}`, `${sign}${whole} \\frac ${n} ${d}`);
  const vulgar = (VULGAR as Record<string, string | undefined>)[`${n}/${d}`];
  if (vulgar !== undefined) texts.push(`${sign}${whole}${vulgar}`, `${sign}${whole} ${vulgar}`);
  return texts;
}

/** Every way to write it but percents, which also say a hundred times the value. */
export function fractionForms(value: Fraction): string[] {
  const { numerator, denominator: d } = value;
  const n = Math.abs(numerator);
  const sign = numerator < 0 ? '-' : '';
  const texts = [`${sign}\\frac{${n}}{${d}}`, `\\frac{${numerator}}{${d}}`, `${sign}\\dfrac{${n}}{${d}}`, `${sign}\\tfrac{${n}}{${d}}`, `${sign}\\cfrac{${n}}{${d}}`,
    `${numerator}/${d}`, `${numerator} / ${d}`, `(${numerator})/(${d})`, `{${numerator}}/{${d}}`, `{${numerator} \\over ${d}}`, `${sign}\\frac{${n * 3}}{${d * 3}}`,
    `\\frac{${-numerator}}{${-d}}`, `${sign}${n} \\div ${d}`, `${numerator}⁄${d}`, `\\left(\\frac{${numerator}}{${d}}\\right)`, `${sign}\\frac{\\text{${n}}}{\\text{${d}}}`,
    `${numerator}\\cdot ${d}^{-1}`, `${sign}\\frac 1 {${d}} \\cdot ${n}`, `\\frac{${d * 2 + numerator}}{${d}}-2`, ...decimals(value, sign)]; // prettier-ignore
  if (n < 10 && d < 10)
    texts.push(
      `${sign}\\frac${n}${d}`,
      `${sign}\\frac ${n} ${d}`,
      `${sign}\\frac{${n}}${d}`,
      `${sign}\\dfrac${n}{${d}}`,
    );
  if (n > d && d > 1) texts.push(...mixedForms(Math.floor(n / d), n % d, d, sign));
  const vulgar = (VULGAR as Record<string, string | undefined>)[`${n}/${d}`];
  if (vulgar !== undefined) texts.push(sign + vulgar);
  if (numerator > 1 && numerator < 100 && d in PARTS)
    texts.push(`${inWords(n)} ${PARTS[d]}s`, `\\text{${inWords(n)} ${PARTS[d]}s}`);
  return texts;
}

export const anyFraction = fc
  .tuple(
    fc.integer({ min: -400, max: 400 }),
    fc.oneof(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 2, max: 200 })),
  )
  .map(([n, d]) => fraction(n, d));

const neighbours = (value: Fraction): Fraction[] => {
  const { numerator: n, denominator: d } = value;
  const near = [fraction(n + 1, d), fraction(n - 1, d), fraction(n, d + 1), fraction(-n, d), fraction(n + d, d)];
  if (n !== 0) near.push(fraction(d, n));
  return near.filter((other) => !same(value, other));
};

export const rationals = family('fractions', { value: anyFraction, forms: fractionForms, near: neighbours });

/** Of a fraction of a hundred: the sign may be missing, and the value be written out. */
export const percents = family('percents', {
  value: fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.constantFrom(1, 2, 3, 4, 10)).map(([n, d]) => fraction(n, d)),
  forms: (value) => {
    const { numerator: n, denominator: d } = value;
    const texts = [`\\frac{${n}}{${d}}\\%`, `${n}/${d}\\%`, `\\dfrac{${n}}{${d}} \\%`];
    const decimal = finiteDecimal(value);
    if (decimal !== null)
      texts.push(
        `${decimal}\\%`,
        `${decimal}%`,
        `${decimal} \\%`,
        `${decimal} percent`,
        `${decimal}\\text{ percent}`,
        `${decimal}\\text{\\%}`,
        `${decimal}\\,\\%`,
        `${decimal} percentage`,
      );
    if (n > d && d > 1)
      texts.push(`${Math.floor(n / d)}\\frac{${n % d}}{${d}}\\%`, `${Math.floor(n / d)} ${n % d}/${d} \\%`);
    return texts;
  },
  near: (value) => neighbours(value).filter(({ numerator }) => numerator > 0),
  wrong: ({ numerator: n, denominator: d }) => [`\\frac{${n * 10}}{${d}}`, `\\frac{${n}}{${d * 10}}`],
});

/** The second part is one digit, since `4:30` may be a time. */
export const ratios = family('ratios', {
  value: fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 9 })).map(([a, b]) => fraction(a, b)),
  forms: ({ numerator: n, denominator: d }) => [
    `${n}:${d}`, `${n} : ${d}`, `${2 * n}:${2 * d}`, `${n}∶${d}`, `\\frac{${n}}{${d}}`, `${n}/${d}`, `${n}\\colon ${d}`, `\\dfrac{${n * 3}}{${d * 3}}`, `(${n}):(${d})`,
  ], // prettier-ignore
  near: (value) => neighbours(value).filter(({ numerator, denominator }) => numerator > 0 && denominator < 10),
});
