/** Signs of infinite expressions. */
import type { Budget } from '../budget';
import { exactValue } from '../exact/exact-value';
import { childNodes } from '../exact/tree';
import type { Node } from '../node';

/**
 * 1 or -1 for an expression that is plainly ±∞ (a sum, a product or a quotient with finite numbers), 0 for one without ∞, null
 * where ∞ stands in it and the value is not plain.
 */
export function infiniteSign(node: Node, budget: Budget): -1 | 0 | 1 | null {
  if (!mentionsInfinity(node, budget)) return 0;
  switch (node.kind) {
    case 'constant':
      return 1;
    case 'negation':
      return opposite(infiniteSign(node.operand, budget));
    case 'sum': {
      const signs = new Set(node.terms.map((term) => infiniteSign(term, budget)));
      signs.delete(0);
      return signs.size === 1 ? [...signs][0]! : null;
    }
    case 'product':
      return node.factors.reduce<-1 | 0 | 1 | null>((sign, factor) => times(sign, factorSign(factor, budget)), 1);
    case 'quotient': {
      if (mentionsInfinity(node.denominator, budget)) return null;
      return times(infiniteSign(node.numerator, budget), factorSign(node.denominator, budget));
    }
    default:
      return null;
  }
}

export function mentionsInfinity(node: Node, budget: Budget): boolean {
  budget.spend(0.1);
  if (node.kind === 'constant') return node.name === 'infinity';
  return childNodes(node).some((child) => mentionsInfinity(child, budget));
}

/** The sign of a factor of something infinite; null where unknown or 0. */
function factorSign(node: Node, budget: Budget): -1 | 0 | 1 | null {
  const sign = infiniteSign(node, budget);
  if (sign !== 0) return sign;
  const value = exactValue(node, budget);
  if (!value || value.numerator === 0n) return null;
  return value.numerator > 0n ? 1 : -1;
}

function times(a: -1 | 0 | 1 | null, b: -1 | 0 | 1 | null): -1 | 0 | 1 | null {
  return a === null || b === null ? null : ((a * b) as -1 | 0 | 1);
}

function opposite(sign: -1 | 0 | 1 | null): -1 | 0 | 1 | null {
  return times(sign, -1);
}
