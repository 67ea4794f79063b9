/** Sums, products, signs, powers and what follows an operand. Each level binds tighter than the one before. */
import type { DegreesNode, Node, ProductNode } from '../node';
import { rational } from '../exact/rational';
import { freeSymbols } from '../exact/tree';
import { parseFunctionArgument } from './functions';
import { parseError } from './parse-error';
import { integer, isWholeNumber, type Parser } from './parser';
import { parsePrimary } from './primary';
import { scales } from './number-words';
import type { Token } from './token';

const SETS = new Set(['interval', 'set', 'namedSet', 'setOperation', 'setBuilder']);
const isSet = (node: Node): boolean => SETS.has(node.kind);

/** `a + b - c`, `a ± b`; `R - {0}` is a difference of sets. */
export function parseSum(p: Parser): Node {
  let left: Node;
  if (p.isOperator('±', '∓')) {
    const flipped = p.next().text === '∓';
    left = p.node({ kind: 'plusMinus', left: null, right: parseProduct(p), flipped });
  } else left = parseProduct(p);
  const terms = [left];
  const fold = (): Node => (terms.length === 1 ? terms[0] : p.node({ kind: 'sum', terms: terms.splice(0) }));
  let signs = 0;
  let looked = 0;
  // Every term is looked at once.
  const hasLetters = (): boolean => {
    for (; looked < terms.length; looked++) if (freeSymbols(terms[looked]).size > 0) return true;
    return false;
  };
  while (p.isOperator('+', '-', '±', '∓')) {
    const sign = p.next().text;
    if (sign === '±' || sign === '∓') p.chain(++signs);
    const right = parseProduct(p);
    // `n+1!` is meant as (n+1)! more often than as n+1.
    if (isTrivialFactorial(right) && hasLetters()) throw parseError;
    if (sign === '±' || sign === '∓') {
      const before = fold();
      terms.length = 0;
      looked = 0;
      terms.push(p.node({ kind: 'plusMinus', left: before, right, flipped: sign === '∓' }));
    } else if (sign === '-' && isSet(terms[terms.length - 1]) && isSet(right)) {
      terms.push(p.node({ kind: 'setOperation', operator: 'difference', operands: [terms.pop()!, right] }));
    } else terms.push(sign === '-' ? p.node({ kind: 'negation', operand: right }) : right);
  }
  return fold();
}

/** `1!` and `2!`, which nobody writes for 1 and 2. */
const isTrivialFactorial = (node: Node): boolean =>
  node.kind === 'call' &&
  node.name === 'factorial' &&
  isWholeNumber(node.arguments[0]) &&
  node.arguments[0].value.numerator <= 2n;

/** Whether an operand may start here: what makes two neighbours a product. */
function startsOperand(p: Parser): boolean {
  const { token } = p;
  if (p.done) return false;
  switch (token.type) {
    case 'symbol':
      // `(a, b) U (c, d)` is a union.
      if (token.text === 'U' && p.peek(-1).type === 'close' && p.peek(1).type === 'open') return false;
      return !(p.integrals > 0 && isDifferential(p));
    case 'number':
    case 'constant':
    case 'function':
    case 'set':
      return true;
    case 'command':
      return !['pmod', 'bmod', 'mod', 'choose', 'chooses', 'over'].includes(token.text);
    case 'open':
      return true;
    case 'begin':
      return true;
    case 'operator':
      return (token.text === '|' || token.text === '‖') && p.bars === 0;
    default:
      return false;
  }
}

/** `dx` inside an integral. */
export function isDifferential(p: Parser): boolean {
  return p.is('symbol', 'd') && (p.peek(1).type === 'symbol' || p.peek(1).type === 'constant');
}

/** `2\frac13`, `2 1/3`: an integer and a proper fraction side by side. */
function mixed(p: Parser, whole: Node, plainBefore: boolean): Node | null {
  if (!isWholeNumber(whole) || !plainBefore) return null;
  if (p.is('command', 'frac')) {
    const [top, middle] = wholeArgument(p, 1);
    const [bottom, end] = top ? wholeArgument(p, middle) : [null, 0];
    if (!top || !bottom || (p.peek(end).type === 'operator' && p.peek(end).text === '^')) return null;
    const value = properFraction(p, whole, top, bottom);
    if (value) p.at += end;
    return value;
  }
  if (p.is('number') && p.token.space && p.peek(1).text === '/' && p.peek(2).type === 'number') {
    const [top, bottom] = [p.token.number!, p.peek(2).number!];
    if (!isWholeNumber(top) || !isWholeNumber(bottom)) return null;
    const value = properFraction(p, whole, top, bottom);
    if (value) p.at += 3;
    return value;
  }
  return null;
}

