/** What stands in a list: relations, memberships, unions, ratios, clock times and quantities with their units. */
import type { Node, RelationOperator, SetOperationNode } from '../node';
import { parseSum } from './expression';
import { parseLogic } from './logic';
import { parseError } from './parse-error';
import type { Parser } from './parser';
import { parseQuantity } from './quantities';

const RELATIONS = new Set(['=', '≠', '<', '≤', '>', '≥', '≈', '≡', '⊂', '⊆', '⊥', '∥', '∼']);
/** What a name in a relation of geometry is: `AB ⊥ plane BCD`. */
const FIGURES = /^(?:plane|line|segment|平面|直线|线段|面)$/i;
const SETS: Record<string, SetOperationNode['operator']> = { '∪': 'union', '∩': 'intersection', '∖': 'difference' };

/** `a ∪ b ∖ c`, from left to right. */
function parseSetExpression(p: Parser): Node {
  if (p.is('word') && FIGURES.test(p.token.text) && p.peek(1).type === 'symbol') p.next();
  let left = parseRatio(p);
  for (let length = 0; ; length++) {
    if (left.kind === 'setOperation' && left.operator === 'difference') p.chain(length);
    const unionLetter =
      p.is('symbol', 'U') && (left.kind === 'interval' || left.kind === 'tuple' || left.kind === 'setOperation');
    if (!unionLetter && !(p.is('operator') && Object.hasOwn(SETS, p.token.text))) return left;
    const operator = unionLetter ? 'union' : SETS[p.token.text];
    p.next();
    const right = parseRatio(p);
    left =
      left.kind === 'setOperation' && left.operator === operator && operator !== 'difference'
        ? { ...left, operands: [...left.operands, right] }
        : p.node({ kind: 'setOperation', operator, operands: [left, right] });
  }
}

/** `4:30 pm`, `7:32`, `a : b : c`, else a quantity. */
function parseRatio(p: Parser): Node {
  const clock = startsClock(p) ? p.attempt(() => parseClock(p)) : null;
  if (clock) return clock;
  const first = parseQuantity(p);
  if (p.bars > 0) return first;
  const parts = [first];
  // `3 : 4`, `3 to 4`
  while (p.isOperator(':') || p.is('word', 'to')) {
    p.next();
    parts.push(parseSum(p));
  }
  return parts.length === 1 ? first : p.node({ kind: 'ratio', parts });
}

/** One or two digits with a colon, an `a`, a `p` or a word behind them. */
function startsClock(p: Parser): boolean {
  const { digits } = p.token;
  if (digits === undefined || digits.length > 2) return false;
  const { type, text } = p.peek(1);
  return text === ':' || ((type === 'word' || type === 'symbol') && /^[ap]/i.test(text));
}

function twoDigits(p: Parser): number {
  const { digits } = p.next();
  if (digits === undefined || digits.length > 2) throw parseError;
  return Number(digits);
}

/** `a.m.`, `PM`, `p m`. */
function acceptMeridiem(p: Parser): 'am' | 'pm' | null {
  const [first, second] = [p.token, p.peek(1)];
  const text = first.text.toLowerCase();
  const wordLike = first.type === 'word' || first.type === 'symbol';
  if (!wordLike) return null;
  let found: 'am' | 'pm' | null = null;
  if (text === 'am' || text === 'pm') {
    p.next();
    found = text;
  } else if ((text === 'a' || text === 'p') && second.text === 'stop' && p.peek(2).text.toLowerCase() === 'm') {
    p.at += 3;
    found = text === 'a' ? 'am' : 'pm';
  } else if ((text === 'a' || text === 'p') && second.text.toLowerCase() === 'm') {
    p.at += 2;
    found = text === 'a' ? 'am' : 'pm';
  }
  if (found && p.isOperator('stop')) p.next();
  return found;
}

function parseClock(p: Parser): Node {
  const parts = [twoDigits(p)];
  while (p.isOperator(':') && parts.length < 3) {
    p.next();
    const { digits } = p.token;
    if (digits?.length !== 2 || Number(digits) >= 60) throw parseError;
    parts.push(twoDigits(p));
  }
  const meridiem = acceptMeridiem(p);
  if ((parts.length === 1 && !meridiem) || parts[0] > 24 || p.isOperator(':')) throw parseError;
  if (parts.length === 1) parts.push(0);
  return p.node({ kind: 'clock', parts, meridiem });
}

