/** `\begin{cases} x & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}`: a value and its condition on each line. */
import type { Node, PiecewiseNode } from '../node';
import { parseSum } from './expression';
import { parseList } from './items';
import { parseError } from './parse-error';
import type { Parser } from './parser';

const IF = /^(?:if|for|when|where|on|当|若|如果|as)$/i;
const OTHERWISE = /^(?:otherwise|else|elsewhere|其他|其它|否则)$/i;

const isCondition = (node: Node): boolean =>
  node.kind === 'relation' || node.kind === 'membership' || node.kind === 'logic'
    ? true
    : node.kind === 'list' && node.items.every(isCondition);

/** The condition of a line; null for `otherwise`. Words such as `n is even` are kept as text. */
function parseCondition(p: Parser): Node | null {
  const introduced = p.is('word') && IF.test(p.token.text);
  if (introduced) p.next();
  if (p.is('word') && OTHERWISE.test(p.token.text)) {
    p.next();
    return null;
  }
  const condition = p.attempt(() => {
    const read = parseList(p, false);
    if (!isCondition(read) || !atLineEnd(p)) throw parseError;
    return read;
  });
  if (condition) return condition;
  if (!introduced) throw parseError;
  return inWords(p);
}

const atLineEnd = (p: Parser): boolean => p.isOperator('row') || p.is('end') || p.done;

/** `n is even`, as words. */
function inWords(p: Parser): Node {
  const parts: string[] = [];
  while (!atLineEnd(p)) {
    const token = p.next();
    if (!/^(?:word|symbol|number|constant)$/.test(token.type) || parts.length > 12) throw parseError;
    parts.push(token.digits ?? token.text);
  }
  if (parts.length === 0) throw parseError;
  return p.node({ kind: 'text', text: parts.join(' ').toLowerCase() });
}

/** The lines up to the end of the environment. @throws ParseError where they are no values with conditions. */
export function parsePiecewise(p: Parser, name: string): PiecewiseNode {
  const pieces: PiecewiseNode['pieces'] = [];
  while (!p.is('end', name)) {
    const value = parseSum(p);
    let separated = false;
    while (p.isOperator('&', ',', ';', 'quad', ':')) {
      p.next();
      separated = true;
    }
    if (p.is('word') && (IF.test(p.token.text) || OTHERWISE.test(p.token.text))) separated = true;
    if (!separated) throw parseError;
    p.rows++;
    const condition = parseCondition(p);
    p.rows--;
    pieces.push({ value, condition });
    if (!atLineEnd(p)) throw parseError;
    while (p.isOperator('row', '&')) p.next();
    if (p.done) throw parseError;
  }
  p.expect('end', name);
  if (pieces.length === 0 || pieces.slice(0, -1).some(({ condition }) => condition === null)) throw parseError;
  return p.node({ kind: 'piecewise', pieces });
}
