/** Brackets of all kinds: groups, tuples, intervals, sets, bars, floors, matrices and other environments. */
import type { IntervalNode, Node } from '../node';
import { parseSum } from './expression';
import { parseList, parseRelation } from './items';
import { parseLogic } from './logic';
import { parsePiecewise } from './piecewise';
import { parseError } from './parse-error';
import { inBase, parsePrimary } from './primary';
import type { Parser } from './parser';

export function parseBracket(p: Parser): Node {
  switch (p.token.text) {
    case '(':
    case '[':
      return parseRound(p);
    case '{':
      return parseGroup(p);
    case '\\{':
      return parseSet(p);
    case '⟨':
      return parseAngle(p);
    case '⌊':
    case '⌈':
      return parseFloor(p);
    default:
      throw parseError;
  }
}

/** `{a}` is a, `{1, 2}` a bare list. */
function parseGroup(p: Parser): Node {
  p.next();
  // `{}_{10}C_3`
  if (p.is('close', '}') && /^[_^]$/.test(p.peek(1).text)) {
    p.next();
    return parsePrimary(p);
  }
  return p.enclosed(() => {
    const node = parseList(p, true);
    if (p.is('command', 'over') || p.is('command', 'choose')) {
      const fraction = p.next().text === 'over';
      const below = parseList(p, true);
      p.expect('close', '}');
      return fraction
        ? p.node<Node>({ kind: 'quotient', numerator: node, denominator: below })
        : p.node<Node>({ kind: 'call', name: 'binomial', arguments: [node, below] });
    }
    p.expect('close', '}');
    return node;
  });
}

/** `(a)`, `(a, b)`, `[a, b)`, `[a, b, c]`, and `]a, b[` is not read. */
function parseRound(p: Parser): Node {
  const open = p.next().text;
  const start = p.at;
  return p.enclosed(() => {
    if (p.accept('close', open === '(' ? ')' : ']')) {
      if (open === '(') throw parseError;
      return p.node<Node>({ kind: 'tuple', items: [], brackets: '[]' });
    }
    const items = [parseLogic(p)];
    while (p.isOperator(',', ';', 'row')) {
      p.next();
      items.push(parseLogic(p));
    }
    const close = p.next();
    if (close.type !== 'close' || (close.text !== ')' && close.text !== ']')) throw parseError;
    if (items.length === 1) {
      if ((open === '(') !== (close.text === ')')) throw parseError;
      if (open === '(' && p.isOperator('_')) return basedGroup(p, start) ?? items[0];
      return items[0];
    }
    return collection(p, items, open, close.text);
  });
}

function collection(p: Parser, items: Node[], open: string, close: string): Node {
  const [lowerClosed, upperClosed] = [open === '[', close === ']'];
  // `[[1, 2], [3, 4]]`: rows, not intervals.
  if (
    lowerClosed &&
    upperClosed &&
    items.every((item) => item.kind === 'interval' && item.lowerClosed && item.upperClosed)
  ) {
    const rows = (items as IntervalNode[]).map(({ lower, upper }) =>
      p.node<Node>({ kind: 'tuple', items: [lower, upper], brackets: '[]' }),
    );
    return p.node({ kind: 'tuple', items: rows, brackets: '[]' });
  }
  const pair = items.length === 2 && items.every((item) => item.kind !== 'tuple' && item.kind !== 'relation');
  if (!lowerClosed && !upperClosed) return p.node({ kind: 'tuple', items, brackets: '()' });
  if (pair)
    return p.node<IntervalNode>({ kind: 'interval', lower: items[0], upper: items[1], lowerClosed, upperClosed });
  if (lowerClosed !== upperClosed) throw parseError;
  return p.node({ kind: 'tuple', items, brackets: '[]' });
}

/** `(1011)_2`. The cursor is at `_`. */
function basedGroup(p: Parser, start: number): Node | null {
  const digits = p.tokens[start]?.digits;
  if (digits === undefined || p.at !== start + 2) return null;
  return p.attempt(() => {
    p.next();
    const braced = p.accept('open', '{');
    const round = p.accept('open', '(');
    const base = Number(p.next().digits);
    if (round) p.expect('close', ')');
    if (braced) p.expect('close', '}');
    if (!(base >= 2 && base <= 36)) throw parseError;
    return p.node<Node>({ kind: 'based', digits, base, value: inBase(digits, base) });
  });
}

