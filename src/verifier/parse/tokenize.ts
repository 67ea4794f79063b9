/**
 * Cuts an answer into tokens: TeX, plain text and mathematics in words, one after the other in the same answer if need be.
 * Letters outside `\text{}` are variables, except in runs that are known names or look like words.
 */
import { type Budget, BudgetExceeded } from '../budget';
import { rational } from '../exact/rational';
import { limits } from '../limits';
import { accentCommands, commands, ignoredCommands, plainWords, textCommands } from './commands';
import { isProductOfLetters, type RunContext } from './letter-runs';
import { readNumber, type NumberReading } from './number-literal';
import { parseError } from './parse-error';
import { isShortArgument } from './short-argument';
import type { Token, TokenType } from './token';

const LETTERS = /[A-Za-z]+/y;
const COMMAND = /\\([A-Za-z]+)\*?/y;
const WORD =
  /[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]+(?:['-][A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]+)*/y;
/** Everything that is neither ASCII nor Latin. */
const FOREIGN = /[^\p{ASCII}\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]+/uy;

/** Digits of a base above ten, at least one of them a letter. */
const LARGE_BASE = /(?=\d*[A-Fa-f])[0-9A-Fa-f]{1,64}(?=_(?:1[1-6]|\{\s*1[1-6]\s*\}))/y;

/** `1,050`: no item of a list starts with a zero. */
const ZERO_GROUP = /^\d{1,3},0\d\d(?!\d)/;

const PREFIXED = /0(?:[xX][0-9a-fA-F]{1,64}|[bB][01]{1,200}|[oO][0-7]{1,64})(?![A-Za-z0-9])/y;

/** `st` of `21st`; not `nd` of `3nd`. */
const ORDINAL = /^(?:\^\{?\s*)?(?:\\(?:text|mathrm|rm)\s*\{\s*)?(st|nd|rd|th)(?![A-Za-z])\s*\}?\s*\}?/;

/** Whether digits of which commas or blanks are left out end in the ordinal. */
function takesOrdinal(digits: string, ending: string): boolean {
  const teen = /1\d$/.test(digits);
  const [last = '0'] = digits.slice(-1);
  return ending === (teen ? 'th' : (({ 1: 'st', 2: 'nd', 3: 'rd' } as Record<string, string>)[last] ?? 'th'));
}

const MULTIPLE: [string, string][] = [
  ['//', '∥'],
  ['<=', '≤'], ['>=', '≥'], ['=<', '≤'], ['=>', '⇒'], ['!=', '≠'], ['<>', '≠'], ['==', '='], ['~=', '≈'], ['->', '→'], ['...', '…'],
  ['**', '^'], ['+-', '±'], ['+/-', '±'],
]; // prettier-ignore
const SINGLE = "+-*/^_!',;:|=<>%&?";

export interface TokenizeOptions extends NumberReading {
  /** `$` is a currency sign, not a delimiter. */
  dollars: boolean;
  /** The letters of units are variables: `2\pi hr`. Default false. */
  unitsAsLetters?: boolean;
}

class Tokenizer {
  readonly tokens: Token[] = [];
  at = 0;
  space = false;
  /** How many round, square and set brackets are open. */
  round = 0;
  depth = 0;
  readonly #plain: boolean;
  /** `\\` before a brace may start a new row. */
  readonly #hasRows: boolean;

  constructor(
    readonly text: string,
    readonly options: TokenizeOptions,
    readonly budget: Budget,
    readonly inText: boolean,
  ) {
    this.#plain = !text.includes('\\');
    this.#hasRows = !this.#plain && text.includes('\\begin');
  }

  push(type: TokenType, text: string, more: Partial<Token> = {}): void {
    if (this.tokens.length >= 2 * limits.nodes) throw new BudgetExceeded('an answer has too many tokens');
    if (type === 'open' && text !== '{') this.round++;
    else if (type === 'close' && text !== '}') this.round--;
    this.tokens.push({ type, text, space: this.space, inText: this.inText, ...more });
    this.space = false;
  }

  skipSpaces(): void {
    while (/\s/.test(this.text[this.at] ?? '') || this.text[this.at] === '~') this.at++;
  }

  /** Content of the brace group at the cursor, or the next single character or command. */
  group(): string {
    this.skipSpaces();
    if (this.text[this.at] !== '{') {
      COMMAND.lastIndex = this.at;
      const single = COMMAND.exec(this.text)?.[0] ?? this.text.charAt(this.at);
      this.at += single.length;
      return single;
    }
    const start = this.at + 1;
    let depth = 0;
    for (; this.at < this.text.length; this.at++) {
      const character = this.text[this.at];
      if (character === '\\') this.at++;
      else if (character === '{') depth++;
      else if (character === '}' && --depth === 0) return this.text.slice(start, this.at++);
    }
    // The last brace is missing: the rest is meant.
    return this.text.slice(start);
  }

  nested(content: string, inText: boolean): void {
    if (++this.depth > 20) throw new BudgetExceeded('an answer is nested too deeply');
    const inner = new Tokenizer(content, this.options, this.budget, inText);
    inner.depth = this.depth;
    inner.round = this.round;
    inner.space = this.space;
    for (const token of inner.all()) {
      if (this.tokens.length >= 2 * limits.nodes) throw new BudgetExceeded('an answer has too many tokens');
      this.tokens.push(token);
    }
    this.space = inner.space;
    this.depth--;
  }

  command(): void {
    const { text } = this;
    COMMAND.lastIndex = this.at;
    const found = COMMAND.exec(text);
    if (!found) {
      const next = text.charAt(this.at + 1);
      this.at += 2;
      if (next === '\\') {
        // `\\%`: an escape escaped.
        if (text[this.at] === '%' || (/[{}$]/.test(text.charAt(this.at)) && !this.#hasRows)) {
          this.at--;
          this.command();
          return;
        }
        // `\\frac` is a doubled backslash where a known command follows, else a new row.
        COMMAND.lastIndex = this.at - 1;
        const name = COMMAND.exec(text)?.[1];
        if (name !== undefined && name.length > 1 && (known(name) || textCommands.has(name))) this.at--;
        else this.push('operator', 'row');
      } else if (next === '{' || next === '}') this.push(next === '{' ? 'open' : 'close', `\\${next}`);
      else if (next === '|') this.push('operator', '‖');
      else if (next === '%') this.push('operator', '%');
      else if (next === '$') this.push('currency', '$');
      else if (next === '(' || next === ')' || next === '[' || next === ']') this.space = true;
      else if (next === '_' || next === '&' || next === '#') this.space = true;
      else if (' ,;:!>\n\t'.includes(next)) this.space ||= next !== '!';
      else throw parseError;
      return;
    }
    const name = found[1];
    this.at += found[0].length;
    if (ignoredCommands.has(name) && !textCommands.has(name)) {
      if ((name === 'left' || name === 'right') && text[this.at] === '.') this.at++;
      // `\left<` is an angle bracket.
      else if (name === 'left' && text[this.at] === '<') this.delimiter('open', '⟨');
      else if (name === 'right' && text[this.at] === '>') this.delimiter('close', '⟩');
      return;
    }
    this.named(name);
  }

  delimiter(type: 'open' | 'close', text: string): void {
    this.at++;
    this.push(type, text);
  }

  named(name: string): void {
    if (name === 'begin' || name === 'end') {
      const environment = this.group().replace('*', '');
      if (name === 'begin' && /^(?:array|tabular)$/.test(environment)) {
        this.skipSpaces();
        if (this.text[this.at] === '{') this.group();
      }
      this.push(name, environment);
    } else if (name === 'textcolor' || name === 'color') {
      this.group();
      if (name === 'textcolor') this.nested(this.group(), false);
    } else if (textCommands.has(name)) {
      this.textGroup(name);
    } else if (name === 'mathbb' || name === 'Bbb') {
      const set = commands.get(this.group().trim());
      if (set?.type !== 'set') throw parseError;
      this.push('set', set.text);
    } else if (accentCommands.has(name)) {
      this.accent(accentCommands.get(name)!);
    } else {
      this.known(name);
    }
  }

  known(name: string): void {
    const entry = commands.get(name);
    if (entry) {
      if (entry.text === 'not') this.negated();
      else this.push(entry.type, entry.text);
      return;
    }
    // `\quadx`: a command that ran into the letter behind it.
    for (const prefix of ['qquad', 'quad', 'cdot', 'times', 'pi', 'ne', 'le', 'ge', 'pm']) {
      if (name.startsWith(prefix) && name.length <= prefix.length + 2) {
        this.push(commands.get(prefix)!.type, commands.get(prefix)!.text);
        this.at -= name.length - prefix.length;
        return;
      }
    }
    throw parseError;
  }

  /** `\not=`, `\not\in`. */
  negated(): void {
    this.skipSpaces();
    const rest = this.text.slice(this.at, this.at + 8);
    const end = /^(?:=|\\in(?![a-z]))/.exec(rest);
    if (!end) throw parseError;
    this.at += end[0].length;
    this.push('operator', end[0] === '=' ? '≠' : '∉');
  }

  textGroup(name: string): void {
    const content = this.group();
    const upright = name.startsWith('math') || name === 'operatorname';
    const bare = content.trim();
    // `\mathrm{e}`, `\operatorname{lcm}`: names of mathematics in upright letters.
    if (upright && /^[A-Za-z]+$/.test(bare)) {
      const entry = commands.get(bare);
      if (entry && (bare === 'e' || bare === 'i' || entry.type === 'function' || name === 'operatorname')) {
        this.push(entry.type, entry.text);
        return;
      }
    }
    const indexed = this.text[this.at] === '_' && /^[CAP]$/.test(bare);
    if (upright && /^[A-Za-z]$/.test(bare) && (this.text[this.at] === '(' || indexed)) this.variable(bare, false);
    else this.nested(content, !(upright && /[\\^_=+]/.test(bare)));
  }

  accent(kind: string): void {
    const content = this.group().trim();
    const plain = content.replace(/\s+/g, '');
    if (!/^\\?[A-Za-z0-9]{1,12}$/.test(plain)) {
      this.nested(content, false);
      return;
    }
    const letter = plain
      .replace('\\', '')
      .replace(/^imath$/, 'i')
      .replace(/^jmath$/, 'j');
    // Bold is decoration, unless it tells the unit vector from the imaginary unit.
    if (kind === 'bold' && !/^[ijk]$/.test(letter)) this.nested(content, false);
    else if (/^[ijk]$/.test(letter) && kind !== 'tilde') this.push('symbol', `unit(${letter})`);
    else this.push('symbol', kind === 'vec' || kind === 'bold' ? letter : `${kind}(${letter})`);
  }

  /** A run of letters outside a command. */
  letters(): void {
    if (this.inText) {
      WORD.lastIndex = this.at;
      const word = WORD.exec(this.text)![0];
      this.at += word.length;
      this.word(word);
      return;
    }
    LETTERS.lastIndex = this.at;
    const run = LETTERS.exec(this.text)?.[0];
    if (run === undefined) {
      WORD.lastIndex = this.at;
      const word = WORD.exec(this.text)![0];
      this.at += word.length;
      this.push('word', word);
      return;
    }
    const entry = run.length > 1 ? plainWords.get(run) : undefined;
    const after = this.text[this.at + run.length];
    if (entry && !(entry.text === 'in' && after !== ' ')) {
      this.at += run.length;
      this.push(entry.type, entry.text);
    } else if (run.length === 1) {
      this.at++;
      this.variable(run, true);
    } else {
      this.joined(run);
    }
  }

  variable(letter: string, subscript: boolean): void {
    if (letter === 'e' || letter === 'i') {
      this.push('constant', letter);
      return;
    }
    // `N2^{-n}` is N times a power, `x1^2` the square of x₁.
    const digits =
      subscript && this.#plain
        ? /^\d{1,3}(?![\d.,/]|\^(?:\{[^{}]*[A-Za-z]|[A-Za-z]))/.exec(this.text.slice(this.at, this.at + 40))
        : null;
    const previous = this.tokens.at(-1);
    if (digits && /[a-zA-Z]/.test(letter) && (previous?.type !== 'number' || this.space)) {
      // `x1` in plain text is x with an index.
      this.push('symbol', `${letter}_${digits[0]}`);
      this.at += digits[0].length;
    } else this.push('symbol', letter);
  }

  /** Letters that stand together: a function with its argument, a product of variables, or a word. */
  joined(run: string): void {
    const glued = /^(arcsin|arccos|arctan|sin|cos|tan|cot|sec|csc|ln|log|sqrt|pi)([a-zA-Z])$/.exec(run);
    if (glued) {
      const entry = plainWords.get(glued[1])!;
      this.at += glued[1].length;
      this.push(entry.type, entry.text);
      return;
    }
    const context: RunContext = {
      alone: this.text.trim() === run,
      before: this.before(),
      after: this.text.slice(this.at + run.length, this.at + run.length + 12),
      unitsAsLetters: this.options.unitsAsLetters === true,
    };
    this.at += run.length;
    if (!isProductOfLetters(run, context)) this.word(run);
    else for (const letter of run) this.variable(letter, false);
  }

  /** What stands before a run of letters. */
  before(): RunContext['before'] {
    const last = this.tokens.at(-1);
    if (last === undefined) return 'nothing';
    if (last.type === 'word' || last.inText) return 'word';
    if (last.type === 'open' || last.type === 'command') return 'operator';
    if (last.type === 'operator') {
      if (last.text === '*' || last.text === '/' || last.text === '÷') return 'divided';
      return /^[-+=<>≤≥≠±∓^|]$/.test(last.text) ? 'operator' : 'spaced';
    }
    return this.space ? 'spaced' : 'glued';
  }

  word(word: string): void {
    const lower = word.toLowerCase();
    if (lower === 'and' || lower === 'or') this.push('operator', lower);
    else if (lower === 'percent' || lower === 'pct' || lower === 'percentage') this.push('operator', '%');
    else if (lower === 'infinity') this.push('constant', lower);
    else if (lower === 'degrees' || lower === 'degree') this.push('operator', '°', { inText: true });
    else this.push('word', word);
  }

  /** `0x1F`, `0b101`, `0o17`. */
  prefixed(): boolean {
    PREFIXED.lastIndex = this.at;
    const found = PREFIXED.exec(this.text);
    if (!found) return false;
    this.at += found[0].length;
    const base = { x: 16, b: 2, o: 8 }[found[0][1].toLowerCase()] ?? 10;
    this.push('number', '', {
      number: { kind: 'number', value: rational(0n), significant: null, decimals: 0 },
      digits: found[0].slice(2).toLowerCase(),
      base,
    });
    return true;
  }

  /** `3A7_{16}`: digits beyond nine, known by the base behind them. */
  largeBase(): boolean {
    LARGE_BASE.lastIndex = this.at;
    const digits = LARGE_BASE.exec(this.text)?.[0];
    if (digits === undefined) return false;
    this.at += digits.length;
    this.push('number', '', {
      number: { kind: 'number', value: rational(0n), significant: null, decimals: 0 },
      digits: digits.toLowerCase(),
    });
    return true;
  }

  number(): void {
    if (/\d\d/.test(this.text.slice(this.at, this.at + 2)) && isShortArgument(this.tokens)) {
      const digits = this.text[this.at++];
      this.push('number', '', {
        number: { kind: 'number', value: rational(BigInt(digits)), significant: null, decimals: 0 },
        digits,
      });
      return;
    }
    const literal = readNumber(
      this.text,
      this.at,
      this.round === 0 || ZERO_GROUP.test(this.text.slice(this.at, this.at + 8))
        ? this.options
        : { ...this.options, groupCommas: false },
    );
    this.budget.spend((literal.end - this.at) / 20 + literal.decimals / 50);
    this.at = literal.end;
    const ordinal = literal.digits === null ? null : ORDINAL.exec(this.text.slice(this.at, this.at + 20));
    if (ordinal && takesOrdinal(literal.digits!, ordinal[1])) this.at += ordinal[0].length;
    const { value, significant, decimals } = literal;
    this.push('number', '', {
      number: { kind: 'number', value, significant, decimals },
      ...(literal.digits === null ? {} : { digits: literal.digits }),
      ...(literal.exponent === 0 ? {} : { exponent: literal.exponent }),
    });
  }

  punctuation(character: string): void {
    for (const [written, text] of MULTIPLE) {
      if (this.text.startsWith(written, this.at) && !(written === '!=' && this.text[this.at + 2] === '=')) {
        this.at += written.length;
        this.push('operator', text);
        return;
      }
    }
    this.at++;
    if (character === '(' || character === '[' || character === '{') this.push('open', character);
    else if (character === ')' || character === ']' || character === '}') this.push('close', character);
    else if (character === '$') {
      // `${5}` is a template of some programming language.
      if (this.options.dollars && this.text[this.at] === '{') throw parseError;
      if (this.options.dollars) this.push('currency', '$');
      else this.space = true;
    } else if ('€£¥₹￥'.includes(character)) this.push('currency', character);
    else if (character === '.') this.push('operator', 'stop');
    else if (SINGLE.includes(character)) this.push('operator', character);
    else if (character === '"' || character === '`') this.space = true;
    else throw parseError;
  }

  all(): Token[] {
    const { text } = this;
    this.budget.spend(Math.ceil(text.length / 8) + 1);
    while (this.at < text.length) {
      const character = text[this.at];
      const code = text.charCodeAt(this.at);
      if (code === 32 || code === 126 || (code >= 9 && code <= 13)) {
        this.space = true;
        this.at++;
      } else if (this.largeBase() || (code === 48 && this.prefixed())) {
        continue;
      } else if ((code >= 48 && code <= 57) || (code === 46 && /^\.\d/.test(text.slice(this.at, this.at + 2)))) {
        this.number();
      } else if (character === '\\') {
        this.command();
      } else if (/[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]/.test(character)) {
        this.letters();
      } else if (code < 128 || '€£¥₹￥'.includes(character)) {
        this.punctuation(character);
      } else {
        FOREIGN.lastIndex = this.at;
        const run = FOREIGN.exec(text)?.[0];
        if (run === undefined) throw parseError;
        this.at += run.length;
        this.push('word', run);
      }
    }
    return this.tokens;
  }
}

const known = (name: string): boolean => commands.has(name) || ignoredCommands.has(name) || accentCommands.has(name);

/** @throws ParseError at a character or command that means nothing; BudgetExceeded when there are too many tokens. */
export function tokenize(text: string, options: TokenizeOptions, budget: Budget): Token[] {
  const tokens = new Tokenizer(text, options, budget, false).all();
  // A wide space beside an operator separates nothing.
  const joins = (token?: Token): boolean =>
    token?.type === 'operator' && token.text !== '%' && token.text !== "'" && token.text !== '!';
  return tokens.filter(
    ({ type, text: name }, at) =>
      type !== 'operator' || name !== 'quad' || !(joins(tokens[at - 1]) || joins(tokens[at + 1])),
  );
}
