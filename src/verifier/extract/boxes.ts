/**
 * Finds `\boxed{}`, `\fbox{}` and `\framebox{}`. One pass from the end with a stack of closing braces: it stops at the boxes
 * that count, so an answer near the end of a long completion costs little, and no text costs more than its length.
 */
import { LONGEST_GLUE, readGlue } from './glue';
import { match } from './lexemes';
import { isPlaceholder } from './placeholder';

export interface Box {
  /** Content without the white space around it. */
  text: string;
  /** Index of the backslash. */
  start: number;
  /** Index just after the box. */
  end: number;
}

/** Boxes beyond these do not join a list. */
const MOST_BOXES = 1000;

const BACKSLASH = 92;
const OPEN = 123;
const CLOSE = 125;
const NAMES = ['\\boxed', '\\fbox', '\\framebox'] as const;

/** What a box without braces takes: a number, a command with its groups, a letter, or one pair of parentheses. */
const NUMBER = /[-+\u2212]?(?:\d[\d.,]{0,400}|\.\d{1,400})(?:\/\d{1,400})?%?/y;
const COMMAND = /\\[A-Za-z]+/y;
const LETTER = /[A-Za-z](?![A-Za-z])/y;
const PARENTHESES = /\([^()\n]{1,80}\)/y;
const LONGEST_COMMAND = 400;
/** White space, and the width and position of `\framebox[2cm][c]{}`. */
const OPTIONS = /\s{0,8}(?:\[[^\][\n]{0,40}\]){0,2}/y;

const isLetter = (code: number): boolean => (code >= 65 && code <= 90) || (code >= 97 && code <= 122);

function isEscaped(text: string, at: number): boolean {
  if (text.charCodeAt(at - 1) !== BACKSLASH) return false;
  let before = at - 1;
  while (before >= 0 && text.charCodeAt(before) === BACKSLASH) before--;
  return (at - before) % 2 === 0;
}

/** Index after the name of a box command at `at`, or -1. */
function afterName(text: string, at: number): number {
  for (const name of NAMES) {
    if (text.startsWith(name, at)) return isLetter(text.charCodeAt(at + name.length)) ? -1 : at + name.length;
  }
  return -1;
}

function skipOptions(text: string, at: number): number {
  if (text.charCodeAt(at) === OPEN) return at;
  return at + (match(OPTIONS, text, at)?.length ?? 0);
}

/** End of a command and of the groups and digits that follow it, at most LONGEST_COMMAND characters on. */
function endOfCommand(text: string, at: number): number {
  const limit = Math.min(text.length, at + LONGEST_COMMAND);
  let here = at;
  while (here < limit && text[here] === '{') {
    let depth = 0;
    let close = here;
    for (; close < limit; close++) {
      if (text[close] === '\\') close++;
      else if (text[close] === '{') depth++;
      else if (text[close] === '}' && --depth === 0) break;
    }
    if (close >= limit) break;
    here = close + 1;
  }
  if (here === at) while (here < limit && here < at + 2 && /\d/.test(text[here])) here++;
  return here;
}

/** End of what a box without braces takes at `at`; `at` when there is nothing. */
function endOfBare(text: string, at: number): number {
  const number = match(NUMBER, text, at)?.replace(/[.,]+$/, '');
  if (number !== undefined && number !== '') return at + number.length;
  const command = match(COMMAND, text, at);
  if (command !== null) return endOfCommand(text, at + command.length);
  return at + (match(LETTER, text, at) ?? match(PARENTHESES, text, at) ?? '').length;
}

