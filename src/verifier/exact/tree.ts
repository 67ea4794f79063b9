/** Walks over trees of any kind of node. */
import type { Node } from '../node';

/** The nodes directly below a node, in the order written. */
export function childNodes(node: Node): Node[] {
  switch (node.kind) {
    case 'number':
    case 'symbol':
    case 'constant':
    case 'based':
    case 'clock':
    case 'namedSet':
    case 'text':
      return [];
    case 'sum':
      return node.terms;
    case 'product':
      return node.factors;
    case 'call':
    case 'application':
      return node.arguments;
    case 'piecewise':
      return node.pieces.flatMap(({ value, condition }) => (condition ? [value, condition] : [value]));
    default: {
      const children: Node[] = [];
      for (const value of Object.values(node) as unknown[]) collect(value, children);
      return children;
    }
  }
}

function collect(value: unknown, children: Node[]): void {
  if (Array.isArray(value)) for (const item of value) collect(item, children);
  else if (isNode(value)) children.push(value);
}

export const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'kind' in value;

/** Names that a node depends on: symbols as they are, applications as `f()`; variables bound inside it are left out. */
export function freeSymbols(node: Node): Set<string> {
  const names = new Set<string>();
  collectNames(node, new Set(), names);
  return names;
}

function collectNames(node: Node, bound: ReadonlySet<string>, names: Set<string>): void {
  if (node.kind === 'symbol') {
    if (!bound.has(node.name)) names.add(node.name);
    return;
  }
  if (node.kind === 'application') names.add(`${node.name}()`);
  if (node.kind === 'bound') {
    for (const limit of [node.lower, node.upper]) if (limit) collectNames(limit, bound, names);
    collectNames(node.body, bindsVariable(node) ? new Set([...bound, node.variable]) : bound, names);
    return;
  }
  for (const child of childNodes(node)) collectNames(child, bound, names);
}

/** An indefinite integral and a derivative are functions of their variable. */
export function bindsVariable(node: Node & { kind: 'bound' }): boolean {
  return node.operator !== 'derivative' && (node.operator !== 'integral' || node.lower !== null || node.upper !== null);
}
