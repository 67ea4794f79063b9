/**
 * Lists, sets, tuples and matrices. A bare list says nothing of order: it equals a tuple in the same order and a set or another
 * list in any. A tuple never equals a set, nor round brackets square ones.
 */
import type { Node, TupleNode } from '../node';
import { compareNodes } from './compare-nodes';
import { type Decision, every, inOrder } from './decision';
import { sameBag, sameSet } from './matching';
import { rowsOf } from './matrices';
import { listedWords } from './text';
import type { CompareContext } from './types';

type Collection = Extract<Node, { kind: 'list' | 'set' | 'tuple' | 'matrix' }>;

export const isCollection = (node: Node): node is Collection =>
  node.kind === 'list' || node.kind === 'set' || node.kind === 'tuple' || node.kind === 'matrix';

const isEllipsis = (node: Node): boolean => node.kind === 'symbol' && node.name === '…';

/** A solution named twice is still one: numbers in a list may be meant as often as they stand there. */
const isSolution = ({ kind }: Node): boolean => kind === 'tuple' || kind === 'relation' || kind === 'list';

/** The items in order, of tuples and of matrices with one row or column. */
function vectorOf(node: Collection): Node[] | null {
  if (node.kind === 'tuple') return node.items;
  if (node.kind !== 'matrix') return null;
  if (node.rows.length === 1) return node.rows[0];
  return node.rows.every((row) => row.length === 1) ? node.rows.map((row) => row[0]) : null;
}

const bracketsAgree = (a: TupleNode, b: TupleNode): boolean => (a.brackets === '[]') === (b.brackets === '[]');

function compareOrdered(a: Collection, b: Collection, context: CompareContext): Decision {
  const compare = (x: Node, y: Node): Decision => compareNodes(x, y, context);
  if (a.kind === 'matrix' || b.kind === 'matrix') {
    const [rows, others] = [rowsOf(a), rowsOf(b)];
    if (rows && others) return inOrder(rows, others, (x, y) => inOrder(x, y, compare));
  } else if (a.kind === 'tuple' && b.kind === 'tuple' && !bracketsAgree(a, b)) return 'different';
  const [left, right] = [vectorOf(a), vectorOf(b)];
  return left && right ? inOrder(left, right, compare) : 'different';
}

function compareBoth(a: Collection, b: Collection, context: CompareContext): Decision {
  const compare = (x: Node, y: Node): Decision => compareNodes(x, y, context);
  if (b.kind === 'list' && a.kind !== 'list') return compareBoth(b, a, context);
  if (a.kind === 'list') {
    if (b.kind === 'list') {
      const items = [...a.items, ...b.items];
      if (items.some(isEllipsis)) return inOrder(a.items, b.items, compare);
      const same = items.every(isSolution) ? sameSet : sameBag;
      return same(a.items, b.items, compare, context);
    }
    // `(1, 2) or (1, 2)` names one pair.
    if (a.items.length > 0 && a.items.every(({ kind }) => kind === b.kind)) return compareSingle(a, b, context);
    if (b.kind === 'tuple') return inOrder(a.items, b.items, compare);
    return b.kind === 'set' ? sameSet(a.items, b.items, compare, context) : 'different';
  }
  if (a.kind === 'set' && b.kind === 'set') return sameSet(a.items, b.items, compare, context);
  return a.kind === 'set' || b.kind === 'set' ? 'different' : compareOrdered(a, b, context);
}

/** A collection against a single value: a list that names the same value again and again is that value. */
function compareSingle(a: Collection, b: Node, context: CompareContext): Decision {
  if (a.kind !== 'list' || a.items.length === 0) return 'different';
  return every(a.items, (item) => compareNodes(item, b, context));
}

/** Compares two nodes of which at least one is a collection. */
export function compareCollections(a: Node, b: Node, context: CompareContext): Decision {
  if (isCollection(a) && isCollection(b)) return compareBoth(a, b, context);
  if (b.kind === 'text') return compareCollections(b, a, context);
  if (a.kind === 'text' && isCollection(b)) {
    const items = listedWords(a.text);
    if (items.length > 1) return compareBoth({ kind: 'list', items, or: false }, b, context);
  }
  return isCollection(a) ? compareSingle(a, b, context) : compareSingle(b as Collection, a, context);
}
