/**
 * Answers that say nothing or everything: identities over every function, tautologies and contradictions, sets of all and of no
 * numbers, constants set in relation, lists of options. Each may equal its like; none may equal two golds that differ.
 */
import fc from 'fast-check';

const pick = fc.constantFrom;

const variable = pick('x', 'y', 't', 'n', '\\theta', 'a', 'k');

const functions = [
  '\\sin', '\\cos', '\\tan', '\\cot', '\\sec', '\\csc', '\\arcsin', '\\arccos', '\\arctan', '\\sinh', '\\cosh', '\\tanh', '\\ln', '\\log', '\\exp', '\\log_2', 'f',
]; // prettier-ignore

/** Both sides of identities in v; some hold for positive v alone, or where both sides have a value. */
const identities: readonly ((v: string, c: number) => readonly [string, string])[] = [
  ...functions.map((f) => (v: string) => [`${f}(${v})`, `${f}(${v})`] as const),
  (v) => [v, v],
  (v, c) => [`${c}${v}`, `${v}+${c - 1}${v}`],
  (v, c) => [`\\sqrt{${c}}${v}`, `\\sqrt{${c}}${v}`],
  (v) => [`\\sin^2${v}+\\cos^2${v}`, '1'],
  (v) => [`1+\\tan^2(${v})`, `\\sec^2(${v})`],
  (v) => [`\\cosh^2(${v})-\\sinh^2(${v})`, '1'],
  (v) => [`\\tan(${v})\\cot(${v})`, '1'],
  (v) => [`\\sin(2${v})`, `2\\sin(${v})\\cos(${v})`],
  (v) => [`\\arcsin(${v})+\\arccos(${v})`, '\\frac{\\pi}{2}'],
  (v) => [`e^${v}e^{-${v}}`, '1'],
  (v) => [`\\ln(e^{${v}})`, v],
  (v) => [`e^{\\ln ${v}}`, v],
  (v) => [`2^{${v}+1}`, `2\\cdot 2^{${v}}`],
  (v) => [`\\log_{${v}}(${v})`, '1'],
  (v) => [`\\sqrt{${v}^2}`, v],
  (v) => [`\\sqrt{${v}^2}`, `|${v}|`],
  (v) => [`|${v}|`, `|-${v}|`],
  (v) => [`${v}^0`, '1'],
  (v) => [`\\frac{${v}}{${v}}`, '1'],
  (v) => [`0\\cdot ${v}`, '0'],
  (v, c) => [`(${v}+${c})^2`, `${v}^2+${2 * c}${v}+${c * c}`],
  (v) => [`(${v}+1)(${v}-1)`, `${v}^2-1`],
  (v) => [`\\frac{1}{${v}}-\\frac{1}{${v}+1}`, `\\frac{1}{${v}(${v}+1)}`],
  (v) => [`${v}!`, `${v}(${v}-1)!`],
  (v) => [`\\binom{${v}}{0}`, '1'],
  (v) => [`\\binom{${v}}{1}`, v],
  (v) => [`\\lfloor ${v}\\rfloor`, `-\\lceil -${v}\\rceil`],
  (v) => [`\\max(${v},${v})`, v],
  (v) => [`\\gcd(${v},${v})`, v],
  (v) => [`\\sum_{i=1}^{3}${v}`, `3${v}`],
  (v) => [`(${v}+y)^2-${v}^2-y^2`, `2${v}y`],
  (v) => [`\\frac{1}{${v}-${v}}`, `\\frac{1}{0}`],
  (v) => [`\\sqrt{-${v}^2-1}`, `\\sqrt{-${v}^2-1}`],
  (v, c) => [v, `${v}+${c}`],
  (v, c) => [`${c}\\binom{e}{e^${v}}`, `${c}\\binom{e}{e^${v}}`],
];

const operators = ['=', '\\le', '\\ge', '<', '>', '\\ne', '\\approx', '\\equiv'];

const identity = fc
  .tuple(variable, fc.integer({ min: 2, max: 9 }), fc.nat(identities.length - 1))
  .map(([v, c, which]) => ({ v, sides: identities[which](v, c) }));

/** A relation, its variable beside it. */
const relation = fc.tuple(identity, fc.nat(operators.length - 1), fc.boolean()).map(
  ([
    {
      v,
      sides: [left, right],
    },
    operator,
    turned,
  ]) => ({
    v,
    text: turned ? `${right}${operators[operator]} ${left}` : `${left}${operators[operator]} ${right}`,
  }),
);

