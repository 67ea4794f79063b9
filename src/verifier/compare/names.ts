/**
 * What may stand before the `=` of a statement such as `x = 3` as the name of its value: a symbol, f(x), |AB|, A:B, a product
 * or quotient of point names, A^{-1}, dy/dx, a tuple of names.
 */
import { equalExpressions } from '../numeric/equal-expressions';
import type { Node } from '../node';
import { every } from './decision';
import type { CompareContext } from './types';

const POINT = /^[A-Z]['\d_]*$/;
const DIFFERENTIAL = /^[d∂]$/;

const isPoint = (node: Node): boolean => node.kind === 'symbol' && POINT.test(node.name);

/** `AB`, `ABC`, `m∠ABC`. */
function isPointProduct(node: Node): boolean {
  if (node.kind !== 'product') return false;
  const [first, ...rest] = node.factors;
  return rest.every(isPoint) && (isPoint(first) || (first.kind === 'symbol' && first.name === 'm'));
}

const startsWithDifferential = (node: Node): boolean => {
  const first = node.kind === 'product' ? node.factors[0] : node;
  const base = first.kind === 'power' ? first.base : first;
  return base.kind === 'symbol' && DIFFERENTIAL.test(base.name);
};

const isSimple = (node: Node): boolean =>
  (node.kind === 'symbol' && node.name !== '…') || node.kind === 'application' || isPointProduct(node);

const NAMED_CALLS = /^(?:norm|determinant|trace|real|imaginary|argument|conjugate|transpose)$/;

export function isName(node: Node): boolean {
  switch (node.kind) {
    case 'call': {
      const [operand] = node.arguments;
      return node.name === 'abs'
        ? isPoint(operand) || isPointProduct(operand)
        : NAMED_CALLS.test(node.name) && isSimple(operand);
    }
    case 'ratio':
      return node.parts.every(isSimple);
    case 'quotient': {
      const parts = [node.numerator, node.denominator];
      return parts.every(isSimple) || parts.every(startsWithDifferential);
    }
    case 'power':
      return isPoint(node.base) && isInverseOrTranspose(node.exponent);
    case 'tuple':
      return node.items.length > 0 && node.items.every(isSimple);
    case 'bound':
      return node.operator === 'derivative';
    default:
      return isSimple(node);
  }
}

function isInverseOrTranspose(exponent: Node): boolean {
  if (exponent.kind === 'symbol') return exponent.name === 'T';
  const one = exponent.kind === 'negation' ? exponent.operand : null;
  return one?.kind === 'number' && one.value.numerator === 1n && one.value.denominator === 1n;
}

/** Whether two names are the same: `AB` is `BA`, but x is not y, nor X. */
export function isSameName(a: Node, b: Node, context: CompareContext): boolean {
  if (a.kind === 'symbol' && b.kind === 'symbol') return a.name === b.name;
  if (a.kind === 'tuple' && b.kind === 'tuple') {
    if (a.items.length !== b.items.length) return false;
    return a.items.every((item, index) => isSameName(item, b.items[index], context));
  }
  if (a.kind === 'ratio' && b.kind === 'ratio') {
    if (a.parts.length !== b.parts.length) return false;
    return every(a.parts.keys(), (index) => equalExpressions(a.parts[index], b.parts[index], context)) === 'equal';
  }
  if (a.kind !== b.kind) return false;
  return equalExpressions(a, b, context) === 'equal';
}
