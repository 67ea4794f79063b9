/** The comparison of two parsed answers. */
import { type Budget, BudgetExceeded } from '../budget';
import { childNodes } from '../exact/tree';
import { limits } from '../limits';
import type { Node } from '../node';
import { equalExpressions } from '../numeric/equal-expressions';
import { asAssignment } from './assignments';
import { isCollection } from './collections';
import { compareNodes } from './compare-nodes';
import { isCondition } from './conditions';
import { compareContradictions } from './contradictions';
import { normalize } from './normalize';
import { withoutQualifiers } from './qualifiers';
import { bareChoice, isSameChoice, listedWords } from './text';
import type { CompareContext, Comparison } from './types';

/** Whether the items of a list are candidates for one answer like `gold`. */
function areCandidates(gold: Node, items: readonly Node[]): boolean {
  if (gold.kind === 'list' || (gold.kind === 'text' && listedWords(gold.text).length > 1)) return false;
  if (isCollection(gold)) return items.some(({ kind }) => kind === gold.kind);
  return !isCondition(gold) || items.some(isCondition);
}

/** Whether an answer names candidates that are not all the same where one answer was asked. */
function isAmbiguous(gold: Node, answer: Node, context: CompareContext): boolean {
  if (answer.kind !== 'list' || answer.items.length < 2 || !areCandidates(gold, answer.items)) return false;
  return answer.items.slice(1).some((item) => compareNodes(answer.items[0], item, context) !== 'equal');
}

/** Levels that the walks over a tree bear. Chains such as `3!!!...` and `1/2/3/...` are deep without any bracket. */
const MAXIMUM_DEPTH = limits.depth;

function refuseDeep(node: Node, budget: Budget): void {
  let level: readonly Node[] = [node];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAXIMUM_DEPTH) throw new BudgetExceeded('an answer is nested too deeply');
    budget.spend(0.1 * level.length);
    level = level.flatMap(childNodes);
  }
}

/** What is asked for rather than known: `∫ 2x dx`, `A ∩ B`. */
const isQuestion = ({ kind }: Node): boolean => kind === 'bound' || kind === 'setOperation';

/** `(x+1)(x-1) = x² - 1` against something that is no relation: an identity states its last side. */
function withoutIdentity(node: Node, other: Node, context: CompareContext): Node {
  if (node.kind !== 'relation' || other.kind === 'relation' || other.kind === 'list' || asAssignment(node)) return node;
  const { operands, operators } = node;
  if (!operators.every((operator) => operator === '=')) return node;
  const [first, ...rest] = operands;
  const holds = isQuestion(first) || rest.every((side) => equalExpressions(first, side, context) === 'equal');
  return holds ? rest[rest.length - 1] : node;
}

/** Of two labelled choices both the letters and what they say must agree; against one of the two the other does not count. */
function compareChoices(gold: Node, answer: Node, context: CompareContext): Comparison {
  const letters = [gold, answer].map((node) => (node.kind === 'choice' ? node.letter : bareChoice(node)));
  const labelled = gold.kind === 'choice' && answer.kind === 'choice';
  if (letters[0] !== null && letters[1] !== null && (!labelled || letters[0] !== letters[1]))
    return letters[0] === letters[1] ? 'equal' : 'different';
  const [expected, stated] = [gold, answer].map((node) => (node.kind === 'choice' ? node.values : [node]));
  const verdicts = expected.flatMap((left) => stated.map((right) => compareAnswers(left, right, context)));
  return verdicts.find((verdict) => verdict === 'equal') ?? verdicts.at(-1) ?? 'different';
}

/**
 * Says whether `answer` states what `gold` states. Symmetrical but for `ambiguous`, which only an answer can be: with the sides
 * exchanged the same pair is `different`.
 *
 * @throws BudgetExceeded when the work would pass the budget, the only error.
 */
export function compareAnswers(gold: Node, answer: Node, context: CompareContext): Comparison {
  if (isSameChoice(gold, answer)) return 'equal';
  if (gold.kind === 'choice' || answer.kind === 'choice') return compareChoices(gold, answer, context);
  for (const node of [gold, answer]) refuseDeep(node, context.budget);
  const contradiction = compareContradictions(gold, answer, context);
  if (contradiction) return contradiction;
  const [stated, claimed] = [withoutIdentity(gold, answer, context), withoutIdentity(answer, gold, context)];
  const [left, right] = withoutQualifiers(normalize(stated, context), normalize(claimed, context), context);
  const decision = compareNodes(left, right, context);
  if (decision !== 'different' || answer.kind !== 'list') return decision;
  return isAmbiguous(left, right, context) ? 'ambiguous' : decision;
}