const inSets: readonly ((v: string, condition: string) => string)[] = [
  (_, condition) => condition,
  (v, condition) => `\\{${v}\\mid ${condition}\\}`,
  (v, condition) => `\\{${v}: ${condition}\\}`,
  (v, condition) => `\\{${v}\\in\\mathbb{R}\\mid ${condition}\\}`,
  (v, condition) => `\\{${v}\\in\\mathbb{C}\\mid ${condition}\\}`,
  (v, condition) => `\\{${v}\\in\\mathbb{Z}\\mid ${condition}\\}`,
  (v, condition) => `${v}\\in\\{${v}\\mid ${condition}\\}`,
  (v, condition) => `${v}=\\{${v}\\mid ${condition}\\}`,
  (v, condition) => `\\{${v}^2\\mid ${condition}\\}`,
  (v, condition) => `\\{(${v},y)\\mid ${condition}\\}`,
  (_, condition) => `${condition}, ${condition}`,
  (_, condition) => `${condition} \\text{ or } ${condition}`,
  (v, condition) => `${condition} \\text{ for all } ${v}`,
];

const conditions = fc.tuple(relation, fc.nat(inSets.length - 1)).map(([{ v, text }, which]) => inSets[which](v, text));

/** Sides of relations between constants. */
const constant = fc.oneof(
  pick('0', '1', '2', '3', '5', '7', '10', '-1', '\\pi', 'e', 'i', '\\sqrt2', '\\frac12', '0.5', '2+3', '|2+3|'),
  pick(
    '\\infty',
    '\\frac{1}{\\infty}',
    '\\frac00',
    '\\infty-\\infty',
    '0^0',
    '\\emptyset',
    '\\mathbb{R}',
    '\\{\\}',
    'A',
  ),
  fc.integer({ min: -99, max: 999 }).map(String),
);
const between = ['=', '<', '>', '\\le', '\\ge', '\\ne', '\\in', '\\notin', '\\subset', '\\subseteq', '\\approx', '\\equiv', ':', '|', '\\sim', '\\pm', '\\perp', '\\parallel', '\\to', '\\cup', '\\cap', '\\setminus', '\\mod']; // prettier-ignore
const constants = fc
  .tuple(fc.array(fc.tuple(constant, pick(...between)), { minLength: 1, maxLength: 4 }), constant)
  .map(([parts, last]) => parts.map(([side, operator]) => `${side}${operator} `).join('') + last);

const everything = pick(
  '\\mathbb{R}', '\\mathbb{C}', '(-\\infty,\\infty)', 'x\\in\\mathbb{R}', '-\\infty<x<\\infty', 'x<\\infty', '\\{x\\mid x\\in\\mathbb{R}\\}', '\\emptyset', '\\{\\}', '\\varnothing', 'x\\in\\emptyset', '\\mathbb{R}\\setminus\\emptyset',
  '\\mathbb{R}\\cup\\emptyset', '\\text{all real numbers}', '\\text{anything}', '\\text{any answer}', '\\text{all of the above}', '\\text{the correct answer}', '\\text{true}', '\\text{yes or no}', 'x', '\\forall x', '\\exists x', '?', '\\Box',
  '\\infty', '\\pm\\infty', '\\frac{0}{0}', '\\frac{x}{x-x}', '\\lim_{x\\to 0}x', '\\int f(x)\\,dx', '\\sum_{k=1}^{\\infty}0', '\\ldots', '1,2,\\ldots', '1,2,3,\\ldots,n', '\\cdots', '\\{1,2,\\ldots\\}', '[-\\infty,\\infty]', '0\\cdot\\infty',
); // prettier-ignore

const options = fc.oneof(
  fc.tuple(fc.integer({ min: 2, max: 5 }), pick(',', ', ', ' ', '=', ' or ', ' and ', '/', '|', ':', '\\ ', ';', '\\sim ', '\\text{ or }', '')).map(([count, separator]) => Array.from('ABCDE').slice(0, count).join(separator)), // prettier-ignore
  fc.tuple(fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 2, maxLength: 6 }), pick(',', ', ', ' ', '=', ' or ', '|', ':', ';', '\\sim ', '..', ' to ', '\\pm ', '/')).map(([numbers, separator]) => numbers.join(separator)), // prettier-ignore
);

export const attacks: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: conditions },
  { weight: 3, arbitrary: constants },
  { weight: 1, arbitrary: everything },
  { weight: 2, arbitrary: options },
);
