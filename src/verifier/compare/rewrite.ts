/** Small trees made from others. */
import type { Budget } from '../budget';
import { childNodes, isNode } from '../exact/tree';
import { type Rational, rational } from '../exact/rational';
import type { Node, NumberNode } from '../node';

function mapValue(value: unknown, map: (child: Node) => Node): unknown {
  if (Array.isArray(value)) return value.map((item) => mapValue(item, map));
  return isNode(value) ? map(value) : value;
}

const isLeaf = ({ kind }: Node): boolean =>
  kind === 'number' || kind === 'symbol' || kind === 'constant' || kind === 'text';

/** The node with each of its children replaced. */
export function mapChildren<T extends Node>(node: T, map: (child: Node) => Node): T {
  if (isLeaf(node)) return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, mapValue(value, map)])) as unknown as T;
}

/** Whether `test` holds anywhere in the tree. */
export function contains(node: Node, test: (node: Node) => boolean, budget: Budget): boolean {
  budget.spend(0.3);
  return test(node) || childNodes(node).some((child) => contains(child, test, budget));
}

/** The tree with `replace` applied from the top; where it gives null the node stays and its children are visited. */
export function rewrite(node: Node, replace: (node: Node) => Node | null, budget: Budget): Node {
  budget.spend(1);
  return replace(node) ?? mapChildren(node, (child) => rewrite(child, replace, budget));
}

/** Puts nodes for symbols. Variables bound inside the tree are not looked at. */
export function substitute(node: Node, values: ReadonlyMap<string, Node>, budget: Budget): Node {
  return rewrite(node, (part) => (part.kind === 'symbol' ? (values.get(part.name) ?? null) : null), budget);
}

export const number = (value: Rational): NumberNode => ({ kind: 'number', value, significant: null, decimals: 0 });

export const integerNode = (value: bigint): NumberNode => number(rational(value));

const isExactNumber = (node: Node): node is NumberNode => node.kind === 'number' && node.significant === null;

export function negated(node: Node): Node {
  if (node.kind === 'negation') return node.operand;
  if (isExactNumber(node)) return number({ numerator: -node.value.numerator, denominator: node.value.denominator });
  return { kind: 'negation', operand: node };
}

export const minus = (a: Node, b: Node): Node => ({ kind: 'sum', terms: [a, negated(b)] });

export const times = (...factors: Node[]): Node => ({ kind: 'product', factors });

/** 1 for ∞, -1 for -∞, 0 for anything else. */
export function infiniteSign(node: Node): -1 | 0 | 1 {
  if (node.kind === 'constant' && node.name === 'infinity') return 1;
  if (node.kind === 'negation') return -infiniteSign(node.operand) as -1 | 0 | 1;
  return 0;
}

export { isExactNumber };
