/**
 * Cuts prose into sentences, and sentences into formulas, numbers, symbols and words. Markdown, quotes and HTML tags are left
 * out. It reads one sentence at a time and never looks back, so nothing behind the sentence that is asked for costs time.
 */
import { limits } from '../limits';
import { isNumberWord } from '../parse/number-words';
import { FormulaReader } from './formulas';
import {
  ABBREVIATION,
  EMPHASIS,
  IDEOGRAPHS,
  LETTER,
  LIST_MARK,
  MACRO,
  MATH_CHARACTER,
  NEXT_WORD,
  NUMBER,
  ORDINAL,
  SHORTENED,
  TAG,
  WORD,
  match,
} from './lexemes';
import type { ProseToken, ProseType, Sentence } from './sentence';
import { classifyWord, isNoteworthyMacro } from './vocabulary';

/** Tokens of one sentence; what follows is another one. The parser takes no more. */
const MOST_TOKENS = 2 * limits.nodes;

export class ProseReader {
  at: number;
  readonly #text: string;
  readonly #limit: number;
  readonly #formulas: FormulaReader;
  readonly #numberWords: boolean;
  #tokens: ProseToken[] = [];
  #space = false;
  /** At the start of a line. */
  #fresh: boolean;
  /** No group of a macro closes from here on. */
  #open = false;

  /**
   * @param options numberWords: "twelve" is a number. midLine: `start` is not the start of a line, so that no list mark stands
   * there.
   */
  constructor(text: string, start: number, limit: number, options: { numberWords: boolean; midLine?: boolean }) {
    this.#text = text;
    this.at = start;
    this.#limit = limit;
    this.#formulas = new FormulaReader(text, limit);
    this.#numberWords = options.numberWords;
    this.#fresh = options.midLine !== true;
  }

