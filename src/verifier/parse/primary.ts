/** Operands: numbers, names, commands with their arguments. Brackets are in brackets.ts. */
import type { NamedSetNode, Node } from '../node';
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
        return parseNamedSet(p, token.text as NamedSetNode['name']);
      case 'command':
        p.next();
        return parseCommand(p, token.text);
      case 'open':
        return parseBracket(p);
      case 'begin':
        return parseEnvironment(p);
      case 'operator':
        if (p.isOperator('_', '^')) {
          const chosenBefore = parseIndexBefore(p);
          if (chosenBefore) return chosenBefore;
        }
        if (token.text === '|' || token.text === '‖') return parseBars(p);
        if (token.text === '¬') {
          p.next();
          return p.node({ kind: 'logic', operator: '¬', operands: [parsePrimary(p)] });
        }
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

const LETTERS: Record<string, string> = {
  reals: 'ℝ', integers: 'ℤ', naturals: 'ℕ', rationals: 'ℚ', complexes: 'ℂ',
}; // prettier-ignore

/** `ℕ^*`, `ℤ_+` and `ℤ^+` are one set, `ℝ^+` an interval; `ℤ_8` and `ℝ^2` are names. The cursor is after the letter. */
function parseNamedSet(p: Parser, name: NamedSetNode['name']): Node {
  let mark = '';
  for (let sign = p.at; p.isOperator('^', '_'); sign = p.at) {
    p.next();
    const braced = p.accept('open', '{');
    while (!p.done && !p.is('close') && p.at - sign < 8) {
      const token = p.next();
      mark += token.digits ?? token.text;
      if (!braced) break;
    }
    if (braced) p.expect('close', '}');
    mark += ' ';
  }
  const end = (value: 0n | null): Node => (value === null ? { kind: 'constant', name: 'infinity' } : integer(value));
  switch (`${name} ${mark.trim()}`) {
    case 'naturals *':
    case 'naturals +':
    case 'naturals * +':
    case 'naturals + *':
    case 'integers +':
    case 'integers >0':
      return p.node({ kind: 'namedSet', name: 'positiveIntegers' });
    case 'reals +':
    case 'reals >0':
      return p.node({ kind: 'interval', lower: end(0n), upper: end(null), lowerClosed: false, upperClosed: false });
    case 'reals -':
    case 'reals <0': {
      const lower = p.node<Node>({ kind: 'negation', operand: end(null) });
      return p.node({ kind: 'interval', lower, upper: end(0n), lowerClosed: false, upperClosed: false });
    }
    case 'reals *': {
      const operands = [p.node<Node>({ kind: 'namedSet', name }), p.node<Node>({ kind: 'set', items: [end(0n)] })];
      return p.node({ kind: 'setOperation', operator: 'difference', operands });
    }
  }
  return mark === ''
    ? p.node({ kind: 'namedSet', name })
    : p.node({ kind: 'symbol', name: `${LETTERS[name] ?? name} ${mark.trim()}` });
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
  if (token.digits !== undefined && token.base !== undefined) {
    return p.node({ kind: 'based', digits: token.digits, base: token.base, value: inBase(token.digits, token.base) });
  }
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
  // `_{(5)}`, `_(5)`
  let opened = 1;
  while (p.peek(opened).type === 'open' && /^[{(]$/.test(p.peek(opened).text) && opened < 3) opened++;
  const token = p.peek(opened);
  const base =
    token.type === 'number' && token.digits ? Number(token.digits) : (BASE_WORDS[token.text.toLowerCase()] ?? 0);
  if (!(base >= 2 && base <= 36)) return null;
  for (let at = 1; at < opened; at++) {
    if (p.peek(2 * opened - at).text !== (p.peek(at).text === '{' ? '}' : ')')) return null;
  }
  p.at += 2 * opened;
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
    if (!['number', 'symbol', 'constant', 'word', 'function'].includes(token.type)) break;
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

const CHOSEN = /^[CAP]$/;

/** A whole number at offset `at`, in braces or not, and the offset behind it. */
function smallWhole(p: Parser, at: number): [Node | null, number] {
  const braced = p.peek(at).type === 'open' && p.peek(at).text === '{';
  const token = p.peek(braced ? at + 1 : at);
  if (token.digits === undefined || token.digits.length > 6 || !token.number) return [null, at];
  if (braced && p.peek(at + 2).text !== '}') return [null, at];
  return [token.number, at + (braced ? 3 : 1)];
}

/** `C_{10}^3`, `C_{10}^{3}`, `A_5^2`: combinations and arrangements of numbers. The cursor is after the letter. */
function parseChosen(p: Parser, letter: string): Node | null {
  const [first, second] = [p.peek(0).text, p.isOperator('_', '^') ? smallWhole(p, 1) : null];
  if (second?.[0] == null) return null;
  const sign = p.peek(second[1]);
  if (sign.type !== 'operator' || !/^[_^]$/.test(sign.text) || sign.text === first) return null;
  const third = smallWhole(p, second[1] + 1);
  if (third[0] === null) return null;
  const [n, k] = first === '_' ? [second[0], third[0]] : [third[0], second[0]];
  return chosen(p, letter, n, k, third[1]);
}

/** The call, where it has a value and no other letter shows that the letter is a variable. */
function chosen(p: Parser, letter: string, n: Node, k: Node, length: number): Node | null {
  if (n.kind !== 'number' || k.kind !== 'number' || k.value.numerator > n.value.numerator) return null;
  const variables = p.tokens.some(({ type, text }) => type === 'symbol' && !CHOSEN.test(text));
  if (letter !== 'C' && variables) return null;
  p.at += length;
  return p.node({ kind: 'call', name: letter === 'C' ? 'binomial' : 'permutations', arguments: [n, k] });
}

/** `{}_{10}C_3`: the number before the letter. The cursor is at `_` or `^`. */
function parseIndexBefore(p: Parser): Node | null {
  const before = smallWhole(p, 1);
  const letter = p.peek(before[1]);
  if (before[0] === null || letter.type !== 'symbol' || !CHOSEN.test(letter.text)) return null;
  if (p.peek(before[1] + 1).text !== '_') return null;
  const after = smallWhole(p, before[1] + 2);
  return after[0] && chosen(p, letter.text, before[0], after[0], after[1]);
}

function parseName(p: Parser): Node {
  const token = p.next();
  let { text: name } = token;
  const constant = token.type === 'constant';
  if (constant && !p.isOperator('_', "'") && !p.bound.includes(name)) {
    return p.node({ kind: 'constant', name: name as 'pi' });
  }
  const chosen = CHOSEN.test(name) ? parseChosen(p, name) : null;
  if (chosen) return chosen;
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
  const solution = letter === 'y' && /^[xt]$/.test(p.peek(1).text);
  if (!certain && !(lone && (solution || MAYBE_FUNCTIONS.test(letter)))) return null;
  if (letter === 'phi' && !lone) return null;
  const operands = parseArguments(p);
  if (letter === 'Gamma' && operands.length === 1) {
    return p.node({ kind: 'call', name: 'gamma', arguments: operands });
  }
  // `f(x)_{\max}` is `f_{\max}(x)`.
  if (p.isOperator('_') && certain) {
    p.next();
    const index = subscriptName(p);
    if (index === null) throw parseError;
    return p.node({ kind: 'application', name: `${name}_${index}`, arguments: operands });
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
