/**
 * Reads the four operations and parentheses over decimal numbers, exactly and nothing else: no power, no floor division, no
 * names. Brackets side by side multiply, numbers side by side are no expression. What is not such an expression is null.
 */
import {
  add,
  divide,
  isZero,
  multiply,
  negate,
  rational,
  subtract,
  type Rational,
} from '../../verifier/exact/rational';

export interface Expression {
  value: Rational;
  /** The numbers in the order written. */
  numbers: Rational[];
}

/** Longer texts are not read: an expression of the task has a few numbers. */
const MAX_LENGTH = 400;
const MAX_DEPTH = 64;

const OPERATORS: readonly (readonly [RegExp, string])[] = [
  [/[×·∙⋅]|\\times|\\cdot/g, '*'],
  [/÷|\\div/g, '/'],
  [/[−–]/g, '-'],
  [/\\(?:left|right)(?![A-Za-z])|\\[()[\],;! ]|\$/g, ' '],
  [/[[{]/g, '('],
  [/[\]}]/g, ')'],
  // `2 x 3`, `(2)x(3)`
  [/(?<=[\d)]\s{0,3})[xX](?=\s{0,3}[-+]?\s{0,3}[\d(])/g, '*'],
];
/** `\frac{1}{2}`, with no group inside. */
const FRACTION = /\\[dt]?frac\s?\{([^{}]*)\}\s?\{([^{}]*)\}/g;
/** `\boxed{2*3}` around the whole text. */
const BOX = /^[\s$]*\\boxed\s?\{([^]*)\}[\s$.]*$/;

/** The text inside the box that is all of `text`, else `text`. */
export const withoutBox = (text: string): string => BOX.exec(text)?.[1] ?? text;
const TOKEN = /\s*(?:((?:0|[1-9]\d*)(?:\.\d+)?)(?![\d.])|([-+*/()]))/y;

type Token = Rational | string;

function decimal(text: string): Rational {
  const [whole, fraction = ''] = text.split('.');
  return rational(BigInt(whole + fraction), 10n ** BigInt(fraction.length));
}

function tokensOf(text: string): Token[] | null {
  const tokens: Token[] = [];
  let at = 0;
  while (text.slice(at).trim() !== '') {
    TOKEN.lastIndex = at;
    const found: (string | undefined)[] | null = TOKEN.exec(text);
    if (found === null) return null;
    const [, number, operator] = found;
    tokens.push(number === undefined ? (operator ?? '') : decimal(number));
    at = TOKEN.lastIndex;
  }
  return tokens;
}

class Reader {
  readonly numbers: Rational[] = [];
  private at = 0;
  private depth = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  get done(): boolean {
    return this.at === this.tokens.length;
  }

  /** Null: no such thing stands here, or a division by zero. */
  sum(): Rational | null {
    let value = this.product();
    for (;;) {
      const sign = value !== null && this.take('+', '-');
      if (!sign) return value;
      const next = this.product();
      value = value && next && (sign === '+' ? add(value, next) : subtract(value, next));
    }
  }

  private product(): Rational | null {
    let value = this.signed();
    for (;;) {
      // `2(3)`, `(2)(3)`, `(2)3`
      const beside = this.tokens.at(this.at) === '(' || this.tokens[this.at - 1] === ')';
      const sign = value !== null && (this.take('*', '/') ?? (beside && this.startsOperand() ? '' : null));
      if (sign === false || sign === null) return value;
      const next = sign === '' ? this.primary() : this.signed();
      if (value === null || next === null || (sign === '/' && isZero(next))) return null;
      value = sign === '/' ? divide(value, next) : multiply(value, next);
    }
  }

  private startsOperand(): boolean {
    const token = this.done ? ')' : this.tokens[this.at];
    return typeof token !== 'string' || token === '(';
  }

  private signed(): Rational | null {
    const sign = this.take('+', '-');
    const value = this.primary();
    return value !== null && sign === '-' ? negate(value) : value;
  }

  private primary(): Rational | null {
    const token = this.tokens.at(this.at);
    if (this.done || token === undefined) return null;
    if (typeof token !== 'string') {
      this.at++;
      this.numbers.push(token);
      return token;
    }
    if (token !== '(' || ++this.depth > MAX_DEPTH) return null;
    this.at++;
    const value = this.sum();
    this.depth--;
    return value !== null && this.take(')') ? value : null;
  }

  private take(...wanted: string[]): string | null {
    const token = this.tokens.at(this.at);
    if (this.done || typeof token !== 'string' || !wanted.includes(token)) return null;
    this.at++;
    return token;
  }
}

/** The value and the numbers of `text`, or null. × ÷ · − x, their LaTeX names, `\frac` and a box around all are read. */
export function readExpression(text: string): Expression | null {
  if (text.length > MAX_LENGTH) return null;
  const fractions = withoutBox(text).replace(FRACTION, '(($1)/($2))');
  const plain = OPERATORS.reduce((line, [written, operator]) => line.replace(written, operator), fractions);
  const tokens = tokensOf(plain);
  if (tokens === null || tokens.length === 0) return null;
  const reader = new Reader(tokens);
  const value = reader.sum();
  return value === null || !reader.done ? null : { value, numbers: reader.numbers };
}