/** What stands before a box that is meant to hold the answer, unlike the `in` of a prompt. */
const STATES = /(?:\b(?:is|are|be|equals)|=|\banswer\**:)[\s$(\\[*:]*$/i;

class BoxScanner {
  /** The box nearest the end that no brace closes; it takes the rest of its line. */
  unterminated: Box | null = null;
  /** End of the box nearest the end of the text, where that breaks off in it or left it empty where it states an answer. */
  withdrawn: number | null = null;
  #first = true;
  readonly #text: string;
  readonly #closes: number[] = [];
  #at: number;
  /** The brace that was opened last, on the way to the start, and what closes it (-1: nothing). */
  #open = -1;
  #close = -1;

  constructor(text: string) {
    this.#text = text;
    this.#at = text.includes('box') ? text.length - 1 : -1;
  }

  /** The next box towards the start that holds something. Gives up before `from`, outside of braces that close after it. */
  next(from: number): Box | null {
    const text = this.#text;
    const closes = this.#closes;
    const outer = closes.length;
    for (let at = this.#at; at >= 0; at--) {
      if (at < from && closes.length <= outer) {
        this.#at = at;
        return null;
      }
      const code = text.charCodeAt(at);
      if (code === CLOSE) {
        if (!isEscaped(text, at)) closes.push(at);
      } else if (code === OPEN) {
        if (isEscaped(text, at)) continue;
        this.#open = at;
        this.#close = closes.pop() ?? -1;
      } else if (code === BACKSLASH) {
        const initial = text.charCodeAt(at + 1);
        if (initial !== 98 && initial !== 102) continue;
        const name = afterName(text, at);
        if (name < 0) continue;
        const box = this.#read(at, skipOptions(text, name));
        this.#first = false;
        if (box === null) continue;
        this.#at = at - 1;
        return box;
      }
    }
    this.#at = -1;
    return null;
  }

  #read(start: number, at: number): Box | null {
    const text = this.#text;
    if (text[at] !== '{') {
      const end = endOfBare(text, at);
      return end === at ? null : { text: text.slice(at, end), start, end };
    }
    if (this.#open !== at || this.#close < 0) {
      this.unterminated ??= this.#readLine(start, at + 1);
      return null;
    }
    const content = text.slice(at + 1, this.#close).trim();
    if (!isPlaceholder(content)) return { text: content, start, end: this.#close + 1 };
    if (this.#first && STATES.test(text.slice(Math.max(0, start - 20), start))) this.withdrawn = this.#close + 1;
    return null;
  }

  #readLine(start: number, at: number): Box | null {
    const newline = this.#text.indexOf('\n', at);
    const end = newline < 0 ? this.#text.length : newline;
    const line = this.#text.slice(at, Math.min(end, at + 2000)).trim();
    // The end of the formula that the box stands in ends it too.
    const formulaEnd = /(?<!\\)\$|\\[)\]]/.exec(line)?.index ?? 0;
    // `\boxed{\frac{3}{7}` lacks its brace; `\boxed{5` may go on.
    if (this.#first && newline < 0 && formulaEnd === 0 && !/[}\])][.\s]{0,8}$/.test(line)) this.withdrawn = end;
    const content = line.slice(0, formulaEnd || undefined).replace(/[.\s]{1,8}$/, '');
    return isPlaceholder(content) ? null : { text: content, start, end };
  }
}

export interface BoxList {
  /** In reading order; more than one where they form one list. Boxes of the same content are one. */
  boxes: Box[];
  joinedByOr: boolean;
  /** False for a box that no brace closes. */
  complete: boolean;
  /** End of a later box that the text breaks off in, or that was left empty: none of the boxes is the answer then. Else null. */
  withdrawn: number | null;
}

/** Blanks stay between letters and digits: `2 1/3` is not `21/3`. */
const withoutSpaces = (text: string): string => text.replace(/\s+/g, ' ').replace(/(?<!\w) | (?!\w)/g, '');

/** The last box, with the boxes that form one list with it. An unterminated box only where there is no other. */
export function findBoxes(text: string): BoxList | null {
  const scanner = new BoxScanner(text);
  const last = scanner.next(0);
  if (last === null) {
    const { unterminated, withdrawn } = scanner;
    if (!unterminated) return withdrawn !== null ? { boxes: [], joinedByOr: false, complete: false, withdrawn } : null;
    return { boxes: [unterminated], joinedByOr: false, complete: false, withdrawn };
  }
  const { withdrawn } = scanner;
  const boxes = [last];
  let joinedByOr = false;
  for (let first = last; boxes.length < MOST_BOXES;) {
    const previous = scanner.next(first.start - LONGEST_GLUE);
    if (previous === null || previous.end > first.start) break;
    const joint = readGlue(text.slice(previous.end, first.start));
    if (joint === 'earlier') boxes[boxes.length - 1] = previous;
    else if (joint === 'and' || joint === 'or') boxes.push(previous);
    if (joint !== 'and' && joint !== 'or') break;
    joinedByOr ||= joint === 'or';
    first = previous;
  }
  const distinct = new Map(boxes.reverse().map((box) => [withoutSpaces(box.text), box]));
  return { boxes: [...distinct.values()], joinedByOr: joinedByOr && distinct.size > 1, complete: true, withdrawn };
}

/**
 * The last box whose braces balance and that holds more than a placeholder, the innermost of nested ones. Without braces
 * (`\boxed 5`) a box takes the next number, command or letter. Where all that is found is a box without an end, it takes the
 * rest of its line.
 */
export function lastBox(text: string): Box | null {
  const scanner = new BoxScanner(text);
  return scanner.next(0) ?? scanner.unterminated;
}