/** The integer that is one argument of `\frac`, and the offset after it; nothing is parsed twice. */
function wholeArgument(p: Parser, offset: number): [Node | null, number] {
  const braced = p.peek(offset).type === 'open' && p.peek(offset).text === '{';
  const token = p.peek(braced ? offset + 1 : offset);
  if (token.digits === undefined || (braced && p.peek(offset + 2).text !== '}')) return [null, offset];
  return [token.number!, offset + (braced ? 3 : 1)];
}

function properFraction(p: Parser, whole: Node, top: Node, bottom: Node): Node | null {
  if (!isWholeNumber(whole) || !isWholeNumber(top) || !isWholeNumber(bottom)) return null;
  const [n, d] = [top.value.numerator, bottom.value.numerator];
  if (n <= 0n || n >= d) return null;
  const value = rational(whole.value.numerator * d + n, d);
  return p.node({ kind: 'number', value, significant: null, decimals: 0 });
}

/** Products and quotients from left to right; neighbours multiply. */
export function parseProduct(p: Parser): Node {
  return p.deeper(() => {
    if (p.isOperator('-')) {
      // The sign covers the whole product: -1\frac12 is -(1 + 1/2).
      p.next();
      return p.node({ kind: 'negation', operand: parseProduct(p) });
    }
    let result = parseUnary(p);
    let bareInteger = isWholeNumber(result);
    for (let length = 0; ; length++) {
      if (result.kind !== 'product') p.chain(length);
      if (p.isOperator('*', '÷', '/')) {
        // `a /` before a unit such as `km/h` belongs to the unit.
        if (p.token.text === '/' && p.peek(1).type === 'word' && isNumeric(result)) return result;
        const divides = p.next().text !== '*';
        const right = parseUnary(p);
        result = divides ? divided(p, result, right) : times(p, result, right);
      } else if (p.isOperator('∘') || p.is('command', 'mod') || p.is('command', 'bmod')) {
        if (p.isOperator('∘')) throw parseError;
        p.next();
        result = p.node({ kind: 'call', name: 'mod', arguments: [result, parseUnary(p)] });
      } else if (p.is('word') && Object.hasOwn(scales, p.token.text.toLowerCase()) && isNumeric(result)) {
        const scale = scales[p.next().text.toLowerCase()];
        result = times(p, result, integer(scale));
      } else if (p.accept('command', 'chooses')) {
        result = p.node({ kind: 'call', name: 'binomial', arguments: [result, parseUnary(p)] });
      } else if (isTimesLetter(p, result)) {
        p.next();
        result = times(p, result, parseUnary(p));
      } else if (startsOperand(p)) {
        const fraction = mixed(p, result, bareInteger);
        if (fraction) result = parseSuffixes(p, fraction);
        else {
          // Two numbers side by side are no product; `1|2|3` has no bars.
          if (p.is('number') && endsInNumber(result)) throw parseError;
          if (p.isOperator('|') && endsInNumber(result) && p.peek(1).type === 'number' && p.peek(2).text === '|')
            throw parseError;
          result = times(p, result, parsePostfix(p));
        }
      } else return result;
      bareInteger = false;
    }
  });
}

/** `1/2%` is half a percent, not fifty. */
function divided(p: Parser, numerator: Node, right: Node): Node {
  const percent = right.kind === 'percent' && isNumeric(numerator) && isNumeric(right.operand);
  const quotient = p.node<Node>({ kind: 'quotient', numerator, denominator: percent ? right.operand : right });
  return percent ? p.node({ kind: 'percent', operand: quotient }) : quotient;
}

/** `3 x 10^8` */
function isTimesLetter(p: Parser, left: Node): boolean {
  return (
    left.kind === 'number' && p.token.text.toLowerCase() === 'x' && p.peek(1).digits === '10' && p.peek(2).text === '^'
  );
}

const isNumeric = (node: Node): boolean =>
  node.kind === 'number' || (node.kind === 'negation' && isNumeric(node.operand)) || node.kind === 'quotient';

function endsInNumber(node: Node): boolean {
  if (node.kind === 'number') return true;
  return node.kind === 'product' && node.factors[node.factors.length - 1].kind === 'number';
}