  #push(type: ProseType, end: number, text = this.#text.slice(this.at, end)): void {
    this.#tokens.push({ type, text, start: this.at, end, space: this.#space });
    this.#space = false;
    this.at = end;
  }

  #skip(end: number, space = true): void {
    this.at = end;
    this.#space ||= space;
  }

  /** A line that ends like this goes on: `The volume is:` and then a formula. */
  #dangles(): boolean {
    const last = this.#tokens.at(-1);
    return !last || last.type === 'colon' || last.text === '=' || /^(?:is|are|be|equals)$/.test(last.text);
  }

  /** The next sentence, or null at the end. Empty lines and list marks before it are skipped. */
  sentence(): Sentence | null {
    this.#tokens = [];
    this.#space = false;
    while (this.at < this.#limit && this.#tokens.length < MOST_TOKENS) {
      const character = this.#text[this.at];
      if (character === '\n') {
        this.at++;
        this.#space = true;
        this.#fresh = true;
        if (this.#dangles()) continue;
        return this.#finish(false);
      }
      if (character === ' ' || character === '\t' || character === '\r') {
        this.#skip(this.at + 1);
        continue;
      }
      const mark = this.#fresh && this.#tokens.length === 0 ? match(LIST_MARK, this.#text, this.at) : null;
      this.#fresh = false;
      if (mark !== null) {
        this.#skip(this.at + mark.length);
        continue;
      }
      const stop = this.#read(character);
      if (stop !== null && this.#tokens.length > 0) return this.#finish(stop === '?');
    }
    return this.#tokens.length > 0 ? this.#finish(false) : null;
  }

  #finish(question: boolean): Sentence {
    return { tokens: this.#tokens, question, end: Math.min(this.at, this.#limit) };
  }

  /** Reads one token. Returns the character that ended the sentence, else null. */
  #read(character: string): string | null {
    const { at } = this;
    const text = this.#text;
    if ((character >= '0' && character <= '9') || (character === '.' && /\d/.test(text.charAt(at + 1)))) this.#number();
    else if (LETTER.test(character)) this.#word();
    else if (character === '\\') this.#backslash();
    else if ('$€£¥₹'.includes(character)) this.#currency();
    else if ('.!?。！？'.includes(character)) return this.#punctuation(character);
    else if (',;，；、'.includes(character)) this.#push('joiner', at + 1);
    else if (character === ':' || character === '：') this.#colon();
    else if (character === '<') this.#less();
    else if (character === '-' || character === '–' || character === '—') this.#dash();
    else if (character === '*' || character === '_' || EMPHASIS.test(character)) this.#emphasis(character);
    else if (character > '\u007f') this.#foreign();
    else if (character > ' ') this.#push('symbol', at + 1);
    else this.#skip(at + 1);
    return null;
  }

  #number(): void {
    const { at } = this;
    const text = this.#text;
    let end = at + match(NUMBER, text, at)!.length;
    const ordinal = match(ORDINAL, text, end);
    if (ordinal !== null) {
      this.#push('word', end + ordinal.length);
      return;
    }
    // A currency sign behind the number; a pair of them are delimiters.
    if (/^\s?[$€£¥₹]/.test(text.slice(end, end + 2))) {
      const sign = text[end] === ' ' ? end + 1 : end;
      if ('$€£¥₹'.includes(text.charAt(sign)) && (text[sign] !== '$' || this.#formulas.read(sign) === null))
        end = sign + 1;
    }
    this.#push('number', end);
  }

  #word(): void {
    const { at } = this;
    const text = this.#text;
    const abbreviation = match(ABBREVIATION, text, at);
    if (abbreviation !== null && abbreviation.length > 3) {
      this.#push('word', at + abbreviation.length);
      return;
    }
    const word = match(WORD, text, at)!;
    const end = at + word.length;
    if (this.#numberWords && this.#numberWord(word, end)) return;
    this.#push(classifyWord(word, this.#tokens.at(-1), this.#space, text.slice(end, end + 4)), end);
  }

  /** `twelve`, `forty two`, `minus five`; not the pronoun `one`, nor the words in `12 (twelve)`. */
  #numberWord(word: string, end: number): boolean {
    const before = this.#tokens.at(-1);
    const isSpelled = before?.type === 'number' && LETTER.test(before.text);
    const lower = word.toLowerCase();
    const isSign =
      /^(?:minus|negative)$/.test(lower) &&
      (match(NEXT_WORD, this.#text, end)?.trim().toLowerCase().split('-').every(isNumberWord) ?? false);
    if (!isSign && !lower.split('-').every(isNumberWord)) return false;
    if (lower === 'one' && !isSpelled) return false;
    if (before?.text === '(') this.#push('word', end);
    else if (isSpelled) {
      before.text += ` ${word}`;
      before.end = this.at = end;
    } else this.#push('number', end);
    return true;
  }

  #backslash(): void {
    const { at } = this;
    const text = this.#text;
    const next = text.charAt(at + 1);
    if (next === '(' || next === '[' || text.startsWith('\\begin', at)) {
      const formula = this.#formulas.read(at);
      if (formula) {
        this.#push('formula', formula.end, formula.text);
        return;
      }
    }
    if (next === '$') this.#currency();
    else if ('%{}|'.includes(next) && next !== '') this.#push('symbol', at + 2);
    else if (/[A-Za-z]/.test(next)) this.#macro();
    else this.#skip(at + 2);
  }

  #macro(): void {
    const text = this.#text;
    const name = match(MACRO, text, this.at)!;
    if (!isNoteworthyMacro(name)) {
      this.#skip(this.at + name.length);
      return;
    }
    let end = this.at + name.length;
    while (!this.#open && (text[end] === '{' || (text[end] === '[' && name === '\\sqrt'))) {
      const close = this.#closing(end);
      if (close < 0) break;
      end = close + 1;
    }
    this.#push('symbol', end);
  }

  #closing(from: number): number {
    let depth = 0;
    for (let at = from; at < this.#limit; at++) {
      const character = this.#text[at];
      if (character === '\\') at++;
      else if (character === '{' || character === '[') depth++;
      else if ((character === '}' || character === ']') && --depth === 0) return at;
    }
    this.#open = true;
    return -1;
  }

  #currency(): void {
    const { at } = this;
    const text = this.#text;
    const formula = text[at] === '$' ? this.#formulas.read(at) : null;
    if (formula) {
      this.#push('formula', formula.end, formula.text);
      return;
    }
    const amount = match(NUMBER, text, at) ?? '';
    if (/\d/.test(amount)) this.#push('number', at + amount.length);
    else this.#skip(text[at] === '\\' ? at + 2 : at + 1, false);
  }

  #punctuation(character: string): string | null {
    const { at } = this;
    const text = this.#text;
    const next = text.charAt(at + 1);
    const last = this.#tokens.at(-1);
    if (character === '.' && next === '.') {
      let end = at;
      while (text[end] === '.' && end < this.#limit) end++;
      this.#push('symbol', end, '...');
      return null;
    }
    const ends = next === '' || /[\s"”'’*_)\]`<\\$（(]/.test(next);
    if (
      character === '!' &&
      last &&
      !this.#space &&
      /[\w)\]}!]$/.test(last.text) &&
      !(ends && /^\s*(?:$|[A-Z\n])/.test(text.slice(at + 1, at + 4)))
    ) {
      this.#push('symbol', at + 1);
      return null;
    }
    if (character === '.' && !ends && !/[A-Z\u0080-\uffff]/.test(next)) {
      this.#skip(at + 1, false);
      return null;
    }
    this.at++;
    if (
      character === '.' &&
      last?.type === 'word' &&
      SHORTENED.test(last.text) &&
      /^ [a-z0-9$\\(]/.test(text.slice(at + 1, at + 3))
    )
      return null;
    return character;
  }

  #colon(): void {
    const { at } = this;
    const between =
      this.#tokens.at(-1)?.type === 'number' && this.#space && /^ ?\d/.test(this.#text.slice(at + 1, at + 3));
    const ratio =
      between ||
      (/\d|\w|\$/.test(this.#text.charAt(this.at + 1)) && !this.#space && this.#tokens.at(-1)?.type !== 'word');
    this.#push(ratio ? 'symbol' : 'colon', this.at + 1);
  }

  #less(): void {
    const tag = match(TAG, this.#text, this.at);
    if (tag !== null) this.#skip(this.at + tag.length);
    else if (this.#text[this.at + 1] === '|') this.at = this.#limit;
    else this.#push('symbol', this.at + 1);
  }

  /** A minus sign, or a dash between parts of a sentence. */
  #dash(): void {
    const { at } = this;
    const next = this.#text.charAt(at + 1);
    const long = this.#text[at] === '—' || next === '-';
    const wide = this.#space && next === ' ';
    const words = this.#tokens.at(-1)?.type === 'word' || /^[A-Za-z]{2}/.test(this.#text.slice(at + 2, at + 4));
    this.#push(
      long || (wide && words && this.#tokens.length > 0) ? 'word' : 'symbol',
      next === '-' ? at + 2 : at + 1,
      '-',
    );
  }

  #emphasis(character: string): void {
    const { at } = this;
    const text = this.#text;
    let end = at;
    while (text[end] === character && end < this.#limit) end++;
    const before = this.#tokens.at(-1);
    const tight = before !== undefined && !this.#space && end < this.#limit && !/\s/.test(text[end]);
    const loose = this.#space && /\s/.test(text.charAt(end));
    const math =
      before !== undefined && before.type !== 'word' && /^\s{0,3}(?:[\w(\\${]|\.\d)/.test(text.slice(end, end + 6));
    if (character === '>' && before) this.#push('symbol', at + 1);
    else if (
      (character === '*' && math && (tight || loose)) ||
      (character === '_' && math && tight && end === at + 1)
    ) {
      this.#push('symbol', end);
    } else this.#skip(end, false);
  }

  #foreign(): void {
    const { at } = this;
    const run = match(IDEOGRAPHS, this.#text, at);
    if (run !== null) {
      this.#push(/^(?:和|或|与|及)$/.test(run) ? 'joiner' : 'word', at + run.length);
      return;
    }
    const character = String.fromCodePoint(this.#text.codePointAt(at)!);
    if (MATH_CHARACTER.test(character)) this.#push('symbol', at + character.length);
    else if (/\p{L}/u.test(character)) this.#push('word', at + character.length);
    else this.#skip(at + character.length);
  }
}
