/** Short builders for answers that are more than an expression, and the check that a comparison is symmetrical. */
import { Budget } from '../../../../src/verifier/budget';
import { compareAnswers } from '../../../../src/verifier/compare/compare-answers';
import type { Comparison } from '../../../../src/verifier/compare/types';
import { limits } from '../../../../src/verifier/limits';
import type {
  ClockNode,
  IntervalNode,
  NamedSetNode,
  Node,
  RelationOperator,
  SetOperationNode,
  TupleNode,
} from '../../../../src/verifier/node';
import { readUnit } from '../../../../src/verifier/parse/units';
import { infix, number } from '../../../support/verifier-nodes';

/** A node, or the infix text of an expression or of a chain of relations. */
export type Written = Node | string;

export function node(written: Written): Node {
  if (typeof written !== 'string') return written;
  const parts = written.split(/([=≠<≤>≥≈≡⊂⊆])/u);
  if (parts.length === 1) return infix(written);
  return {
    kind: 'relation',
    operands: parts.filter((_, index) => index % 2 === 0).map((part) => infix(part)),
    operators: parts.filter((_, index) => index % 2 === 1) as RelationOperator[],
  };
}

export const relation = (left: Written, operator: RelationOperator, right: Written): Node => ({
  kind: 'relation',
  operands: [node(left), node(right)],
  operators: [operator],
});

export const list = (...items: Written[]): Node => ({ kind: 'list', items: items.map(node), or: false });
export const or = (...items: Written[]): Node => ({ kind: 'list', items: items.map(node), or: true });
export const set = (...items: Written[]): Node => ({ kind: 'set', items: items.map(node) });

const bracketed = (brackets: TupleNode['brackets'], items: Written[]): Node => ({
  kind: 'tuple',
  items: items.map(node),
  brackets,
});

export const tuple = (...items: Written[]): Node => bracketed('()', items);
export const square = (...items: Written[]): Node => bracketed('[]', items);
export const angle = (...items: Written[]): Node => bracketed('<>', items);

/** `interval('[', 0, 1, ')')` */
export const interval = (open: '[' | '(', lower: Written, upper: Written, close: ']' | ')'): IntervalNode => ({
  kind: 'interval',
  lower: node(lower),
  upper: node(upper),
  lowerClosed: open === '[',
  upperClosed: close === ']',
});

const operation = (operator: SetOperationNode['operator'], operands: Written[]): Node => ({
  kind: 'setOperation',
  operator,
  operands: operands.map(node),
});

export const union = (...operands: Written[]): Node => operation('union', operands);
export const intersection = (...operands: Written[]): Node => operation('intersection', operands);
export const without = (...operands: Written[]): Node => operation('difference', operands);
export const named = (name: NamedSetNode['name']): Node => ({ kind: 'namedSet', name });

export const member = (element: Written, of: Node, negated = false): Node => ({
  kind: 'membership',
  element: node(element),
  set: of,
  negated,
});

export const builder = (element: Written, domain: Node | null, condition: Written | null): Node => ({
  kind: 'setBuilder',
  element: node(element),
  domain,
  condition: condition === null ? null : node(condition),
});

export const plusMinus = (left: Written | null, right: Written, flipped = false): Node => ({
  kind: 'plusMinus',
  left: left === null ? null : node(left),
  right: node(right),
  flipped,
});

export const ratio = (...parts: Written[]): Node => ({ kind: 'ratio', parts: parts.map(node) });
export const clock = (hours: number, minutes: number, meridiem: ClockNode['meridiem'] = null): Node => ({
  kind: 'clock',
  parts: [hours, minutes],
  meridiem,
});

export const text = (words: string): Node => ({ kind: 'text', text: words });

/** A value with a unit by its name; a name that is no unit is an unknown word. */
export const quantity = (value: Written, unit: string): Node => ({
  kind: 'quantity',
  value: node(value),
  unit: readUnit(unit) ?? { name: unit, dimension: null, scale: number(1).value },
});

export const congruence = (left: Written, residue: Written, modulus: Written): Node =>
  relation(left, '≡', { kind: 'call', name: 'mod', arguments: [node(residue), node(modulus)] });

export function compare(gold: Written, answer: Written, units: number = limits.workUnits): Comparison {
  return compareAnswers(node(gold), node(answer), { budget: new Budget(units) });
}

/** Gold, answer and verdict; the verdict of the exchanged sides is the same, or `different` for `ambiguous`. */
export type Case = [gold: Written, answer: Written, verdict: Comparison];

const describeNode = (written: Written): string =>
  typeof written === 'string'
    ? written
    : JSON.stringify(written, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value));

export function checkAll(cases: Case[]): void {
  const seen = cases.map(([gold, answer, verdict]) => ({
    pair: `${describeNode(gold)} | ${describeNode(answer)}`,
    verdict: [compare(gold, answer), compare(answer, gold)],
    expected: [verdict, verdict === 'ambiguous' ? 'different' : verdict],
  }));
  expect(seen.filter(({ verdict, expected }) => verdict.join() !== expected.join())).toEqual([]);
}