/** `\{1, 2\}`, `\{x \mid x > 0\}`, `\{\}`. */
function parseSet(p: Parser): Node {
  p.next();
  return p.enclosed(() => {
    if (p.accept('close', '\\}')) return p.node<Node>({ kind: 'namedSet', name: 'empty' });
    p.bars = 1;
    const first = parseLogic(p);
    if (p.isOperator('mid', '|', ':')) {
      p.next();
      p.bars = 0;
      const condition = parseList(p, false);
      p.expect('close', '\\}');
      const member = first.kind === 'membership' && !first.negated;
      const [element, domain] = member ? [first.element, first.set] : [first, null];
      return p.node<Node>({ kind: 'setBuilder', element, domain, condition });
    }
    p.bars = 0;
    const items = [first];
    while (p.isOperator(',', ';', 'and')) {
      const comma = p.next().text === ',';
      if (comma && p.isOperator('and')) p.next();
      items.push(parseLogic(p));
    }
    p.expect('close', '\\}');
    return p.node<Node>({ kind: 'set', items });
  });
}

/** `⟨a, b⟩` */
function parseAngle(p: Parser): Node {
  p.next();
  return p.enclosed(() => {
    const items = [parseSum(p)];
    while (p.isOperator(',')) {
      p.next();
      items.push(parseSum(p));
    }
    p.expect('close', '⟩');
    return p.node<Node>({ kind: 'tuple', items, brackets: '<>' });
  });
}

function parseFloor(p: Parser): Node {
  const floor = p.next().text === '⌊';
  return p.enclosed(() => {
    const operand = parseSum(p);
    p.expect('close', floor ? '⌋' : '⌉');
    return p.node<Node>({ kind: 'call', name: floor ? 'floor' : 'ceil', arguments: [operand] });
  });
}

/** `|a|`, `‖v‖`. */
export function parseBars(p: Parser): Node {
  const { text } = p.next();
  return p.deeper(() => {
    p.bars++;
    const operand = parseSum(p);
    p.bars--;
    p.expect('operator', text);
    const vector = text === '‖' || operand.kind === 'matrix' || operand.kind === 'tuple';
    return p.node<Node>({ kind: 'call', name: vector ? 'norm' : 'abs', arguments: [operand] });
  });
}

const MATRICES = new Set(['pmatrix', 'bmatrix', 'Bmatrix', 'matrix', 'smallmatrix', 'array', 'vmatrix', 'Vmatrix']);

/** Matrices, determinants, systems of equations and aligned lines. */
export function parseEnvironment(p: Parser): Node {
  const { text: name } = p.next();
  return p.enclosed(() => {
    if (MATRICES.has(name)) {
      const rows = parseRows(p);
      p.expect('end', name);
      const matrix = p.node<Node>({ kind: 'matrix', rows });
      return name.toLowerCase() === 'vmatrix'
        ? p.node<Node>({ kind: 'call', name: 'determinant', arguments: [matrix] })
        : matrix;
    }
    const piecewise = /^(?:[dr]?cases|array)$/.test(name) ? p.attempt(() => parsePiecewise(p, name)) : null;
    if (piecewise) return piecewise;
    if (!/^(?:[dr]?cases|aligned|align|gathered|gather|equation|split)$/.test(name)) throw parseError;
    const items: Node[] = [];
    p.aligned++;
    while (!p.is('end', name)) {
      if (p.isOperator('row', '&', ',', 'quad', 'stop')) {
        p.next();
        continue;
      }
      items.push(parseLogic(p));
    }
    p.aligned--;
    p.expect('end', name);
    if (items.length === 0) throw parseError;
    return items.length === 1 ? items[0] : p.node<Node>({ kind: 'list', items, or: false });
  });
}

function parseRows(p: Parser): Node[][] {
  const rows: Node[][] = [];
  while (p.token.type !== 'end' && !p.done) {
    const row = [parseRelation(p)];
    while (p.isOperator('&')) {
      p.next();
      row.push(parseRelation(p));
    }
    rows.push(row);
    if (!p.isOperator('row')) break;
    p.next();
  }
  if (rows.length === 0 || rows.some((row) => row.length !== rows[0].length)) throw parseError;
  return rows;
}
