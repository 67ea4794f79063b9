/** Sets, lists, tuples, matrices, statements of several names, plus-minus. */
import fc from 'fast-check';
import { family, shuffled } from './family';
import { fraction, type Fraction } from './rationals';

/** An element: a fraction, with a root of 2 where `root`. */
interface Element extends Fraction {
  root: boolean;
}

const element = fc
  .tuple(fc.integer({ min: -20, max: 99 }), fc.constantFrom(1, 1, 1, 2, 3), fc.constantFrom(false, false, false, true))
  .map(([n, d, root]): Element => ({ ...fraction(n, d), root: root && n !== 0 }));

function write({ numerator, denominator, root }: Element): string {
  const sign = numerator < 0 ? '-' : '';
  const n = Math.abs(numerator);
  const top = root ? `${n === 1 ? '' : n}\\sqrt{2}` : String(n);
  return sign + (denominator === 1 ? top : `\\frac{${top}}{${denominator}}`);
}

/** The same in another way. */
const rewrite = ({ numerator, denominator, root }: Element): string =>
  root ? `\\frac{${numerator * 2}\\sqrt{2}}{${denominator * 2}}` : `${numerator}/${denominator}`;

const next = ({ numerator, denominator, root }: Element): Element => ({ ...fraction(numerator + 10_000 * denominator, denominator), root }); // prettier-ignore

const key = (item: Element): string => write(item);

const distinct = (min: number, max: number): fc.Arbitrary<Element[]> =>
  fc.uniqueArray(element, { minLength: min, maxLength: max, selector: key });

const replaced = <T>(items: readonly T[], at: number, item: T): T[] =>
  items.map((old, index) => (index === at ? item : old));

interface Unordered {
  items: Element[];
  seed: number;
}

const unordered = fc.record({ items: distinct(2, 5), seed: fc.nat(10_000) });

const otherItems = ({ items, seed }: Unordered): Unordered[] => [
  { items: replaced(items, seed % items.length, next(items[seed % items.length])), seed },
  { items: [...items, next(items[0])], seed },
  ...(items.length > 2 ? [{ items: items.slice(1), seed }] : []),
];

function orders({ items, seed }: Unordered): string[][] {
  return [
    items.map(write),
    shuffled(items, seed).map(write),
    shuffled(items, seed + 7).map(rewrite),
    [...items].reverse().map(write),
  ];
}

export const sets = family('finite sets', {
  value: unordered,
  forms: (value) =>
    orders(value).flatMap((items) => [
      `\\{${items.join(', ')}\\}`, `\\{${items.join(',')}\\}`, `\\left\\{${items.join(', ')}\\right\\}`, `\\{ ${items.join(' , ')} \\}`, `\\lbrace ${items.join(', ')} \\rbrace`,
      `\\{${items.join(', ')}, ${items[0]}\\}`,
    ]), // prettier-ignore
  near: otherItems,
});

export const lists = family('lists', {
  value: unordered,
  forms: (value) =>
    orders(value).flatMap((items) => {
      const [head, last] = [items.slice(0, -1).join(', '), items[items.length - 1]];
      return [
        items.join(', '), items.join(' , '), items.join('; '), `${head} and ${last}`, `${head} \\text{ and } ${last}`, `${head}, ${last}`, `${head}, \\text{ and } ${last}`,
        `${head},\\, ${last}`, `${head},\\ ${last}`, `${head}\\text{ or }${last}`, items.map((item) => `x = ${item}`).join(', '), items.map((item) => `x=${item}`).join('\\text{ or }'),
        `x = ${items.join(', ')}`, items.join(',\\quad '), items.join('、'),
      ]; // prettier-ignore
    }),
  near: otherItems,
});

interface Ordered {
  items: Element[];
}

const ordered = fc.record({ items: distinct(2, 4) });

const nearOrdered = ({ items }: Ordered): Ordered[] => [
  { items: [items[1], items[0], ...items.slice(2)] },
  { items: replaced(items, 0, next(items[0])) },
  { items: replaced(items, items.length - 1, next(items[items.length - 1])) },
  { items: [...items, items[0]] },
];

export const tuples = family('tuples', {
  value: ordered,
  forms: ({ items }) => {
    const names = ['x', 'y', 'z', 'w'].slice(0, items.length);
    const [texts, others] = [items.map(write), items.map(rewrite)];
    const forms = [texts, others].flatMap((parts) => [
      `(${parts.join(', ')})`, `(${parts.join(',')})`, `\\left(${parts.join(', ')}\\right)`, `( ${parts.join(' , ')} )`, `\\bigl(${parts.join(', ')}\\bigr)`, `(${parts.join(',\\ ')})`,
      `\\left( ${parts.join(' ,\\, ')} \\right)`,
    ]); // prettier-ignore
    if (items.length < 4)
      forms.push(`(${names.join(',')}) = (${texts.join(', ')})`, `(${names.join(', ')})=(${others.join(',')})`);
    return forms;
  },
  near: nearOrdered,
  wrong: ({ items }) => [`\\{${items.map(write).join(', ')}\\}`],
});