function times(p: Parser, left: Node, right: Node): ProductNode {
  if (left.kind === 'product') {
    p.budget.spend(1);
    left.factors.push(right);
    return left;
  }
  return p.node({ kind: 'product', factors: [left, right] });
}

export function parseUnary(p: Parser): Node {
  if (p.isOperator('-')) {
    p.next();
    const operand = p.deeper(() => parseUnary(p));
    return p.node({ kind: 'negation', operand });
  }
  if (p.isOperator('+')) {
    p.next();
    return p.deeper(() => parseUnary(p));
  }
  return parsePostfix(p);
}

const isDegreeSign = (token: Token): boolean => token.type === 'operator' && (token.text === '∘' || token.text === '°');

/** `^{\circ}` and `^\circ`. */
function acceptDegreePower(p: Parser): boolean {
  if (isDegreeSign(p.peek(1))) {
    p.at += 2;
    return true;
  }
  if (p.peek(1).text === '{' && isDegreeSign(p.peek(2)) && p.peek(3).text === '}') {
    p.at += 4;
    return true;
  }
  return false;
}

/** The exponent after `^`: a group, or one signed operand. */
export function parseExponent(p: Parser): Node {
  return p.deeper(() => {
    if (p.isOperator('-', '+')) return parseUnary(p);
    if (p.is('open', '{')) return parsePrimary(p);
    const base = parsePrimary(p);
    return p.isOperator('^') && !isDegreeSign(p.peek(1)) ? raise(p, base) : base;
  });
}

function raise(p: Parser, base: Node): Node {
  p.next();
  if (p.isOperator("'")) {
    return p.node({ kind: 'application', name: "'", arguments: [base] });
  }
  // `A^T`, `A^{\top}` of a matrix.
  if (base.kind === 'matrix' && p.is('symbol', 'T')) {
    p.next();
    return p.node({ kind: 'call', name: 'transpose', arguments: [base] });
  }
  const exponent = parseExponent(p);
  return p.node({ kind: 'power', base, exponent });
}

const isPrime = (token: Token): boolean => token.type === 'operator' && token.text === "'";

/** The offset after exactly `count` primes at `offset`: `'`, `^\prime`, `^{\prime\prime}`; null where there are none. */
export function afterPrimes(p: Parser, offset: number, count: number): number | null {
  let at = offset;
  const raised = p.peek(at).type === 'operator' && p.peek(at).text === '^';
  if (raised) at++;
  const braced = raised && p.peek(at).text === '{';
  if (braced) at++;
  for (let primes = 0; primes < count; primes++, at++) if (!isPrime(p.peek(at))) return null;
  if (isPrime(p.peek(at)) || (braced && p.peek(at).text !== '}')) return null;
  return braced ? at + 1 : at;
}

/** `15° 30'`, `15° 30' 20''`: minutes and seconds of arc. */
function withMinutes(p: Parser, degrees: DegreesNode): Node {
  const terms = [degrees.operand];
  for (const parts of [60, 3600]) {
    const end = p.is('number') ? afterPrimes(p, 1, parts === 60 ? 1 : 2) : null;
    if (end === null) break;
    const denominator = integer(parts);
    terms.push(p.node({ kind: 'quotient', numerator: p.token.number!, denominator }));
    p.at += end;
  }
  if (terms.length === 1) return degrees;
  return p.node({ kind: 'degrees', operand: p.node<Node>({ kind: 'sum', terms }) });
}

/** An operand with its powers, factorials, degree and percent signs. */
export function parsePostfix(p: Parser): Node {
  return parseSuffixes(p, p.is('function') ? parseFunctionArgument(p) : parsePrimary(p));
}

function parseSuffixes(p: Parser, operand: Node): Node {
  let result = operand;
  for (let length = 0; ; length++) {
    p.chain(length);
    if (p.isOperator('^')) {
      if (acceptDegreePower(p)) result = withMinutes(p, p.node({ kind: 'degrees', operand: result }));
      else result = raise(p, result);
    } else if (p.isOperator('!')) {
      p.next();
      const double = p.isOperator('!');
      if (double) p.next();
      result = p.node({ kind: 'call', name: double ? 'doubleFactorial' : 'factorial', arguments: [result] });
    } else if (p.isOperator('%')) {
      p.next();
      result = p.node({ kind: 'percent', operand: result });
    } else if (p.isOperator('°') && !/^[CFK]$/.test(p.peek(1).text)) {
      p.next();
      result = withMinutes(p, p.node({ kind: 'degrees', operand: result }));
    } else return result;
  }
}
