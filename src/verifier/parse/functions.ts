/** Known functions and the big operators: what they apply to is seldom in brackets. */
import type { BoundNode, FunctionName, Node } from '../node';
import { isDifferential, parseExponent, parsePostfix, parseProduct, parseSum, parseUnary } from './expression';
import { parseError } from './parse-error';
import { integer, type Parser } from './parser';
import { parseArguments, parsePrimary, parseSubscript } from './primary';

const INVERSE: Partial<Record<FunctionName, FunctionName>> = {
  sin: 'arcsin', cos: 'arccos', tan: 'arctan', cot: 'arccot', sec: 'arcsec', csc: 'arccsc',
  sinh: 'arcsinh', cosh: 'arccosh', tanh: 'arctanh',
}; // prettier-ignore

const MANY = new Set<FunctionName>(['gcd', 'lcm', 'max', 'min']);

/** `sin 2x cos x` is sin(2x)·cos(x): the argument without brackets is a product that ends before the next function. */
function openArgument(p: Parser): Node {
  return p.deeper(() => {
    if (p.is('function')) return parsePostfix(p);
    const negative = p.isOperator('-');
    if (negative || p.isOperator('+')) p.next();
    let result = parsePostfix(p);
    for (;;) {
      const starts =
        p.is('number') ||
        p.is('symbol') ||
        p.is('constant') ||
        (p.is('command') && /^(?:frac|sqrt)$/.test(p.token.text));
      if (starts && !(p.integrals > 0 && isDifferential(p))) {
        result = p.node({ kind: 'product', factors: [result, parsePostfix(p)] });
      } else if (p.isOperator('/') && result.kind !== 'quotient' && p.peek(1).type !== 'word') {
        p.next();
        result = p.node({ kind: 'quotient', numerator: result, denominator: parsePostfix(p) });
      } else return negative ? p.node({ kind: 'negation', operand: result }) : result;
    }
  });
}

/** `sin x`, `\sin^2(x)`, `\log_2 8`, `max(a, b)`. The cursor is at the name. */
export function parseFunctionArgument(p: Parser): Node {
  return p.deeper(() => {
    let name = p.next().text as FunctionName;
    let base: Node | null = null;
    let power: Node | null = null;
    for (;;) {
      if (p.isOperator('_') && base === null) {
        p.next();
        base = parseSubscript(p);
      } else if (p.isOperator('^') && power === null) {
        p.next();
        power = parseExponent(p);
      } else break;
    }
    const inverse = INVERSE[name];
    if (power && inverse && isMinusOne(power)) {
      name = inverse;
      power = null;
    }
    const list = p.is('open') && (p.token.text === '(' || p.token.text === '\\{' || p.token.text === '[');
    let operands: Node[];
    if (list) operands = parseArguments(p);
    else if (p.is('open', '{')) operands = braced(p);
    else operands = [openArgument(p)];
    if (!MANY.has(name) && operands.length !== 1 && !(name === 'log' && operands.length === 2)) throw parseError;
    if (name === 'log' && operands.length === 2) operands.reverse();
    const call = p.node<Node>(
      base && (name === 'log' || name === 'ln')
        ? { kind: 'call', name: 'log', arguments: [base, operands[0]] }
        : { kind: 'call', name, arguments: operands },
    );
    return power ? p.node({ kind: 'power', base: call, exponent: power }) : call;
  });
}

/** `\log{x}`, `\max{a, b}`. */
function braced(p: Parser): Node[] {
  const node = parsePrimary(p);
  return node.kind === 'list' ? node.items : [node];
}

function isMinusOne(node: Node): boolean {
  return (
    node.kind === 'negation' &&
    node.operand.kind === 'number' &&
    node.operand.value.numerator === 1n &&
    node.operand.value.denominator === 1n
  );
}

