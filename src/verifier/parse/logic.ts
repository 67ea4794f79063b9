/** Statements of logic over letters: `¬p`, `p ∧ q`, `p ⇒ q`, `∀x ∈ ℝ, x² ≥ 0`. Between conditions `∧` and `∨` make lists. */
import type { LogicNode, Node } from '../node';
import { parseRelation } from './items';
import type { Parser } from './parser';

/** From the loosest to the tightest. */
const LEVELS: { signs: string[]; operator: LogicNode['operator'] }[] = [
  { signs: ['⇔'], operator: '⇔' },
  { signs: ['⇒', '→'], operator: '⇒' },
  { signs: ['∨'], operator: '∨' },
  { signs: ['∧'], operator: '∧' },
];

const isProposition = ({ kind }: Node): boolean => kind === 'symbol' || kind === 'logic';

export function parseLogic(p: Parser): Node {
  return parseLevel(p, 0);
}

function parseLevel(p: Parser, level: number): Node {
  if (level === LEVELS.length) return parseQuantified(p) ?? parseRelation(p);
  const { signs, operator } = LEVELS[level];
  const first = parseLevel(p, level + 1);
  if (!isProposition(first)) return first;
  const operands = [first];
  while (p.isOperator(...signs)) {
    const start = p.at;
    p.next();
    const next = p.attempt(() => parseLevel(p, level + 1));
    if (next === null || !isProposition(next)) {
      p.at = start;
      break;
    }
    operands.push(next);
  }
  return operands.length === 1 ? first : p.node<Node>({ kind: 'logic', operator, operands });
}

/** The cursor may be at `∀` or `∃`. */
function parseQuantified(p: Parser): Node | null {
  if (!p.isOperator('∀', '∃', '∄')) return null;
  return p.deeper(() => {
    const operator = p.next().text as LogicNode['operator'];
    if (operator === '∄' && p.done) return p.node<Node>({ kind: 'text', text: 'does not exist' });
    const about = parseRelation(p);
    while (p.isOperator(',', ':', 'quad')) p.next();
    return p.node<Node>({ kind: 'logic', operator, operands: p.done ? [about] : [about, parseLogic(p)] });
  });
}
