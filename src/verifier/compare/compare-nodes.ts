/** Sends a pair of nodes to the comparison of their kind. */
import { equals } from '../exact/rational';
import { freeSymbols } from '../exact/tree';
import type { Node } from '../node';
import { asAssignment, type Assignment, compareAssignments } from './assignments';
import { compareCollections, isCollection } from './collections';
import { compareConditions, isCondition } from './conditions';
import type { Decision } from './decision';
import { compareLogic } from './logic';
import { comparePiecewise } from './piecewise';
import { compareValues } from './quantities';
import { compareRecords } from './records';
import { compareRelations } from './relations';
import { compareResidues } from './residues';
import { isExactNumber } from './rewrite';
import { bareChoice, compareTexts, isChoiceLetter } from './text';
import type { CompareContext } from './types';

/** Whether the value of one statement is in terms of the name of the other. */
const names = ({ value }: Assignment, { name }: Assignment): boolean =>
  name.kind === 'symbol' && freeSymbols(value).has(name.name);

/** Two statements, or a statement against what may be its value; null where neither side is a statement. */
function compareStatements(a: Node, b: Node, context: CompareContext): Decision | null {
  const [left, right] = [asAssignment(a), asAssignment(b)];
  if (left && right) {
    const decision = compareAssignments(left, right, context);
    if (decision !== null) return decision;
    // `y = 2x` and `x = y/2` are one equation.
    const solved = names(left, right) && names(right, left) && a.kind === 'relation' && b.kind === 'relation';
    return solved ? compareRelations(a, b, context) : 'different';
  }
  const [statement, other] = left ? [left, b] : [right, a];
  if (statement === null) return null;
  // `A = D` says nothing of which of them is right.
  if (isChoiceLetter(statement.name) && isChoiceLetter(statement.value) && bareChoice(other) !== null)
    return 'different';
  return left ? compareNodes(left.value, b, context) : compareNodes(a, statement.value, context);
}

/** Compares two nodes in normal form. Symmetrical. @throws BudgetExceeded */
export function compareNodes(a: Node, b: Node, context: CompareContext): Decision {
  if (isExactNumber(a) && isExactNumber(b)) {
    context.budget.spend(0.2);
    return equals(a.value, b.value) ? 'equal' : 'different';
  }
  context.budget.spend(2);
  const special = compareResidues(a, b, context) ?? compareLogic(a, b, context);
  if (special !== null) return special;
  if (isCondition(a) || isCondition(b)) return compareConditions(a, b, context);
  const decided = compareRecords(a, b, context) ?? compareStatements(a, b, context);
  if (decided !== null) return decided;
  if (a.kind === 'piecewise' || b.kind === 'piecewise') return comparePiecewise(a, b, context);
  if (isCollection(a) || isCollection(b)) return compareCollections(a, b, context);
  if (a.kind === 'text' || b.kind === 'text') return compareTexts(a, b, context.budget);
  return compareValues(a, b, context);
}
