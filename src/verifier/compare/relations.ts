/** Equations, inequalities, chains and congruences, compared as written up to turning round and constant factors. */
import { exactValue } from '../exact/exact-value';
import { constantRatio, isOneNumber } from '../numeric/constant-ratio';
import { equalExpressions } from '../numeric/equal-expressions';
import type { Node, RelationNode, RelationOperator } from '../node';
import { compareNodes } from './compare-nodes';
import { type Decision, every, inOrder, some } from './decision';
import { matchUnordered } from './matching';
import { shareUnits, withoutUnits } from './quantities';
import { minus } from './rewrite';
import { isScalar } from './solution-sets';
import type { CompareContext } from './types';

const TURNED: Partial<Record<RelationOperator, RelationOperator>> = {
  '=': '=', '≠': '≠', '≈': '≈', '≡': '≡', '<': '>', '>': '<', '≤': '≥', '≥': '≤', '⊥': '⊥', '∥': '∥', '∼': '∼',
}; // prettier-ignore

/** The relation read from right to left; null for inclusions. */
function turned({ operands, operators }: RelationNode): RelationNode | null {
  const reversed = operators.map((operator) => TURNED[operator]).reverse();
  if (!reversed.every((operator) => operator !== undefined)) return null;
  return { kind: 'relation', operands: [...operands].reverse(), operators: reversed };
}

function compareOperands(a: RelationNode, b: RelationNode, context: CompareContext): Decision {
  if (a.operators.join() !== b.operators.join()) return 'different';
  return inOrder(a.operands, b.operands, (x, y) => compareNodes(x, y, context));
}

/** Operand by operand in either direction; the order of a chain of equalities does not count. */
function compareWritten(a: RelationNode, b: RelationNode, context: CompareContext): Decision {
  const equalities = [a, b].every(({ operators }) => operators.every((operator) => operator === '='));
  if (equalities && a.operands.length > 2)
    return matchUnordered(a.operands, b.operands, (x, y) => compareNodes(x, y, context), context);
  const other = turned(b);
  return some(other ? [b, other] : [b], (reading) => compareOperands(a, reading, context));
}

/** Left side minus right side; the right side minus the left one for `<`. */
function difference({ operands: [left, right], operators: [operator] }: RelationNode, context: CompareContext): Node {
  const [a, b] = [left, right].map((side) => withoutUnits(side, context));
  return operator === '<' || operator === '≤' ? minus(b, a) : minus(a, b);
}

const isStrict = ({ operators: [operator] }: RelationNode): boolean => operator === '<' || operator === '>';

/** What one operator relates to another: both `=`, both `≠`, both inequalities. */
function operatorClass({ operators: [operator] }: RelationNode): string {
  return /[<≤>≥]/.test(operator) ? 'inequality' : operator;
}

/**
 * Equal up to a constant factor: any for equations, a positive one for inequalities. What proves it is that neither difference is
 * identically 0 and that both vanish together. Identities, contradictions and relations between numbers say nothing of their
 * symbols: such a relation equals another one only as it is written.
 */
function compareByFactor(a: RelationNode, b: RelationNode, context: CompareContext): Decision {
  const [left, right] = [difference(a, context), difference(b, context)];
  const ratio = constantRatio(left, right, context);
  if (ratio === 'zero') return 'different';
  if (typeof ratio === 'string') return ratio;
  if (isOneNumber(left, context)) return 'different';
  // Both differences vanish at the same places, or at none that the other has not.
  if (operatorClass(a) !== 'inequality') return 'equal';
  if (ratio.sign === 0) return 'undecided';
  return ratio.sign > 0 && isStrict(a) === isStrict(b) ? 'equal' : 'different';
}

interface Congruence {
  left: Node;
  residue: Node;
  modulus: Node;
}

/** `x ≡ a (mod m)`. */
function asCongruence(node: Node): Congruence | null {
  if (node.kind !== 'relation' || node.operands.length !== 2 || !/[≡=]/.test(node.operators[0])) return null;
  const [left, last] = node.operands;
  if (last.kind !== 'call' || last.name !== 'mod') return null;
  return { left, residue: last.arguments[0], modulus: last.arguments[1] };
}

function compareCongruences(a: Congruence, b: Congruence, context: CompareContext): Decision {
  return every(
    [
      () => compareNodes(a.modulus, b.modulus, context),
      () => compareNodes(a.left, b.left, context),
      () => {
        const [x, y, m] = [a.residue, b.residue, a.modulus].map((node) => exactValue(node, context.budget));
        if (!x || !y || !m || m.numerator === 0n) return equalExpressions(a.residue, b.residue, context);
        if ([x, y, m].some(({ denominator }) => denominator !== 1n))
          return equalExpressions(a.residue, b.residue, context);
        // One class of residues, of one modulus and for one left side.
        return (x.numerator - y.numerator) % m.numerator === 0n ? 'equal' : 'different';
      },
    ],
    (part) => part(),
  );
}

/** Compares two relations as they are written; the sets of their solutions are compared elsewhere. */
export function compareRelations(a: RelationNode, b: RelationNode, context: CompareContext): Decision {
  const [left, right] = [asCongruence(a), asCongruence(b)];
  if (left || right) return left && right ? compareCongruences(left, right, context) : 'different';
  const written = compareWritten(a, b, context);
  const single = a.operators.length === 1 && b.operators.length === 1 && operatorClass(a) === operatorClass(b);
  if (written === 'equal' || !single || !/^(?:=|≠|inequality)$/.test(operatorClass(a))) return written;
  if (![...a.operands, ...b.operands].every(isScalar) || !shareUnits(a, b, context)) return written;
  return compareByFactor(a, b, context);
}
