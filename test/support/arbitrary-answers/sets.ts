/** Sets of real numbers: intervals, inequalities, memberships and set-builders. */
import fc from 'fast-check';
import { family } from './family';
import { fraction, type Fraction } from './rationals';

/** An interval; an end of null is infinite. */
interface Interval {
  symbol: string;
  lower: Fraction | null;
  upper: Fraction | null;
  lowerClosed: boolean;
  upperClosed: boolean;
}

const write = ({ numerator, denominator }: Fraction): string =>
  denominator === 1 ? String(numerator) : `${numerator < 0 ? '-' : ''}\\frac{${Math.abs(numerator)}}{${denominator}}`;

const negate = ({ numerator, denominator }: Fraction): Fraction => fraction(-numerator, denominator);

/** The bounds as inequalities in one symbol. */
function inequalities({ symbol: x, lower, upper, lowerClosed, upperClosed }: Interval): string[] {
  const [less, more] = [lowerClosed ? '\\le' : '<', lowerClosed ? '\\ge' : '>'];
  const [below, above] = [upperClosed ? '\\le' : '<', upperClosed ? '\\ge' : '>'];
  const long = (sign: string): string => sign.replace('\\le', '\\leq').replace('\\ge', '\\geq');
  const ascii = (sign: string): string => sign.replace('\\le', '<=').replace('\\ge', '>=');
  const unicode = (sign: string): string => sign.replace('\\le', '≤').replace('\\ge', '≥');
  if (lower && upper) {
    const [a, b] = [write(lower), write(upper)];
    return [
      `${a} ${less} ${x} ${below} ${b}`, `${b} ${above} ${x} ${more} ${a}`, `${a}${long(less)} ${x}${long(below)} ${b}`, `${a} ${ascii(less)} ${x} ${ascii(below)} ${b}`, `${a}${unicode(less)}${x}${unicode(below)}${b}`,
      `${x} ${more} ${a} \\text{ and } ${x} ${below} ${b}`, `${x} ${below} ${b}, ${x} ${more} ${a}`, `${write(negate(upper))} ${below} -${x} ${less} ${write(negate(lower))}`,
    ]; // prettier-ignore
  }
  const [end, sign, turned] = lower ? [lower, more, less] : [upper!, below, above];
  const a = write(end);
  const texts = [
    `${x} ${sign} ${a}`,
    `${a} ${turned} ${x}`,
    `${x}${long(sign)} ${a}`,
    `${x} ${ascii(sign)} ${a}`,
    `${x}${unicode(sign)}${a}`,
    `-${x} ${turned} ${write(negate(end))}`,
    `2${x} ${sign} ${write(fraction(2 * end.numerator, end.denominator))}`,
  ];
  if (end.numerator !== 0) texts.push(`${x} - ${end.numerator < 0 ? `(${a})` : a} ${sign} 0`);
  return texts;
}

function brackets({ lower, upper, lowerClosed, upperClosed }: Interval): string[] {
  const [open, close] = [lowerClosed ? '[' : '(', upperClosed ? ']' : ')'];
  const [a, b] = [lower ? write(lower) : '-\\infty', upper ? write(upper) : '\\infty'];
  const texts = [
    `${open}${a},${b}${close}`,
    `${open}${a}, ${b}${close}`,
    `\\left${open}${a}, ${b}\\right${close}`,
    `\\left${open} ${a} , ${b} \\right${close}`,
    `\\big${open}${a},${b}\\big${close}`,
  ];
  if (!lower) texts.push(`${open}-∞, ${b}${close}`);
  if (!upper) texts.push(`${open}${a}, +\\infty${close}`, `${open}${a}, ∞${close}`, `${open}${a}, infinity${close}`);
  return texts;
}

function intervalForms(value: Interval): string[] {
  const texts = inequalities(value);
  const [condition, turned] = texts;
  const [plain, spaced] = brackets(value);
  const { symbol: x } = value;
  return [
    ...texts, ...brackets(value), `${x} \\in ${plain}`, `${x}\\in${spaced}`, `${x} ∈ ${spaced}`, `\\{${x} \\mid ${condition}\\}`, `\\{ ${x} : ${condition} \\}`, `\\left\\{${x} \\in \\mathbb{R} \\mid ${condition}\\right\\}`,
    `\\{${x} | ${turned}\\}`, `\\{${x} \\in \\mathbb{R} : ${turned}\\}`,
  ]; // prettier-ignore
}

