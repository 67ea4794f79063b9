/**
 * Finds TeX formulas in prose. A dollar sign is a delimiter or a currency; what stands up to the next one decides, since a
 * formula holds no words of a sentence. Every delimiter is looked up at most twice, so any text takes linear time.
 */

export interface Formula {
  /** Content, with the last row alone where it is a chain of rows. */
  text: string;
  start: number;
  end: number;
}

/** Environments that are formulas by themselves. */
const DISPLAY = /^(?:align|aligned|equation|gather|gathered|multline|eqnarray|math|displaymath|split)\*?$/;
const ENVIRONMENT = /\\begin\s?\{([A-Za-z]{1,20}\*?)\}/y;

const TEXT_GROUP = /\\(?:text[a-z]*|math[a-z]+|mbox|operatorname\*?|boxed|fbox)\s?\{[^{}]*\}/g;
const WORD = /(?<![A-Za-z\\])[A-Za-z]{2,}/g;

/** Words that formulas hold without `\text`, and function names. */
const MATHEMATICAL =
  /^(?:and|or|if|mod|sin|cos|tan|cot|sec|csc|log|ln|lg|max|min|gcd|lcm|det|deg|exp|arc[a-z]+|sqrt|pi|cm|km|mm|kg|otherwise)$/;

/** Words that only sentences hold. */
const PROSE =
  /^(?:the|is|are|was|of|we|so|to|in|on|at|by|it|he|she|they|that|this|for|from|with|have|has|had|then|when|which|into|per|plus|than|each|more|less|costs?|dollars?|million|billion|but|not|be|as|an|his|her)$/i;

/** Whether the text between two dollar signs is a formula rather than prose between two amounts of money. */
function isFormula(content: string, after: string): boolean {
  // A formula does not start with what joins two of them.
  if (content.trim() === '' || /\n\s{0,20}\n/.test(content) || /^\s*(?:(?:and|or)\b|[,;.])/.test(content)) return false;
  const money = /^\d/.test(content);
  if (money && /\d/.test(after)) return false;
  const words = content.replace(TEXT_GROUP, ' ').match(WORD) ?? [];
  if (words.length === 0) return true;
  if (money && /\s$/.test(content)) return false;
  const unknown = words.filter((word) => !MATHEMATICAL.test(word));
  return !unknown.some((word) => PROSE.test(word)) && unknown.filter((word) => word.length > 3).length < 3;
}

/** The right part of the last row of `\begin{aligned} a &= b \\ &= c \end{aligned}`. */
function lastRow(content: string): string {
  const rows = content.split('\\\\').filter((row) => row.replace(/[&\s.,]/g, '') !== '');
  const row = rows.at(-1) ?? '';
  return row.replaceAll('&', ' ').replace(/^\s*=/, '').trim();
}

function clean(content: string): string {
  let inner = content.trim();
  const environment = /^\\begin\s?\{([A-Za-z]{1,20}\*?)\}/.exec(inner);
  if (environment && DISPLAY.test(environment[1])) {
    const close = inner.lastIndexOf('\\end');
    inner = lastRow(inner.slice(environment[0].length, close < 0 ? undefined : close));
  }
  return inner
    .replace(/^=\s*/, '')
    .replace(/\s?\{\s?,\s?\}/g, '{,}')
    .replace(/(?:\\[,;:! ]|[.,;\s]){1,8}$/, '');
}

/** Reads the formulas of one text from left to right. */
export class FormulaReader {
  readonly #text: string;
  readonly #limit: number;
  /** Closing delimiters that do not occur any more. */
  readonly #missing = new Set<string>();

  /** @param limit Formulas end before this index. */
  constructor(text: string, limit: number) {
    this.#text = text;
    this.#limit = limit;
  }

  #find(close: string, from: number): number {
    if (this.#missing.has(close)) return -1;
    const at = this.#text.indexOf(close, from);
    if (at >= 0 && at + close.length <= this.#limit) return at;
    this.#missing.add(close);
    return -1;
  }

  #dollar(from: number): number {
    let at = this.#find('$', from);
    while (at > 0 && this.#text[at - 1] === '\\') at = this.#find('$', at + 1);
    return at;
  }

  #delimited(start: number, open: string, close: string): Formula | null {
    const end = this.#find(close, start + open.length);
    if (end < 0) return null;
    return { text: clean(this.#text.slice(start + open.length, end)), start, end: end + close.length };
  }

  #environment(start: number): Formula | null {
    ENVIRONMENT.lastIndex = start;
    const found = ENVIRONMENT.exec(this.#text);
    if (!found) return null;
    const close = `\\end{${found[1]}}`;
    const end = this.#find(close, start);
    if (end < 0) return null;
    return { text: clean(this.#text.slice(start, end + close.length)), start, end: end + close.length };
  }

  /** The formula that starts at `start` with `$`, `\(`, `\[` or `\begin`, or null. */
  read(start: number): Formula | null {
    const text = this.#text;
    if (text[start] === '\\') {
      const next = text[start + 1];
      if (next === '(') return this.#delimited(start, '\\(', '\\)');
      if (next === '[') return this.#delimited(start, '\\[', '\\]');
      return next === 'b' ? this.#environment(start) : null;
    }
    if (text.startsWith('$$', start)) return this.#delimited(start, '$$', '$$');
    const end = this.#dollar(start + 1);
    if (end < 0 || !isFormula(text.slice(start + 1, end), text.charAt(end + 1))) return null;
    return { text: clean(text.slice(start + 1, end)), start, end: end + 1 };
  }
}
