/** Numbers with a unit or currency, and numbers in words. */
import { divide, one, type Rational } from '../exact/rational';
import type { Node, QuantityNode } from '../node';
import { afterPrimes, parseSum } from './expression';
import { numberFromWords, isNumberWord } from './number-words';
import { parseError } from './parse-error';
import { integer, type Parser } from './parser';
import { readUnit, type Unit } from './units';

const CURRENCIES: Record<string, string> = {
  $: 'dollars',
  '€': 'euros',
  '£': 'pounds sterling',
  '¥': 'yen',
  '￥': 'yuan',
  '₹': 'rupees',
};

/** Words after a value that are no unit: they change what it says, or join it to something else. */
const NO_UNIT =
  /^(?:not|is|are|if|when|where|for|with|such|or|and|but|because|since|so|then|than|mod|base|from|to|that|which|a|an|the|no|none|maybe|either|neither|as|at|only)$/;

const word = (text: string): Unit => ({ name: text, dimension: null, scale: one });

/** `$12`, `\frac13 \text{ meters}`, `5 million dollars`, `twelve apples`, or an expression without a unit. */
export function parseQuantity(p: Parser): Node {
  const words = numberInWords(p);
  if (words) return withUnit(p, words);
  const negative = p.isOperator('-') && p.peek(1).type === 'currency';
  if (negative) p.next();
  if (p.is('currency') || (p.is('word') && /^(?:usd|rs|rmb)$/i.test(p.token.text))) {
    const unit = readUnit(CURRENCIES[p.token.text] ?? p.token.text) ?? word(p.token.text);
    p.next();
    if (p.isOperator('stop')) p.next();
    const value = parseSum(p);
    // `$5 per hour`, `$12 million`: what follows adds nothing that a comparison would use.
    unitWords(p);
    const signed = negative ? p.node<Node>({ kind: 'negation', operand: value }) : value;
    return p.node({ kind: 'quantity', value: signed, unit });
  }
  return marksOfLength(p) ?? withUnit(p, parseSum(p));
}

/** `16''`, `5' 10''`: inches and feet, or parts of a degree; which of them nothing says. */
function marksOfLength(p: Parser): Node | null {
  if (!p.is('number')) return null;
  const [minutes, seconds] = [afterPrimes(p, 1, 1), afterPrimes(p, 1, 2)];
  const end = minutes ?? seconds;
  if (end === null) return null;
  const value = p.token.number!;
  p.at += end;
  if (minutes === null) return p.node({ kind: 'quantity', value, unit: word('″') });
  const rest = p.is('number') ? afterPrimes(p, 1, 2) : null;
  if (rest === null) return p.node({ kind: 'quantity', value, unit: word('′') });
  const parts: Node[] = [
    p.node({ ...value }),
    p.node({ kind: 'quotient', numerator: p.token.number!, denominator: integer(12) }),
  ];
  p.at += rest;
  return p.node({ kind: 'quantity', value: p.node<Node>({ kind: 'sum', terms: parts }), unit: readUnit('feet')! });
}

function numberInWords(p: Parser): Node | null {
  if (!p.is('word') || !/^(?:minus|negative)$|^[a-z]+(?:-[a-z]+)?$/i.test(p.token.text)) return null;
  const first = p.token.text.toLowerCase().split('-')[0];
  if (!isNumberWord(first) && first !== 'minus' && first !== 'negative' && first !== 'a') return null;
  // The longest run of words that is a number.
  const words: string[] = [];
  let best: { value: Rational; end: number } | null = null;
  for (let offset = 0; offset < 12; offset++) {
    const token = p.peek(offset);
    const text = token.text.toLowerCase();
    const joins =
      token.type === 'word' ||
      (token.type === 'symbol' && text === 'a') ||
      (token.type === 'operator' && text === 'and') ||
      (token.type === 'operator' && text === '-' && words.length > 0);
    if (!joins || p.at + offset >= p.tokens.length) break;
    words.push(text);
    const value = numberFromWords(words.join(' '));
    if (value) best = { value, end: p.at + offset + 1 };
  }
  if (!best) return null;
  p.at = best.end;
  return p.node({ kind: 'number', value: best.value, significant: null, decimals: 0 });
}

