/** From the text of an answer to the trees that it may mean. */
import { type Budget, BudgetExceeded } from '../budget';
import { limits } from '../limits';
import { contains } from '../compare/rewrite';
import type { Node } from '../node';
import { plainCharacters } from './characters';
import { dateOf } from './dates';
import { parseList } from './items';
import { ParseError } from './parse-error';
import { Parser } from './parser';
import { withMarkedUnits } from './plain-measures';
import { tokenize, type TokenizeOptions } from './tokenize';
import { readUnit } from './units';

/** Words before a value that do not change it. */
const LEADING =
  /^(?:(?:is|are|equals?|equal to|approximately|about|roughly|around|exactly|only|just|thus|so|hence|therefore|option|choice|answer|the answer is)(?![a-z])[:\s]*|[=≈:]\s*|\\approx(?![a-z])\s*)/i;

/** Clauses after a value that explain its names: `where k is an integer`. */
const CLAUSE = /^(?:where|for|with|since|because|as)$/i;

const NAMED: [RegExp, 'empty' | 'reals'][] = [
  [
    /^(?:(?:there (?:are|is) )?no (?:real )?(?:solutions?|roots?|values?)(?: exists?)?|(?:the )?empty set|none)$/,
    'empty',
  ],
  [/^(?:all|any|every) (?:real numbers?|reals?|real values?)(?: of [a-z]| [a-z])?$/, 'reals'],
];

/** Marks around an answer that are not part of it. */
const WRAPPERS: [string, string][] = [
  ['**', '**'], ['__', '__'], ['`', '`'], ['"', '"'], ['$$', '$$'], ['$', '$'], ['\\(', '\\)'], ['\\[', '\\]'],
]; // prettier-ignore

/** Without the punctuation and white space at its end; an ellipsis and an escaped character stay. */
function withoutTail(text: string): string {
  let end = text.length;
  while (end > 0 && /[\s.,;:]/.test(text[end - 1])) end--;
  const tail = text.slice(end);
  return tail.startsWith('...') || text[end - 1] === '\\' ? text.trimEnd() : text.slice(0, end);
}

/** TeX space, and words of a sentence in `\text{}`, before a value. */
const LEADING_SPACE =
  /^(?:\\(?:[,;:! ]|q?quad(?![a-z]))\s*|~|\\text(?:rm|bf|it)?\s*\{\s*(?:[Ss]o,? |[Tt]hus,? |[Hh]ence,? )?(?:[Tt]he )?(?:[Ff]inal )?[Aa]nswer(?: is)?\s*[:=]?\s*\}\s*(?=\S))+/;

/** Removes what wraps an answer: Markdown emphasis, delimiters of mathematics, quotes, a final stop, words before a value. */
function unwrap(text: string): string {
  let result = text.trim().replace(LEADING_SPACE, '');
  for (let round = 0; round < 8; round++) {
    const before = result;
    result = withoutTail(result).replace(LEADING, '').trimStart();
    for (const [open, close] of WRAPPERS) {
      if (result.length < open.length + close.length || !result.startsWith(open) || !result.endsWith(close)) continue;
      const inner = result.slice(open.length, result.length - close.length);
      if (!inner.includes(close) && !inner.includes(open)) result = inner.trim();
    }
    if (result === before) break;
  }
  return result;
}

/** `$` that no partner closes is a currency. */
function hasLoneDollar(text: string): boolean {
  let count = 0;
  for (let at = text.indexOf('$'); at >= 0; at = text.indexOf('$', at + 1)) if (text[at - 1] !== '\\') count++;
  return count % 2 === 1;
}

