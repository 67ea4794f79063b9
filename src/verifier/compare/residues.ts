/** Residues: `7 (mod 10)`, `x ≡ 17 (mod 10)`, and 7 where only the least residue is stated. */
import { exactValue } from '../exact/exact-value';
import type { Node, ResidueNode } from '../node';
import { compareNodes } from './compare-nodes';
import { type Decision, every } from './decision';
import { isName } from './names';
import { integerNode } from './rewrite';
import type { CompareContext } from './types';

/** `7 (mod 10)`, `x ≡ 7 (mod 10)`; a list of residues of one modulus is none. */
function asResidue(node: Node): (ResidueNode & { name: Node | null }) | null {
  if (node.kind === 'residue') return { ...node, name: null };
  if (node.kind !== 'relation' || node.operands.length !== 2 || !isName(node.operands[0])) return null;
  const [name, last] = node.operands;
  if (last.kind !== 'call' || last.name !== 'mod' || !/[≡=]/.test(node.operators[0])) return null;
  return { kind: 'residue', value: last.arguments[0], modulus: last.arguments[1], name };
}

/** The residue of least absolute value that is not negative; null where it is not known. */
function least({ value, modulus }: ResidueNode, context: CompareContext): bigint | null {
  const [x, m] = [value, modulus].map((node) => exactValue(node, context.budget));
  if (!x || !m || x.denominator !== 1n || m.denominator !== 1n || m.numerator <= 0n) return null;
  return ((x.numerator % m.numerator) + m.numerator) % m.numerator;
}

/** Null where neither side is a residue, or both are congruences with a name, which have rules of their own. */
export function compareResidues(a: Node, b: Node, context: CompareContext): Decision | null {
  if (![a, b].some(({ kind }) => kind === 'residue' || kind === 'relation')) return null;
  const [left, right] = [asResidue(a), asResidue(b)];
  if (!left && !right) return null;
  if (left?.name && right?.name) return null;
  if (left && right) {
    const [x, y] = [least(left, context), least(right, context)];
    const values = (): Decision =>
      x === null || y === null ? compareNodes(left.value, right.value, context) : x === y ? 'equal' : 'different';
    return every([() => compareNodes(left.modulus, right.modulus, context), values], (part) => part());
  }
  const [residue, other] = left ? [left, b] : [right!, a];
  // Only a number may leave the modulus out.
  if (!/^(?:number|negation|power|product|sum)$/.test(other.kind)) return residue.name ? null : 'different';
  const value = least(residue, context);
  return compareNodes(value === null ? residue.value : integerNode(value), other, context);
}