export const assignments = family('values of several names', {
  value: fc.record({ items: distinct(2, 3) }),
  forms: ({ items }) => {
    const names = ['x', 'y', 'z', 'w'];
    const [texts, others] = [items.map(write), items.map(rewrite)];
    const stated = texts.map((text, at) => `${names[at]} = ${text}`);
    const again = others.map((text, at) => `${names[at]}=${text}`);
    const [head, last] = [stated.slice(0, -1).join(', '), stated[stated.length - 1]];
    return [
      stated.join(', '), again.join(', '), again.join(','), [...stated].reverse().join(', '), `${head} \\text{ and } ${last}`, `${head}, ${last}`, `${head} and ${last}`, stated.join('; '), stated.join(',\\quad '),
      `(${texts.join(', ')})`, `(${others.join(',')})`, `(${names.slice(0, items.length).join(',')}) = (${texts.join(',')})`, `\\begin{cases} ${stated.join(' \\\\ ')} \\end{cases}`,
      texts.map((text, at) => `${text} = ${names[at]}`).join(', '),
    ]; // prettier-ignore
  },
  near: nearOrdered,
  wrong: ({ items }) => [items.map((item, at) => `${['y', 'x', 'z'][at]} = ${write(item)}`).join(', ')],
});

interface Matrix {
  rows: number[][];
}

function matrixForms({ rows }: Matrix): string[] {
  const body = rows.map((row) => row.join(' & ')).join(' \\\\ ');
  const tight = rows.map((row) => row.join('&')).join('\\\\');
  const halves = rows.map((row) => row.map((n) => `\\frac{${2 * n}}{2}`).join(' & ')).join(' \\\\ ');
  const environments = ['pmatrix', 'bmatrix', 'matrix'].flatMap((name) => [
    `\\begin{${name}} ${body} \\end{${name}}`, `\\begin{${name}}${tight}\\end{${name}}`, `\\begin{${name}} ${body} \\\\ \\end{${name}}`, `\\begin{${name}}\n${body}\n\\end{${name}}`,
  ]); // prettier-ignore
  const columns = 'c'.repeat(rows[0].length);
  return [
    ...environments, `\\left(\\begin{array}{${columns}} ${body} \\end{array}\\right)`, `\\left[\\begin{array}{${columns}}${tight}\\end{array}\\right]`, `\\begin{pmatrix} ${halves} \\end{pmatrix}`,
    `[${rows.map((row) => `[${row.join(', ')}]`).join(', ')}]`, `[${rows.map((row) => `[${row.join(',')}]`).join(',')}]`, `\\left(\\begin{matrix} ${body} \\end{matrix}\\right)`, `-\\begin{pmatrix} ${rows.map((row) => row.map((n) => -n).join(' & ')).join(' \\\\ ')} \\end{pmatrix}`,
  ]; // prettier-ignore
}

export const matrices = family('matrices', {
  value: fc
    .tuple(fc.integer({ min: 2, max: 3 }), fc.integer({ min: 2, max: 3 }))
    .chain(([height, width]) =>
      fc.array(fc.array(fc.integer({ min: -9, max: 20 }), { minLength: width, maxLength: width }), {
        minLength: height,
        maxLength: height,
      }),
    )
    .map((rows): Matrix => ({ rows })),
  forms: matrixForms,
  near: ({ rows }) => {
    const first = rows[0];
    const near: Matrix[] = [
      { rows: replaced(rows, 0, replaced(first, 0, first[0] + 1)) },
      {
        rows: replaced(
          rows,
          rows.length - 1,
          rows[rows.length - 1].map((n) => n - 1),
        ),
      },
      { rows: [...rows, first] },
    ];
    if (rows.length !== first.length || rows[0][1] !== rows[1][0])
      near.push({ rows: first.map((_, column) => rows.map((row) => row[column])) });
    return near;
  },
});

/** center ± radius, the radius a whole multiple of a root. */
interface PlusMinus {
  center: number;
  factor: number;
  radicand: number;
}

export const plusMinus = family('plus-minus', {
  value: fc.record({
    center: fc.integer({ min: -20, max: 20 }).filter((n) => n !== 0),
    factor: fc.integer({ min: 1, max: 9 }),
    radicand: fc.constantFrom(1, 2, 3, 5, 19),
  }),
  forms: ({ center, factor, radicand }: PlusMinus) => {
    const radius = radicand === 1 ? String(factor) : `${factor === 1 ? '' : factor}\\sqrt{${radicand}}`;
    return [
      `${center} \\pm ${radius}`, `${center}±${radius}`, `${center}\\pm${radius.startsWith('\\') ? radius : ` ${radius}`}`, `${center}+${radius}, ${center}-${radius}`, `${center}-${radius}, ${center}+${radius}`,
      `${center} + ${radius} \\text{ and } ${center} - ${radius}`, `${center}+${radius} \\text{ or } ${center}-${radius}`, `x = ${center} \\pm ${radius}`, `x=${center}+${radius}, x=${center}-${radius}`,
      `x = ${center} - ${radius} \\text{ or } x = ${center} + ${radius}`, `\\frac{${2 * center} \\pm ${2 * factor}\\sqrt{${radicand}}}{2}`, `${center} \\pm \\sqrt{${factor * factor * radicand}}`, `${center} +- ${radius}`,
      `${center} \\mp ${radius}`,
    ]; // prettier-ignore
  },
  near: (value) => [
    { ...value, center: value.center === -1 ? 1 : value.center + 1 },
    { ...value, factor: value.factor + 1 },
    { ...value, center: -value.center },
  ],
  wrong: ({ center, factor, radicand }) => [
    `${center}+${factor}\\sqrt{${radicand}}`,
    `${center}-${factor}\\sqrt{${radicand}}`,
  ],
});