function parseWhole(text: string, options: TokenizeOptions, budget: Budget): Node | null {
  try {
    const tokens = tokenize(text, options, budget);
    if (tokens.length === 0) return null;
    const p = new Parser(tokens, budget);
    let node = parseList(p, false);
    if (p.accept('command', 'over'))
      node = p.node({ kind: 'quotient', numerator: node, denominator: parseList(p, false) });
    while (p.isOperator('stop', ',', 'quad')) p.next();
    if (p.is('word') && CLAUSE.test(p.token.text)) return node;
    return p.done ? node : null;
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}

/** A comma that may be a decimal one: neither one nor three digits behind it (`1,2` is a list), or a lone zero before two. */
const DECIMAL_COMMA = /\d,(?:\d{2}|\d{4,})(?![\d,])|(?:^|[^\d,.])0,\d{2,}(?![\d,])|\d\.\d{3},\d/;

/** Groups that may as well be the items of a list: three of them, none of which starts with a zero. */
const GROUPS_OR_LIST = /(?<![\d.,])[1-9]\d{2}(?:,[1-9]\d{2}){2,}(?![\d,])/;

/** Readings of one text as mathematics, the likelier first. */
function readings(text: string, budget: Budget): Node[] {
  const base = { dollars: hasLoneDollar(text) };
  const groups = /(?<![\d.])[1-9]\d{0,2},(?:\d{2},)*\d{3}(?!\d)/.test(text);
  const brackets = /[([{]/.test(text.replace(/\{,\}|[\^_]\{[^{}]*\}/g, ''));
  // Between round and square brackets a comma separates, which the tokenizer sees to; elsewhere it groups.
  const orders = !groups ? [false] : GROUPS_OR_LIST.test(text) ? [true, false] : [true];
  const variants: TokenizeOptions[] = orders.map((groupCommas) => ({ ...base, groupCommas, decimalComma: false }));
  if (!brackets && DECIMAL_COMMA.test(text)) variants.push({ ...base, groupCommas: false, decimalComma: true });
  const nodes = variants.map((options) => parseWhole(text, options, budget)).filter((node) => node !== null);
  // `2\pi hr`: the unit may be two variables.
  if (nodes.some((node) => mayHaveLetters(node, text, budget))) {
    const letters = parseWhole(text, { ...variants[0], unitsAsLetters: true }, budget);
    if (letters !== null && letters.kind !== 'quantity') nodes.push(letters);
  }
  return nodes;
}

/** Whether a unit that no `\text{}` marks stands behind an expression, or inside a root or fraction. */
function mayHaveLetters(node: Node, text: string, budget: Budget): boolean {
  if (node.kind === 'quantity') return !isNumeral(node.value) && /(?<!\\[A-Za-z]*)[A-Za-z]{2,3}$/.test(text.slice(-24));
  return (
    /[A-Za-z]{2}\}/.test(text) && isScalarOfUnits(node) && contains(node, ({ kind }) => kind === 'quantity', budget)
  );
}

const isScalarOfUnits = ({ kind }: Node): boolean =>
  /^(?:root|quotient|product|sum|power|negation|relation)$/.test(kind);

const isNumeral = (node: Node): boolean =>
  node.kind === 'number' || (node.kind === 'quotient' && isNumeral(node.numerator) && isNumeral(node.denominator));

/** `5 m`, `60 km/h` outside TeX text: letters that read as variables may be a unit. */
function withPlainUnit(text: string, budget: Budget): Node[] {
  let start = text.length;
  while (start > 0 && /[A-Za-z^/*. {}0-9-]/.test(text[start - 1]) && text.length - start < 40) start--;
  const boundary = /(?:\d\s?|\s|\})(?=[A-Za-z])/.exec(text.slice(start));
  if (!boundary) return [];
  const at = start + boundary.index + boundary[0].length;
  const unit = readUnit(text.slice(at).replace(/[{}]/g, ''));
  // `5m` without a space is more likely a variable.
  if (!unit || (/^[a-zA-Z]$/.test(text.slice(at)) && !/\s$/.test(text.slice(0, at)))) return [];
  return readings(text.slice(0, at).trim(), budget)
    .filter(
      (value) =>
        value.kind === 'number' || value.kind === 'quotient' || value.kind === 'product' || value.kind === 'root',
    )
    .map((value) => ({ kind: 'quantity', value, unit }));
}

/** Words as they compare: no TeX wrappers, lower case, single spaces, no final stop. Null where TeX remains. */
function plainText(text: string): string | null {
  const bare = text
    .replace(
      /\\(?:text|textbf|textit|textrm|textnormal|textsf|mathrm|mathbf|mbox|emph|operatorname)\s*\{([^{}]*)\}/g,
      ' $1 ',
    )
    .replace(/\\[,;:! ]|\\quad|~|\$|\*\*|["“”`]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  // `Yes!` is an exclamation, `x!` and `n+1!` are factorials.
  const words = withoutTail(/\p{L}{2}!$/u.test(bare) ? bare.slice(0, -1) : bare)
    .replace(/^\(\s*([A-Za-z])\s*\)$/, '$1')
    .toLowerCase();
  return /[\\^_{}#&]/.test(words) || !/\p{L}/u.test(words) ? null : words;
}

/** `^\circ\text{C}` at the end of an answer. */
const TEMPERATURE = /(?:\^\s?\{?\s?\\circ\s?\}?|\\degree)\s?(?:\\(?:text|mathrm|rm)\s?\{\s?)?([CF])(?:\s?\})?$/;

/** `2F`: digits of a base above ten without its mark. */
const LARGE_DIGITS = /^(?:\\text\s?\{\s?)?(?=[\dA-F]*\d)(?=[\dA-F]*[A-F])([\dA-F]{2,16})(?:\s?\})?$/;

/** Choices in a row, digits of large bases and dates are no longer, with TeX around them. */
const LONGEST_MARK = 40;

const ANOTHER_LABEL = /(?:^|[\s(,;])[A-J][.):](?:\s|$)/;

/** `AC`, `A C`, `\text{BD}`: several choices in a row, each once. */
const CHOICES = /^(?:\\text(?:bf|rm|it)?\s*\{)?\s*([A-H](?:(?:\\ |\\,|\s)?[A-H]){1,6})\s*\}?$/;

/** The letters of several choices as a list; null for any other text. */
function choicesOf(text: string): Node | null {
  const letters = CHOICES.exec(text)?.[1].replace(/[^A-H]/g, '') ?? '';
  if (letters === '' || new Set(letters).size < letters.length) return null;
  return { kind: 'list', items: Array.from(letters, (name): Node => ({ kind: 'symbol', name })), or: false };
}

/** `circumference = 2 pi r`: words that name a value. */
const NAMED_VALUE = /^(?:\\text\s*\{)?\s*([A-Za-z]{3,30}(?: [A-Za-z]{1,30}){0,4})\s*\}?\s*=\s*([^=]+)$/;

/** `(C) 12`, `C. twelve`: the label of a choice and what it labels. */
const LABELLED =
  /^(?:\\(?:text(?:bf|rm|it)?|math(?:rm|bf))\s*\{\s*\(?([A-J])\)?[.:]?\s*\}|\(([A-J])\)|([A-J])[.):])(?:\\[,;: ]|~|\s|\\q?quad)*(?=\S)/;

/** `Group 1: 2, 3 and group 2: 5, 6`: the lists behind two labels or more, as one. */
const LIST_LABEL = /(?:^|[,;]\s*|\s)(?:and\s+)?[A-Za-z]{3,20}(?:\s\d{1,2})?\s?:\s*/g;

function labelledLists(text: string, budget: Budget): Node[] {
  const parts = text.split(LIST_LABEL);
  if (parts.length < 3 || parts[0].trim() !== '') return [];
  const items: Node[] = [];
  for (const part of parts.slice(1)) {
    const [node] = readings(part.replace(/(?:[,;]|\band)\s*$/, '').trim(), budget) as (Node | undefined)[];
    if (node === undefined) return [];
    items.push(...(node.kind === 'list' ? node.items : [node]));
  }
  return [{ kind: 'list', items, or: false }];
}

/**
 * What `text` may mean, the likeliest reading first; none where it is neither mathematics nor words. Commas between digits
 * have two or three readings, a labelled choice two.
 *
 * @throws BudgetExceeded for an answer that is too long, too deep or has too many terms.
 */
export function parseAnswer(text: string, budget: Budget): Node[] {
  if (text.length > limits.answerCharacters) throw new BudgetExceeded('an answer is too long');
  // Text that shows in another order than it is stored is not what a reader sees.
  if (/[\u202d\u202e]/.test(text)) return [];
  const plain = unwrap(plainCharacters(text).replace(/\s+/g, ' ')).replace(TEMPERATURE, '\\degree $1');
  if (plain === '') return [];
  const measure = withMarkedUnits(plain);
  // Without marks `5 ft 3 in` is a product of letters, and `in` and `min` are signs.
  const result = measure !== null && measure.parts > 1 ? [] : readings(plain, budget);
  if (measure !== null && result.length === 0) result.push(...readings(measure.text, budget));
  const label: (string | undefined)[] | null = LABELLED.exec(plain);
  if (label) {
    const letter = (label[1] ?? label[2] ?? label[3] ?? '').toLowerCase();
    const rest = plain.slice((label[0] ?? '').length);
    // `C:A` labels nothing, nor do several options in a row.
    if (!/^[+\-*/^_=<>]|^\(?[A-J]\)?[.\s]*$/.test(rest) && !ANOTHER_LABEL.test(rest)) {
      const values = readings(unwrap(rest), budget);
      if (values.length === 0) values.push({ kind: 'text', text: plainText(rest) ?? rest });
      result.push({ kind: 'choice', letter, values });
    }
  }
  if (
    result.some(({ kind }) => kind === 'product' || kind === 'quotient') &&
    /[a-zA-Z](?:\^?\{?[23]\}?)?$/.test(plain)
  ) {
    result.push(...withPlainUnit(plain, budget));
  }
  const named = result.length === 0 ? NAMED_VALUE.exec(plain) : null;
  if (named) {
    const name: Node = { kind: 'symbol', name: named[1].toLowerCase() };
    for (const value of readings(named[2], budget)) {
      result.push({ kind: 'relation', operands: [name, value], operators: ['='] });
    }
  }
  const words = plainText(plain);
  if (plain.length <= LONGEST_MARK) {
    const digits = LARGE_DIGITS.exec(plain)?.[1];
    if (digits !== undefined) result.push({ kind: 'text', text: digits.toLowerCase() });
    const choices = choicesOf(plain);
    if (choices) result.push(choices);
    const date = words === null ? null : dateOf(words);
    if (date !== null) return [{ kind: 'text', text: date }];
  }
  if (result.length === 0 && words !== null) result.push(...labelledLists(plain, budget));
  if (words !== null) {
    for (const [pattern, name] of NAMED) if (pattern.test(words)) result.push({ kind: 'namedSet', name });
    if (result.length === 0 || (/^[\p{L}\s'-]+$/u.test(words) && result[0].kind !== 'number')) {
      result.push({ kind: 'text', text: words });
    }
  }
  return result;
}
