/** Expressions in one symbol, and the same after identities of trigonometry and logarithms were applied at random places. */
import fc from 'fast-check';
import { family } from './family';

type Expression =
  | { kind: 'leaf'; text: string }
  | { kind: 'sum' | 'product' | 'quotient'; left: Expression; right: Expression }
  | { kind: 'power'; base: Expression; exponent: number }
  | { kind: 'call'; name: string; argument: Expression };

const leaf = (text: string): Expression => ({ kind: 'leaf', text });
const sum = (left: Expression, right: Expression): Expression => ({ kind: 'sum', left, right });
const product = (left: Expression, right: Expression): Expression => ({ kind: 'product', left, right });
const quotient = (left: Expression, right: Expression): Expression => ({ kind: 'quotient', left, right });
const power = (base: Expression, exponent: number): Expression => ({ kind: 'power', base, exponent });
const call = (name: string, argument: Expression): Expression => ({ kind: 'call', name, argument });
const minus = (expression: Expression): Expression => product(leaf('(-1)'), expression);
const double = (expression: Expression): Expression => product(leaf('2'), expression);

/** As TeX, with brackets wherever they may be needed. */
function print(node: Expression): string {
  switch (node.kind) {
    case 'leaf':
      return node.text;
    case 'sum':
      return `${print(node.left)}+${print(node.right)}`;
    case 'product':
      return `${factor(node.left)} \\cdot ${factor(node.right)}`;
    case 'quotient':
      return `\\frac{${print(node.left)}}{${print(node.right)}}`;
    case 'power':
      return `${factor(node.base)}^{${node.exponent}}`;
    case 'call':
      return node.name === 'exp' ? `e^{${print(node.argument)}}` : `\\${node.name}(${print(node.argument)})`;
  }
}

const factor = (node: Expression): string =>
  node.kind === 'leaf' || (node.kind === 'call' && node.name !== 'exp') ? print(node) : `\\left(${print(node)}\\right)`;

type Rule = (node: Expression) => Expression | null;

const onCall =
  (name: string, rewrite: (argument: Expression) => Expression): Rule =>
  (node) =>
    node.kind === 'call' && node.name === name ? rewrite(node.argument) : null;

const t = leaf('x');
const one = (argument: Expression): Expression => sum(power(call('sin', argument), 2), power(call('cos', argument), 2));

const rules: Rule[] = [
  onCall('tan', (a) => quotient(call('sin', a), call('cos', a))),
  onCall('sec', (a) => quotient(leaf('1'), call('cos', a))),
  onCall('csc', (a) => power(call('sin', a), -1)),
  onCall('cot', (a) => quotient(call('cos', a), call('sin', a))),
  onCall('sin', (a) => double(product(call('sin', quotient(a, leaf('2'))), call('cos', quotient(a, leaf('2')))))),
  onCall('cos', (a) => sum(leaf('1'), minus(double(power(call('sin', quotient(a, leaf('2'))), 2))))),
  onCall('cos', (a) => call('sin', sum(quotient(leaf('\\pi'), leaf('2')), minus(a)))),
  onCall('sin', (a) => minus(call('sin', minus(a)))),
  onCall('cos', (a) => call('cos', sum(a, leaf('2\\pi')))),
  onCall('sin', (a) => quotient(call('tan', a), call('sec', a))),
  onCall('ln', (a) => quotient(call('ln', power(a, 2)), leaf('2'))),
  onCall('ln', (a) => sum(call('ln', double(a)), minus(call('ln', leaf('2'))))),
  onCall('ln', (a) => quotient(call('log', a), call('log', leaf('e')))),
  onCall('exp', (a) => quotient(leaf('1'), call('exp', minus(a)))),
  onCall('exp', (a) => power(call('exp', quotient(a, leaf('2'))), 2)),
  (node) =>
    node.kind === 'power' && node.exponent === 2 && node.base.kind === 'call' && node.base.name === 'sin'
      ? sum(leaf('1'), minus(power(call('cos', node.base.argument), 2)))
      : null,
  (node) =>
    node.kind === 'power' && node.exponent === 2 && node.base.kind === 'call' && node.base.name === 'tan'
      ? sum(power(call('sec', node.base.argument), 2), leaf('-1'))
      : null,
  (node) => (node.kind === 'sum' ? sum(node.right, node.left) : null),
  (node) => (node.kind === 'product' ? product(node.right, node.left) : null),
  (node) =>
    node.kind === 'product' && node.right.kind === 'sum'
      ? sum(product(node.left, node.right.left), product(node.left, node.right.right))
      : null,
  (node) => (node.kind === 'quotient' ? product(node.left, power(node.right, -1)) : null),
  (node) => product(node, one(t)),
  (node) => quotient(product(leaf('3'), node), leaf('3')),
  (node) => sum(sum(node, t), minus(t)),
];

/** Applies rules at places that the choices pick; each place is visited once. */
function rewrite(node: Expression, choices: number[]): Expression {
  const choice = choices.pop() ?? 1;
  const inside = ((): Expression => {
    switch (node.kind) {
      case 'leaf':
        return node;
      case 'power':
        return { ...node, base: rewrite(node.base, choices) };
      case 'call':
        return { ...node, argument: rewrite(node.argument, choices) };
      default:
        return { ...node, left: rewrite(node.left, choices), right: rewrite(node.right, choices) };
    }
  })();
  if (choice % 2 === 1) return inside;
  const fitting = rules.map((rule) => rule(inside)).filter((result) => result !== null);
  return fitting[(choice >> 1) % fitting.length];
}

const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom(t, t, leaf('2'), leaf('3')),
    fc
      .tuple(fc.constantFrom('sin', 'cos', 'tan', 'sec', 'exp', 'cot', 'csc'), fc.constantFrom(t, double(t)))
      .map(([name, argument]) => call(name, argument)),
    fc.constant(call('ln', t)),
    fc.tuple(tie('expression'), tie('expression')).map(([left, right]) => sum(left, right)),
    fc.tuple(tie('expression'), tie('expression')).map(([left, right]) => product(left, right)),
    fc.tuple(tie('expression'), fc.integer({ min: 2, max: 3 })).map(([base, exponent]) => power(base, exponent)),
  ),
}));

interface Rewritten {
  expression: Expression;
  choices: number[][];
  added: number;
}

export const identities = family('identities', {
  value: fc.record({
    expression: expression.filter((node) => print(node).includes('x')),
    choices: fc.array(fc.array(fc.nat(200), { minLength: 6, maxLength: 6 }), { minLength: 3, maxLength: 3 }),
    added: fc.constant<number>(0),
  }),
  forms: ({ expression: node, choices, added }: Rewritten) => {
    const texts = [node, ...choices.map((list) => rewrite(node, [...list]))].map(print);
    return added === 0 ? texts : texts.map((text) => `${text}+${added}`);
  },
  near: (value) => [
    { ...value, added: 1 },
    { ...value, added: 7 },
  ],
  wrong: ({ expression: node }) =>
    [print(double(node)), print(product(node, t))].filter((text) => !/^(?:0|x)$/.test(text)),
});