/** The text of a unit at the cursor: words with powers, slashes and "per". Null where there is none. */
function unitWords(p: Parser): string | null {
  const start = p.at;
  let text = '';
  while (!p.done) {
    const { token } = p;
    const { type } = token;
    if (type === 'word') {
      if (NO_UNIT.test(token.text.toLowerCase())) break;
      text += /[/*]$/.test(text) ? token.text : ` ${token.text}`;
    } else if (type === 'symbol' && /(?:\/|\*|per )$/.test(text)) {
      text += token.text;
    } else if (type === 'operator' && token.text === 'stop' && text !== '') {
      // `sq. ft.`
    } else if (type === 'operator' && token.text === '^' && text !== '') {
      const braced = p.peek(1).text === '{';
      const power = p.peek(braced ? 2 : 1);
      if (power.digits === undefined) break;
      text += `^${power.digits}`;
      p.at += braced ? 3 : 1;
    } else if (
      type === 'operator' &&
      (token.text === '/' || token.text === '*') &&
      /^(?:word|symbol)$/.test(p.peek(1).type)
    ) {
      text += text === '' ? 'per ' : token.text;
    } else if (type === 'operator' && token.text === '°' && /^[CF]$/.test(p.peek(1).text)) {
      text += ` °${p.peek(1).text}`;
      p.next();
    } else if (type === 'currency' && text === '') {
      text += CURRENCIES[token.text] ?? token.text;
    } else if (type === 'open' && token.text === '(' && p.peek(1).type === 'word' && p.peek(2).text === ')') {
      text += ` ${p.peek(1).text}`;
      p.at += 2;
    } else break;
    p.next();
  }
  if (text.trim() === '') {
    p.at = start;
    return null;
  }
  return text.trim();
}

function withUnit(p: Parser, value: Node): Node {
  const quantity = readQuantity(p, value);
  return quantity?.unit.dimension ? compound(p, quantity) : (quantity ?? value);
}

/** Words that change the number before them: what it counts is none of them. */
const CHANGES =
  /^(?:squared|cubed|factorial|doubled|tripled|halved|minus|plus|twice|negative|halves|thirds|tens|tenths|hundredths|thousandths|millionths|half$|third$)(?![A-Za-z])/i;

/** The value with the unit at the cursor; null where there is none. */
function readQuantity(p: Parser, value: Node): QuantityNode | null {
  const text = unitWords(p);
  if (text === null) return null;
  const unit = readUnit(text);
  if (unit) return p.node({ kind: 'quantity', value, unit });
  // A noun: `12 apples`. Symbols alone with words behind them are a sentence, not a quantity.
  if (!hasNumber(value) || CHANGES.test(text.trim())) throw parseError;
  return p.node({ kind: 'quantity', value, unit: word(text.toLowerCase()) });
}

/** `7 hours 30 minutes`, `5 ft 3 in`: parts in units of one dimension add up, neighbours in different ones. */
function compound(p: Parser, first: QuantityNode): QuantityNode {
  const terms = [first.value];
  let { unit } = first;
  for (;;) {
    const start = p.at;
    p.accept('operator', 'and');
    const next = p.is('number') ? p.attempt(() => readQuantity(p, parseSum(p))) : null;
    if (next?.unit.dimension !== unit.dimension || next.unit.name === unit.name) {
      p.at = start;
      break;
    }
    ({ unit } = next);
    const ratio = p.node<Node>({
      kind: 'number',
      value: divide(unit.scale, first.unit.scale),
      significant: null,
      decimals: 0,
    });
    terms.push(p.node({ kind: 'product', factors: [next.value, ratio] }));
  }
  if (terms.length === 1) return first;
  return p.node({ kind: 'quantity', value: p.node<Node>({ kind: 'sum', terms }), unit: first.unit });
}

/** Whether a number or a constant is in it. */
function hasNumber(node: Node): boolean {
  switch (node.kind) {
    case 'number':
    case 'constant':
      return true;
    case 'negation':
    case 'percent':
    case 'degrees':
      return hasNumber(node.operand);
    case 'sum':
      return node.terms.some(hasNumber);
    case 'product':
      return node.factors.some(hasNumber);
    case 'quotient':
      return hasNumber(node.numerator) || hasNumber(node.denominator);
    case 'power':
      return hasNumber(node.base);
    case 'root':
      return hasNumber(node.radicand);
    default:
      return false;
  }
}
