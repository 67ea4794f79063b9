/**
 * One form for what may be written in several ways, before two answers are compared: `a ± b` becomes a list, matrix arithmetic
 * is carried out, a collection of one item is that item, a chain without a name is the value it states.
 */
import type { Node } from '../node';
import { statedValue } from './assignments';
import { evaluateMatrices } from './matrices';
import { expandPlusMinus } from './plus-minus';
import { mapChildren } from './rewrite';
import type { CompareContext } from './types';

/** A set of one set is not that set. */
const isSet = ({ kind }: Node): boolean => /^(?:set|namedSet|interval|setOperation|setBuilder)$/.test(kind);

class Normalizer {
  constructor(private readonly context: CompareContext) {}

  /** Items of a list or set, with each `±` written out. */
  private items(items: readonly Node[]): Node[] {
    return items.flatMap((item) => expandPlusMinus(item, this.context).map((value) => this.shape(value)));
  }

  /** A set where a set must stand: one item does not become a number. */
  private set(node: Node): Node {
    if (node.kind === 'set') return { ...node, items: this.items(node.items) };
    return node.kind === 'list' ? { kind: 'set', items: this.items(node.items) } : this.shape(node);
  }

  node(node: Node): Node {
    const values = expandPlusMinus(node, this.context);
    return values.length === 1
      ? this.shape(values[0])
      : { kind: 'list', items: values.map((value) => this.shape(value)), or: false };
  }

  private shape(node: Node): Node {
    this.context.budget.spend(1);
    switch (node.kind) {
      case 'list':
      case 'set': {
        const items = this.items(node.items);
        const nested = node.kind === 'set' && items.some(isSet);
        return items.length === 1 && !nested ? items[0] : { ...node, items };
      }
      case 'tuple': {
        const items = node.items.map((item) => this.node(item));
        if (items.length === 1) return items[0];
        const statements = items.length > 0 && items.every(({ kind }) => kind === 'relation');
        return statements ? { kind: 'list', items, or: false } : { ...node, items };
      }
      case 'relation': {
        const relation = { ...node, operands: node.operands.map((operand) => this.node(operand)) };
        const value = statedValue(relation);
        return value ?? relation;
      }
      case 'setOperation':
        return { ...node, operands: node.operands.map((operand) => this.set(operand)) };
      case 'membership':
        return { ...node, set: this.set(node.set) };
      case 'setBuilder':
      case 'matrix':
        return mapChildren(node, (child) => this.node(child));
      default:
        return node;
    }
  }
}

/** The normal form that `compareNodes` expects. */
export function normalize(node: Node, context: CompareContext): Node {
  return new Normalizer(context).node(evaluateMatrices(node, context.budget));
}
