/** The state of the recursive descent over the tokens of one answer, with its budgets for nodes and depth. */
import { type Budget, BudgetExceeded } from '../budget';
import { rational } from '../exact/rational';
import { limits } from '../limits';
import type { Node, NumberNode } from '../node';
import { ParseError, parseError } from './parse-error';
import type { Token, TokenType } from './token';

const END: Token = { type: 'end', text: '', space: true, inText: false };

export class Parser {
  at = 0;
  #depth = 0;
  #nodes = 0;
  /** How many `|...|` are open: a bar inside one closes it. */
  bars = 0;
  /** How many integrals are open: `dx` ends the integrand. */
  integrals = 0;
  /** How many environments of aligned lines are open: a line may continue the relation of the one before. */
  aligned = 0;
  /** How many lines of a definition by cases are open: a new row ends a list there. */
  rows = 0;
  /** How many brackets are open: words inside them are no units. */
  brackets = 0;
  /** Index variables of open sums: `i` is one of them there. */
  readonly bound: string[] = [];

  constructor(
    readonly tokens: readonly Token[],
    readonly budget: Budget,
  ) {}

  get token(): Token {
    return this.tokens[this.at] ?? END;
  }

  peek(offset: number): Token {
    return this.tokens[this.at + offset] ?? END;
  }

  get done(): boolean {
    return this.at >= this.tokens.length;
  }

  is(type: TokenType, text?: string): boolean {
    const token = this.token;
    return this.at < this.tokens.length && token.type === type && (text === undefined || token.text === text);
  }

  isOperator(...texts: string[]): boolean {
    return this.is('operator') && texts.includes(this.token.text);
  }

  /** Takes the token if it is this one. */
  accept(type: TokenType, text?: string): boolean {
    if (!this.is(type, text)) return false;
    this.at++;
    return true;
  }

  /** A closing brace that is missing at the end of an answer is forgiven: it may have been cut off with its box. */
  expect(type: TokenType, text: string): void {
    if (!this.accept(type, text) && !(this.done && text === '}')) throw parseError;
  }

  next(): Token {
    if (this.done) throw parseError;
    return this.tokens[this.at++];
  }

  /** Counts a node. */
  node<T extends Node>(node: T): T {
    if (++this.#nodes > limits.nodes) throw new BudgetExceeded('an answer has too many terms');
    this.budget.spend(0.5);
    return node;
  }

  /** Checks the length of a chain that nests to the left: `a/b/c`, `5!!!!`. */
  chain(length: number): void {
    if (length > limits.depth) throw new BudgetExceeded('an answer is nested too deeply');
  }

  /** Runs `parse` one level deeper. */
  deeper<T>(parse: () => T): T {
    this.budget.spend(0.1);
    if (++this.#depth > limits.depth) throw new BudgetExceeded('an answer is nested too deeply');
    try {
      return parse();
    } finally {
      this.#depth--;
    }
  }

  /** Runs `parse` with `bars`, `integrals` closed: a bracket hides them. */
  enclosed<T>(parse: () => T): T {
    const [bars, integrals] = [this.bars, this.integrals];
    this.bars = 0;
    this.integrals = 0;
    this.brackets++;
    try {
      return this.deeper(parse);
    } finally {
      this.bars = bars;
      this.integrals = integrals;
      this.brackets--;
    }
  }

  /** Tries `parse`; on a parse error the cursor is back where it was and the result null. */
  attempt<T>(parse: () => T): T | null {
    const { at, bars, integrals, brackets, rows } = this;
    const bound = this.bound.length;
    const depth = this.#depth;
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.at = at;
      this.bars = bars;
      this.integrals = integrals;
      this.brackets = brackets;
      this.rows = rows;
      this.bound.length = bound;
      this.#depth = depth;
      return null;
    }
  }
}

export const integer = (value: number | bigint): NumberNode => ({
  kind: 'number',
  value: rational(BigInt(value)),
  significant: null,
  decimals: 0,
});

/** An integer written as such. */
export const isWholeNumber = (node: Node): node is NumberNode =>
  node.kind === 'number' && node.significant === null && node.value.denominator === 1n;
