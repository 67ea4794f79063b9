/** Tokens of an answer. */
import type { NumberNode } from '../node';

export type TokenType =
  | 'number'
  | 'symbol'
  | 'constant'
  | 'function'
  | 'command'
  | 'operator'
  | 'open'
  | 'close'
  | 'set'
  | 'currency'
  | 'word'
  | 'begin'
  | 'end';

export interface Token {
  type: TokenType;
  text: string;
  /** White space (also TeX space) stands before it. */
  space: boolean;
  /** It was inside `\text{}`. */
  inText: boolean;
  number?: NumberNode;
  /** The digits of a bare integer. */
  digits?: string;
  /** Base that a prefix gives the digits: 16 of `0x1F`. */
  base?: number;
  /** Power of ten that is too large to be written out. */
  exponent?: number;
}
