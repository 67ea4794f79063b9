/**
 * `x = 2kπ, k ∈ ℤ`: the membership only says what k is. It is taken off, and since k may have any name the other side's
 * parameter takes its name.
 */
import { freeSymbols } from '../exact/tree';
import type { Node } from '../node';
import { substitute } from './rewrite';
import type { CompareContext } from './types';

interface Qualified {
  core: Node;
  parameters: string[];
}

/** The integer parameter that a membership explains. */
function parameterOf(node: Node): string | null {
  if (node.kind !== 'membership' || node.negated || node.element.kind !== 'symbol' || node.set.kind !== 'namedSet')
    return null;
  return node.set.name === 'integers' || node.set.name === 'naturals' ? node.element.name : null;
}

function split(node: Node): Qualified {
  if (node.kind !== 'list') return { core: node, parameters: [] };
  const items = node.items.filter((item) => parameterOf(item) === null);
  const used = new Set(items.flatMap((item) => [...freeSymbols(item)]));
  const parameters = node.items.map(parameterOf).filter((name) => name !== null);
  if (items.length === 0 || parameters.length === 0 || !parameters.every((name) => used.has(name)))
    return { core: node, parameters: [] };
  return { core: items.length === 1 ? items[0] : { ...node, items }, parameters };
}

function rename(node: Node, from: string, to: string, context: CompareContext): Node {
  return freeSymbols(node).has(to)
    ? node
    : substitute(node, new Map([[from, { kind: 'symbol', name: to }]]), context.budget);
}

/** Both sides without such memberships, with one name for a parameter that only its name tells apart. */
export function withoutQualifiers(a: Node, b: Node, context: CompareContext): [Node, Node] {
  const [left, right] = [split(a), split(b)];
  if (left.parameters.length > 1 || right.parameters.length > 1) return [a, b];
  const [p, q] = [left.parameters.at(0), right.parameters.at(0)];
  if (p !== undefined && q !== undefined) return [left.core, rename(right.core, q, p, context)];
  if (p !== undefined) return [left.core, adopt(right.core, left.core, p, context)];
  if (q !== undefined) return [adopt(left.core, right.core, q, context), right.core];
  return [a, b];
}

/** Gives the parameter's name to the one symbol that only the side without explanation has. */
function adopt(node: Node, explained: Node, parameter: string, context: CompareContext): Node {
  const [known, own] = [freeSymbols(explained), freeSymbols(node)];
  const unknown = [...own].filter((name) => !known.has(name));
  return unknown.length === 1 ? rename(node, unknown[0], parameter, context) : node;
}
