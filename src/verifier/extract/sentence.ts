/** A sentence of a completion, cut into tokens. */

export type ProseType = 'formula' | 'number' | 'symbol' | 'word' | 'joiner' | 'colon';

export interface ProseToken {
  type: ProseType;
  /** As written; a formula without its delimiters. */
  text: string;
  start: number;
  end: number;
  /** White space stands before it. */
  space: boolean;
}

export interface Sentence {
  tokens: ProseToken[];
  question: boolean;
  /** Index after the sentence and its punctuation. */
  end: number;
}

/** The tokens as text, with the spaces that stood between them. */
export function textOf(tokens: readonly ProseToken[]): string {
  return tokens.map((token, at) => (at > 0 && token.space ? ' ' : '') + token.text).join('');
}