/** Whether a relation sign comes next; in aligned lines it may stand at the start of the next one. */
function atRelation(p: Parser): boolean {
  const start = p.at;
  while (p.aligned > 0 && p.isOperator('&', 'row')) p.next();
  if (p.is('operator') && RELATIONS.has(p.token.text)) return true;
  p.at = start;
  return false;
}

/** A chain of relations between set expressions, or `x ∈ S`. */
export function parseRelation(p: Parser): Node {
  return p.deeper(() => {
    const first = parseSetExpression(p);
    if (p.isOperator('∈', '∉')) {
      const negated = p.next().text === '∉';
      const set = parseSetExpression(p);
      return p.node<Node>({ kind: 'membership', element: first, set, negated });
    }
    if (p.bars > 0 && p.brackets > 0 && p.isOperator('|')) return first;
    const operands = [first];
    const operators: RelationOperator[] = [];
    while (atRelation(p)) {
      operators.push(p.next().text as RelationOperator);
      while (p.aligned > 0 && p.isOperator('&')) p.next();
      operands.push(parseSetExpression(p));
      if (p.isOperator('∈')) {
        // `x = a ∈ S`: the value counts.
        p.next();
        parseSetExpression(p);
      }
    }
    const modulus = parseModulus(p);
    if (operators.length === 0) return modulus ? p.node<Node>({ kind: 'residue', value: first, modulus }) : first;
    if (modulus) operands.push(p.node({ kind: 'call', name: 'mod', arguments: [operands.pop()!, modulus] }));
    // `f(x) ≡ 0` without a modulus is an equality.
    const identical = modulus ? operators : operators.map((operator) => (operator === '≡' ? '=' : operator));
    return p.node<Node>({ kind: 'relation', operands, operators: identical });
  });
}

/** `\pmod{m}`, `(mod m)`. */
function parseModulus(p: Parser): Node | null {
  if (p.accept('command', 'pmod')) return parseSum(p);
  if (p.is('open', '(') && (p.peek(1).text === 'mod' || p.peek(1).text === 'bmod')) {
    p.at += 2;
    const modulus = p.enclosed(() => parseSum(p));
    p.expect('close', ')');
    return modulus;
  }
  return null;
}

/** Whether the cursor is at something that separates the entries of a list; takes it. `or` is told apart. */
function acceptSeparator(p: Parser): ',' | ';' | 'and' | 'or' | null {
  let found: ',' | ';' | 'and' | 'or' | null = null;
  while (p.isOperator(',', ';', 'and', 'or', '∧', '∨', 'quad', 'row', '&')) {
    if (p.rows > 0 && p.isOperator('row')) break;
    const { text } = p.next();
    if (text === 'or' || text === '∨') found = 'or';
    else if (text === ';' && found !== 'or') found = ';';
    else if ((text === 'and' || text === '∧') && found !== 'or') found = 'and';
    else found ??= ',';
  }
  return found;
}

/** Entries separated by commas, semicolons, "and" or "or"; semicolons separate groups of commas. A single entry is itself. */
export function parseList(p: Parser, inBraces: boolean): Node {
  return p.deeper(() => {
    const outer: Node[][] = [[]];
    let or = false;
    let commas = 0;
    for (;;) {
      outer[outer.length - 1].push(parseLogic(p));
      const before = p.at;
      const separator = acceptSeparator(p);
      if (separator === null) break;
      if (p.done || p.token.type === 'close') {
        // A separator at the end separates nothing.
        if (inBraces && separator !== ',') p.at = before;
        break;
      }
      if (separator === 'or') or = true;
      if (separator === ';') outer.push([]);
      else commas++;
    }
    const group = (items: Node[]): Node => (items.length === 1 ? items[0] : p.node({ kind: 'list', items, or }));
    if (outer.length === 1) return group(outer[0]);
    if (commas === 0) return group(outer.map((items) => items[0]));
    return p.node({ kind: 'list', items: outer.map(group), or });
  });
}
