/** Operands: numbers, names, commands with their arguments. Brackets are in brackets.ts. */
import type { Node } from '../node';
import { parseBars, parseBracket, parseEnvironment } from './brackets';
import { parseSum } from './expression';
import { parseBound, parseFraction, parseRoot, parseShort } from './functions';
import { parseError } from './parse-error';
import { integer, type Parser } from './parser';
import type { Token } from './token';
import { rational } from '../exact/rational';

/** Letters that mean a function when a bracket follows, whatever is in it. */
const FUNCTIONS = /^(?:[fghFGH]|phi|psi|Phi|Psi|Gamma|zeta)$/;
/** Letters that do when a lone name or number is in the bracket. */
const MAYBE_FUNCTIONS = /^[A-Zpquvwst]$/;

const BASE_WORDS: Record<string, number> = {
  two: 2, three: 3, four: 4, five: 5, six: 6, seven: 7, eight: 8, nine: 9, ten: 10, twelve: 12, sixteen: 16,
}; // prettier-ignore

export function parsePrimary(p: Parser): Node {
  return p.deeper(() => {
    const { token } = p;
    if (p.done) throw parseError;
    switch (token.type) {
      case 'number':
        return parseNumber(p);
      case 'symbol':
      case 'constant':
        return parseName(p);
      case 'set':
        p.next();
        return p.node({ kind: 'namedSet', name: token.text as 'reals' });
      case 'command':
        p.next();
        return parseCommand(p, token.text);
      case 'open':
        return parseBracket(p);
      case 'begin':
        return parseEnvironment(p);
      case 'operator':
        if (token.text === '|' || token.text === '‖') return parseBars(p);
        if (token.text === '…') {
          p.next();
          return p.node({ kind: 'symbol', name: '…' });
        }
        throw parseError;
      default:
        throw parseError;
    }
  });
}

function parseCommand(p: Parser, command: string): Node {
  switch (command) {
    case 'frac':
      return parseFraction(p);
    case 'sqrt':
    case 'cbrt':
      return parseRoot(p, command === 'cbrt');
    case 'binom': {
      if (p.is('open', '(')) {
        const operands = parseArguments(p);
        if (operands.length !== 2) throw parseError;
        return p.node({ kind: 'call', name: 'binomial', arguments: operands });
      }
      const operands = [parseShort(p), parseShort(p)];
      return p.node({ kind: 'call', name: 'binomial', arguments: operands });
    }
    case 'sum':
    case 'prod':
    case 'int':
    case 'lim':
      return parseBound(p, command);
    case 'boxed':
      return parsePrimary(p);
    case 'overline':
      return parseOverline(p);
    default:
      throw parseError;
  }
}

/** `\overline{AB}` is a name, `\overline{z}` a conjugate. */
function parseOverline(p: Parser): Node {
  const operand = parsePrimary(p);
  if (operand.kind === 'symbol' && /^[a-z]$/.test(operand.name)) {
    return p.node({ kind: 'call', name: 'conjugate', arguments: [operand] });
  }
  if (operand.kind === 'symbol') return operand;
  if (operand.kind === 'product' && operand.factors.every((factor) => factor.kind === 'symbol')) return operand;
  return p.node({ kind: 'call', name: 'conjugate', arguments: [operand] });
}

function parseNumber(p: Parser): Node {
  const token = p.next();
  if (token.digits !== undefined && p.isOperator('_') && !p.token.space) {
    const based = parseBase(p, token.digits);
    if (based) return based;
  }
  if (/[a-z]/.test(token.digits ?? '')) throw parseError;
  if (token.exponent !== undefined) {
    const power = p.node<Node>({ kind: 'power', base: integer(10), exponent: integer(token.exponent) });
    return p.node({ kind: 'product', factors: [p.node(token.number!), power] });
  }
  return p.node({ ...token.number! });
}

/** `204_5`, `1011_{two}`: digits in another base. The cursor is at `_`. */
function parseBase(p: Parser, digits: string): Node | null {
  const braced = p.peek(1).text === '{' && p.peek(1).type === 'open';
  const token = p.peek(braced ? 2 : 1);
  const base =
    token.type === 'number' && token.digits ? Number(token.digits) : (BASE_WORDS[token.text.toLowerCase()] ?? 0);
  if (!(base >= 2 && base <= 36) || (braced && p.peek(3).text !== '}')) return null;
  p.at += braced ? 4 : 2;
  return p.node({ kind: 'based', digits, base, value: inBase(digits, base) });
}

/** More digits in another base are not given a value: reading them takes quadratic time. */
const MAX_BASED_DIGITS = 1000;