const end = fc
  .tuple(fc.integer({ min: -40, max: 40 }), fc.constantFrom(1, 1, 1, 2, 3, 7))
  .map(([n, d]) => fraction(n, d));

const interval = fc
  .record({
    symbol: fc.constantFrom('x', 'x', 't', 'm'),
    ends: fc.tuple(end, fc.integer({ min: 1, max: 20 })),
    kind: fc.nat(3),
    lowerClosed: fc.boolean(),
    upperClosed: fc.boolean(),
  })
  .map(({ symbol, ends: [from, width], kind, lowerClosed, upperClosed }): Interval => {
    const lower = kind === 1 ? null : from;
    const upper = kind === 2 ? null : fraction(from.numerator + width * from.denominator, from.denominator);
    return {
      symbol,
      lower,
      upper,
      lowerClosed: lower !== null && lowerClosed,
      upperClosed: upper !== null && upperClosed,
    };
  });

const beside = (value: Fraction): Fraction => fraction(value.numerator * 3 + 1, value.denominator * 3);

const nearIntervals = (value: Interval): Interval[] => {
  const { lower, upper, lowerClosed, upperClosed } = value;
  const near: Interval[] = [];
  if (lower) near.push({ ...value, lowerClosed: !lowerClosed }, { ...value, lower: beside(lower) });
  if (upper) near.push({ ...value, upperClosed: !upperClosed }, { ...value, upper: beside(upper) });
  if (lower && upper)
    near.push({ ...value, lower: null, lowerClosed: false }, { ...value, upper: null, upperClosed: false });
  else if (lower) near.push({ ...value, lower: null, lowerClosed: false, upper: lower, upperClosed: lowerClosed });
  else near.push({ ...value, upper: null, upperClosed: false, lower: upper, lowerClosed: upperClosed });
  return near;
};

export const intervals = family('intervals', { value: interval, forms: intervalForms, near: nearIntervals });

/** Everything but what lies between two ends, or but one point where the ends are the same. */
interface Outside {
  lower: number;
  upper: number;
  lowerClosed: boolean;
  upperClosed: boolean;
}

function outsideForms({ lower, upper, lowerClosed, upperClosed }: Outside): string[] {
  const [below, above] = [lowerClosed ? '\\le' : '<', upperClosed ? '\\ge' : '>'];
  const [close, open] = [lowerClosed ? ']' : ')', upperClosed ? '[' : '('];
  const texts = [
    `(-\\infty, ${lower}${close} \\cup ${open}${upper}, \\infty)`, `\\left(-\\infty,${lower}\\right${close}\\cup\\left${open}${upper},+\\infty\\right)`, `x ${below} ${lower} \\text{ or } x ${above} ${upper}`,
    `x ${above} ${upper} \\text{ or } x ${below} ${lower}`, `${open}${upper}, \\infty) \\cup (-\\infty, ${lower}${close}`, `x \\in (-\\infty, ${lower}${close} \\cup ${open}${upper}, \\infty)`,
    `\\{x \\mid x ${below} ${lower} \\text{ or } x ${above} ${upper}\\}`,
  ]; // prettier-ignore
  if (lower === upper)
    texts.push(
      `x \\ne ${lower}`,
      `x \\neq ${lower}`,
      `\\mathbb{R} \\setminus \\{${lower}\\}`,
      `\\{x \\mid x \\ne ${lower}\\}`,
      `x \\in \\mathbb{R} \\setminus \\{${lower}\\}`,
      `x≠${lower}`,
    );
  return texts;
}

export const outsides = family('unions of two half-lines', {
  value: fc
    .record({
      lower: fc.integer({ min: -20, max: 20 }),
      width: fc.nat(9),
      lowerClosed: fc.boolean(),
      upperClosed: fc.boolean(),
    })
    .map(({ lower, width, lowerClosed, upperClosed }): Outside => ({
      lower,
      upper: lower + width,
      lowerClosed: width > 0 && lowerClosed,
      upperClosed: width > 0 && upperClosed,
    })),
  forms: outsideForms,
  near: (value) => {
    const near = [
      { ...value, lower: value.lower - 1 },
      { ...value, upper: value.upper + 1 },
    ];
    if (value.lower < value.upper)
      near.push({ ...value, lowerClosed: !value.lowerClosed }, { ...value, upperClosed: !value.upperClosed });
    return near;
  },
});