/** `\frac{a}{b}`, `\frac12`, and `\frac{dy}{dx}` as a name. The cursor is after the command. */
export function parseFraction(p: Parser): Node {
  const [numerator, denominator] = [parseShort(p), parseShort(p)];
  const name = derivativeName(numerator, denominator);
  if (name) return p.node({ kind: 'symbol', name });
  return p.node({ kind: 'quotient', numerator, denominator });
}

function derivativeName(top: Node, bottom: Node): string | null {
  const differential = (node: Node): string | null =>
    node.kind === 'product' &&
    node.factors.length === 2 &&
    node.factors[0].kind === 'symbol' &&
    /^[d∂]$/.test(node.factors[0].name) &&
    node.factors[1].kind === 'symbol'
      ? `${node.factors[0].name}${node.factors[1].name}`
      : null;
  const [above, below] = [differential(top), differential(bottom)];
  return above && below ? `${above}/${below}` : null;
}

/** An argument of a command: a group or one operand (the tokenizer gives `\frac12` its digits one by one). */
export function parseShort(p: Parser): Node {
  return p.deeper(() => (p.is('function') ? parseFunctionArgument(p) : parsePrimary(p)));
}

/** `\sqrt{x}`, `\sqrt[3]{x}`, `sqrt(x)`, `\sqrt 2`. The cursor is after the command. */
export function parseRoot(p: Parser, cubic: boolean): Node {
  let degree: Node = integer(cubic ? 3 : 2);
  if (p.is('open', '[')) {
    p.next();
    degree = p.enclosed(() => parseSum(p));
    p.expect('close', ']');
  }
  const radicand = p.deeper(() => (p.is('function') ? parseFunctionArgument(p) : parsePrimary(p)));
  return p.node({ kind: 'root', radicand, degree });
}

/** `\sum_{k=1}^{n} a_k`, `\int_0^1 f dx`, `\lim_{x \to 0} f`. The cursor is after the command. */
export function parseBound(p: Parser, command: string): Node {
  return p.deeper(() => {
    if (command === 'lim') return parseLimit(p);
    if (command === 'int') return parseIntegral(p);
    let lower: Node | null = null;
    let upper: Node | null = null;
    let variable = '';
    while (p.isOperator('_', '^')) {
      if (p.next().text === '_') {
        p.expect('open', '{');
        variable = boundName(p);
        p.expect('operator', '=');
        lower = parseSum(p);
        p.expect('close', '}');
      } else upper = parseExponent(p);
    }
    if (!lower || !upper) throw parseError;
    p.bound.push(variable);
    const body = parseProduct(p);
    p.bound.pop();
    const operator: BoundNode['operator'] = command === 'sum' ? 'sum' : 'product';
    return p.node({ kind: 'bound', operator, variable, lower, upper, body });
  });
}

function boundName(p: Parser): string {
  const token = p.next();
  if (token.type !== 'symbol' && token.type !== 'constant') throw parseError;
  return token.text;
}

function parseLimit(p: Parser): Node {
  p.expect('operator', '_');
  p.expect('open', '{');
  const variable = boundName(p);
  p.expect('operator', '→');
  const lower = parseSum(p);
  if (p.isOperator('^')) throw parseError;
  p.expect('close', '}');
  const body = parseProduct(p);
  return p.node({ kind: 'bound', operator: 'limit', variable, lower, upper: null, body });
}

function parseIntegral(p: Parser): Node {
  let lower: Node | null = null;
  let upper: Node | null = null;
  while (p.isOperator('_', '^')) {
    if (p.next().text === '_') lower = p.is('open', '{') ? parsePrimary(p) : parseUnary(p);
    else upper = parseExponent(p);
  }
  p.integrals++;
  const body = isDifferential(p) ? integer(1) : parseSum(p);
  p.integrals--;
  if (!isDifferential(p)) throw parseError;
  p.next();
  const variable = p.next().text;
  return p.node({ kind: 'bound', operator: 'integral', variable, lower, upper, body });
}