/** The value of digits in a base, null where one is not a digit of it. */
export function inBase(digits: string, base: number): { numerator: bigint; denominator: bigint } | null {
  if (digits.length > MAX_BASED_DIGITS) return null;
  let value = 0n;
  for (const character of digits.toLowerCase()) {
    const digit = Number.parseInt(character, 36);
    if (!(digit < base)) return null;
    value = value * BigInt(base) + BigInt(digit);
  }
  return rational(value);
}

/** A subscript: a group or one operand. */
export function parseSubscript(p: Parser): Node {
  return p.deeper(() => {
    if (!p.is('open', '{')) return parseShort(p);
    p.next();
    const node = p.enclosed(() => parseSum(p));
    p.expect('close', '}');
    return node;
  });
}

/** What a simple subscript reads as: `1`, `n`, `max`, `AB`. Null for an expression. */
function subscriptName(p: Parser): string | null {
  const start = p.at;
  if (!p.is('open', '{')) {
    const token = p.next();
    return token.type === 'number' ? oneDigit(p, token) : token.text || null;
  }
  p.next();
  let name = '';
  while (!p.done && !p.is('close', '}') && p.at - start < 12) {
    const token = p.next();
    if (!['number', 'symbol', 'constant', 'word'].includes(token.type)) break;
    name += token.type === 'number' ? (token.digits ?? '?') : token.text;
  }
  if (name !== '' && p.accept('close', '}')) return name;
  p.at = start;
  return null;
}

/** `x_12` takes one digit in TeX, but nobody writes x₁·2: all of them. */
const oneDigit = (p: Parser, token: Token): string | null => {
  if (token.digits === undefined) p.at--;
  return token.digits ?? null;
};

function parseName(p: Parser): Node {
  const token = p.next();
  let { text: name } = token;
  const constant = token.type === 'constant';
  if (constant && !p.isOperator('_', "'") && !p.bound.includes(name)) {
    return p.node({ kind: 'constant', name: name as 'pi' });
  }
  let primes = '';
  const takePrimes = (): void => {
    while (p.isOperator("'")) {
      primes += p.next().text;
    }
  };
  takePrimes();
  if (p.isOperator('_')) {
    p.next();
    const simple = subscriptName(p);
    if (simple === null) {
      const index = parseSubscript(p);
      return p.node({ kind: 'application', name: `${name}_`, arguments: [index] });
    }
    const bound = p.bound.includes(simple);
    if (bound || /^[a-z]$/.test(simple)) {
      const index: Node = p.node({ kind: 'symbol', name: simple });
      return p.node({ kind: 'application', name: `${name}_`, arguments: [index] });
    }
    name = `${name}_${simple}`;
    takePrimes();
  }
  name += primes;
  if (/^[fghFGH]$/.test(name) && acceptInverse(p)) name += '^-1';
  if (p.is('open', '(') && !constant) {
    const call = parseApplication(p, name);
    if (call) return call;
  }
  return p.node({ kind: 'symbol', name });
}

/** `^{-1}` before a bracket: the inverse of a function. */
function acceptInverse(p: Parser): boolean {
  const texts = [0, 1, 2, 4, 5].map((offset) => p.peek(offset).text).join(' ');
  if (texts !== '^ { - } (' || p.peek(3).digits !== '1') return false;
  p.at += 5;
  return true;
}

/** `f(x)`, `P(A)`: an unknown function, or null where the bracket is a factor. The cursor is at the bracket. */
function parseApplication(p: Parser, name: string): Node | null {
  const letter = name.replace(/[_'^].*$/, '');
  const lone =
    p.peek(2).text === ')' && p.peek(2).type === 'close' && ['symbol', 'number', 'constant'].includes(p.peek(1).type);
  const certain = FUNCTIONS.test(letter) || name.includes("'") || name.includes('^');
  if (!certain && !(lone && MAYBE_FUNCTIONS.test(letter))) return null;
  if (letter === 'phi' && !lone) return null;
  const operands = parseArguments(p);
  if (letter === 'Gamma' && operands.length === 1) {
    return p.node({ kind: 'call', name: 'gamma', arguments: operands });
  }
  return p.node({ kind: 'application', name, arguments: operands });
}

const CLOSING: Record<string, string> = { '(': ')', '[': ']', '\\{': '\\}', '{': '}' };

/** Arguments in brackets, separated by commas. The cursor is at the bracket. */
export function parseArguments(p: Parser): Node[] {
  const close = CLOSING[p.next().text];
  return p.enclosed(() => {
    const operands = [parseSum(p)];
    while (p.isOperator(',', ';')) {
      p.next();
      operands.push(parseSum(p));
    }
    p.expect('close', close);
    return operands;
  });
}
