/** Answers in words: names, choices, yes and no. */
import type { Budget } from '../budget';
import type { Node } from '../node';
import type { Decision } from './decision';

/** Not before a lone letter: `A C` are two choices. */
const ARTICLE = /^(?:the|an?) (?=..)/;
/** `x = odd` states the word. */
const NAME = /^[a-z]\w{0,9} ?= ?/;
const CHOICE = /^(?:choice |option |answer )?\(?([a-z])\)?$/;
/** `(c) twelve`, `c. twelve`: a choice with what it says. */
const LABELLED = /^\(?([a-z])[).:] /;

/** The name of a letter: symbols, and the constants that are letters. */
function letterOf(node: Node): string | null {
  if (node.kind === 'symbol') return node.name;
  return node.kind === 'constant' && node.name !== 'infinity' ? node.name : null;
}

/** The word that letters side by side spell, as in `odd` read as o·d·d; null for any other node. */
function spelled(node: Node, budget: Budget): string | null {
  if (node.kind !== 'product') return letterOf(node)?.toLowerCase() ?? null;
  let word = '';
  for (const factor of node.factors) {
    budget.spend(0.5);
    const letters = factor.kind === 'product' ? spelled(factor, budget) : letterOf(factor);
    if (letters === null) return null;
    word += letters;
  }
  return word.toLowerCase();
}

const normalize = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[\s_]+/g, ' ')
    .replace(/ (?=[,;.])/g, '')
    .trim()
    .replace(NAME, '')
    .replace(ARTICLE, '');

const choiceOf = (text: string): string | null => CHOICE.exec(text)?.[1] ?? null;

const ANOTHER_LABEL = /.(?:[\s(,;])[a-j][.):](?:\s|$)|^\(?[a-z][).:] \(?[a-j]\)?$/;

/** Null also where several choices stand in a row. */
const labelOf = (text: string): string | null => (ANOTHER_LABEL.test(text) ? null : (LABELLED.exec(text)?.[1] ?? null));

/** The letter of a choice that is all a node says, in lower case. */
export function bareChoice(node: Node): string | null {
  if (node.kind === 'symbol') return /^[A-Ja-j]$/.test(node.name) ? node.name.toLowerCase() : null;
  return node.kind === 'text' ? choiceOf(normalize(node.text)) : null;
}

/** Names that are choices: between them `=` states nothing. */
export const isChoiceLetter = (node: Node): boolean => node.kind === 'symbol' && /^[A-J]$/.test(node.name);

const CHOICES = /^[A-E]$/;

/** `C` against `c` as whole answers: letters of choices, whose case does not count. */
export function isSameChoice(a: Node, b: Node): boolean {
  if (a.kind !== 'symbol' || b.kind !== 'symbol') return false;
  return CHOICES.test(a.name.toUpperCase()) && a.name.toUpperCase() === b.name.toUpperCase();
}

const UNDEFINED =
  /^(?:the )?(?:limit |value |sum |it |this )?(?:d\.?n\.?e|(?:does|do)(?: not|n'?t) exist|not exist|non-?existent|(?:is )?undefined|(?:is )?not defined|no (?:such )?(?:limit|value)(?: exists?)?|不存在|无意义)$/;

/** Letters that stand for a word. */
const ABBREVIATED = new Map([['t', 'true'], ['f', 'false'], ['y', 'yes'], ['n', 'no']]); // prettier-ignore

/** What a kind is a kind of: `isosceles triangle`. */
const CLASS =
  / (?:triangle|quadrilateral|parallelogram|trapezoid|function|number|sequence|series|distribution|matrix)s?$/;

/** Whether two texts are usual wordings of one answer. */
function isSameWording(a: string, b: string): boolean {
  if (UNDEFINED.test(a)) return UNDEFINED.test(b);
  if (ABBREVIATED.get(a) === b) return true;
  if (a === 'neither') return /^neither [a-z -]+ nor [a-z -]+$/.test(b);
  return CLASS.test(b) && !CLASS.test(a) && b.replace(CLASS, '') === a;
}

/** Compares two nodes of which at least one is text. A number never equals text: number words are numbers already. */
export function compareTexts(a: Node, b: Node, budget: Budget): Decision {
  for (const [text, other] of [
    [a, b],
    [b, a],
  ]) {
    // `2F` in words has the digits of 2F₁₆.
    if (text.kind === 'text' && other.kind === 'based')
      return text.text === other.digits.toLowerCase() ? 'equal' : 'different';
  }
  const words = [a, b].map((node) => (node.kind === 'text' ? normalize(node.text) : spelled(node, budget)));
  const [left, right] = words;
  if (left === null || right === null) return 'different';
  budget.spend((left.length + right.length) / 100);
  // The same words but for case, blanks, an article and a name before them, or one wording of the same.
  if (left === right || isSameWording(left, right) || isSameWording(right, left)) return 'equal';
  const [first, second] = [choiceOf(left), choiceOf(right)];
  if (first !== null && second !== null) return first === second ? 'equal' : 'different';
  const labelled = (first !== null && first === labelOf(right)) || (second !== null && second === labelOf(left));
  return labelled ? 'equal' : 'different';
}

/** Words in a row as items of a list: `Monday, Tuesday and Friday`. */
export function listedWords(text: string): Node[] {
  const words = text.split(/,|;| and | or /).map((word) => word.trim().replace(/^(?:and|or) /, ''));
  return words.filter((word) => word !== '').map((word) => ({ kind: 'text', text: word }));
}
