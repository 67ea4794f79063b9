/**
 * Cuts the added tokens (such as <|im_end|>) out of a text before anything else sees it, by the rules of Hugging Face's
 * Rust tokenizers: the leftmost, longest match; tokens that are not `normalized` in the raw text, the others in what
 * the normalizer makes of the rest; `lstrip` and `rstrip` take the white space beside them; `single_word` matches only
 * between non-word characters.
 */
import { isJsonObject } from '../json-object';
import { checkpointError } from './checkpoint-file';

export interface AddedToken {
  id: number;
  content: string;
  special: boolean;
  normalized: boolean;
  singleWord: boolean;
  lstrip: boolean;
  rstrip: boolean;
}

/** A piece of text still to be tokenized, or an added token. */
export type Piece = string | AddedToken;

const SPACE_BEFORE = /\p{White_Space}*$/u;
const SPACE_AFTER = /\p{White_Space}*/uy;
const WORD_BEFORE = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const WORD_AFTER = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/uy;

/** The `added_tokens` of tokenizer.json, checked. */
export function parseAddedTokens(source: unknown, file: string): AddedToken[] {
  if (!Array.isArray(source ?? []))
    throw checkpointError(`${file}: added_tokens is not a list; download or save it again.`);
  return ((source ?? []) as unknown[]).map((entry) => {
    if (!isJsonObject(entry) || typeof entry.content !== 'string' || !isTokenId(entry.id)) {
      throw checkpointError(`${file}: an entry of added_tokens has no content or id; download or save it again.`);
    }
    const special = entry.special === true;
    return {
      id: entry.id,
      content: entry.content,
      special,
      normalized: typeof entry.normalized === 'boolean' ? entry.normalized : !special,
      singleWord: entry.single_word === true,
      lstrip: entry.lstrip === true,
      rstrip: entry.rstrip === true,
    };
  });
}

/** Ids are array indices later: far more than any vocabulary, far less than memory. */
export function isTokenId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 24;
}

/** Finds some added tokens in texts. */
export class AddedTokenSplitter {
  private readonly tokens = new Map<string, AddedToken>();
  private readonly pattern: RegExp | null;

  /** @param contentOf the text to look for; default the token's content */
  constructor(tokens: readonly AddedToken[], contentOf: (token: AddedToken) => string = (token) => token.content) {
    for (const token of tokens) {
      const content = contentOf(token);
      if (content !== '') this.tokens.set(content, token);
    }
    // An alternation takes its first match, so the longest comes first.
    const contents = [...this.tokens.keys()].sort((a, b) => b.length - a.length);
    const escaped = contents.map((content) => content.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
    this.pattern = contents.length === 0 ? null : new RegExp(escaped.join('|'), 'gu');
  }

  /** Non-empty pieces whose texts, with the white space that tokens strip, make up `text`. */
  split(text: string): Piece[] {
    const pieces: Piece[] = [];
    let end = 0;
    const addText = (stop: number) => {
      if (stop > end) pieces.push(text.slice(end, stop));
    };
    for (const { 0: content, index } of this.pattern === null ? [] : text.matchAll(this.pattern)) {
      const token = this.tokens.get(content)!;
      let start = index;
      let stop = index + content.length;
      if (token.singleWord && (WORD_BEFORE.test(text.slice(0, start)) || matchLength(WORD_AFTER, text, stop) > 0))
        continue;
      if (token.lstrip) start -= SPACE_BEFORE.exec(text.slice(end, start))![0].length;
      if (token.rstrip) stop += matchLength(SPACE_AFTER, text, stop);
      addText(start);
      pieces.push(token);
      end = stop;
    }
    addText(text.length);
    return pieces;
  }
}

function matchLength(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0].length ?? 0;
}
