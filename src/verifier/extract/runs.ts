/**
 * Values in a sentence. A run is what stands between words: formulas, numbers, symbols, and the commas and "and"s between
 * them; it is trimmed to what can be an answer and extended by the unit behind it.
 */
import { readUnit } from '../parse/units';
import { type ProseToken, textOf } from './sentence';
import { isValueSymbol } from './vocabulary';

export interface Run {
  texts: string[];
  joinedByOr: boolean;
  /** Indices of its tokens in the sentence, the last exclusive. */
  first: number;
  next: number;
  /** A mere name: `$ABC$`, `x`. */
  isName: boolean;
}

/** A point, a variable, an angle: what sentences speak about, hardly ever the answer. */
const NAME =
  /^(?:\\(?:triangle|angle|overline|vec|mathbf|odot|bigodot|square|alpha|beta|gamma|delta|theta|lambda|mu|phi|omega|Delta|Omega)(?![A-Za-z])\s*\{?)?\s*(?:[A-Za-z]{1,8}'*(?:_\{?\w{1,6}\}?)?)?\}?(?:\([a-z]\))?$/;

const UNIT_WORDS = /^(?:percent|percentage|pct|per cent|degrees?|[ap]\.?m\.?)$/i;
const SCALES = /^(?:million|billion|trillion|thousand|hundred|dozen)s?$/i;
const MOST_UNIT_WORDS = 5;

const CLOSERS = /^(?:\)|\]|\\?\})$/;
const OPENERS = /^(?:\(|\[|\\?\{)$/;

const isAtom = (token: ProseToken | undefined): boolean =>
  token !== undefined && token.type !== 'word' && token.type !== 'colon';

/** @param inches Whether `in` is one; it is more often a preposition. */
function isUnit(words: string, inches: boolean): boolean {
  if (UNIT_WORDS.test(words)) return true;
  const [first, ...rest] = words.split(' ');
  if (SCALES.test(first)) return rest.length === 0 || isUnit(rest.join(' '), inches);
  return words !== 'a' && (inches || !/(?:^| )in$/.test(words)) && readUnit(words) !== null;
}

const FEET = /^(?:ft|feet|foot)$/i;

/** Index after the unit that starts at `at`, or `at`. `in` is inches behind feet and where it ends the sentence. */
function afterUnit(tokens: readonly ProseToken[], at: number, afterFeet = false): number {
  let end = at;
  const limit = Math.min(tokens.length, at + MOST_UNIT_WORDS);
  while (
    end < limit &&
    (tokens[end].type === 'word' ||
      /^[/^²³]$/.test(tokens[end].text) ||
      (end > at && tokens[end].type !== 'joiner' && /^.$/.test(tokens[end].text)))
  )
    end++;
  for (; end > at; end--) if (isUnit(textOf(tokens.slice(at, end)), afterFeet || end === tokens.length)) return end;
  return at;
}

/** For every bracket of `[from, to)` the index of its partner, counted from `from`; -1 where it has none. */
function partners(tokens: readonly ProseToken[], from: number, to: number): number[] {
  const partner = new Array<number>(to - from).fill(-1);
  const open: number[] = [];
  for (let at = from; at < to; at++) {
    if (OPENERS.test(tokens[at].text)) open.push(at - from);
    else if (CLOSERS.test(tokens[at].text)) {
      const opener = open.pop();
      if (opener === undefined) continue;
      partner[opener] = at - from;
      partner[at - from] = opener;
    }
  }
  return partner;
}

const HEAD = /^[=):\]}/^*&@!?%]$/;
const TAIL = /^(?:[-+*/^=<>≤≥≈([{:&@]|\\(?:approx|leq?|geq?|times|cdot|in|Rightarrow|implies|to))$/;

/** Whether dots after `token` are part of the answer: `1, 2, ...`, `0.333...`. */
const continues = (token: ProseToken | undefined): boolean =>
  token?.type === 'joiner' || (token?.type === 'number' && /[.,]\d/.test(token.text));

/** The part of `[from, to)` without what cannot start or end an answer, and without brackets that lack a partner. */
function trim(tokens: readonly ProseToken[], from: number, to: number): [number, number] {
  const partner = partners(tokens, from, to);
  let [first, next] = [from, to];
  const edges = (): void => {
    for (;;) {
      if (first === next) return;
      const [head, tail] = [tokens[first], tokens[next - 1]];
      const dash = head.text === '-' && head.space && tokens[first + 1]?.space && tokens[first - 1]?.type === 'word';
      const stray = OPENERS.test(head.text) && (partner[first - from] < 0 || partner[first - from] >= next - from);
      if (head.type === 'joiner' || dash || stray || (head.type === 'symbol' && HEAD.test(head.text))) first++;
      else if (tail.text === '...' && !continues(tokens[next - 2])) next--;
      else if (tail.type === 'joiner' || (tail.type === 'symbol' && TAIL.test(tail.text))) next--;
      else if (CLOSERS.test(tail.text) && partner[next - 1 - from] < first - from) next--;
      else return;
    }
  };
  edges();
  for (let at = first; at < next; at++) {
    if (OPENERS.test(tokens[at].text) && partner[at - from] < 0) next = at;
  }
  edges();
  return [first, next];
}

const isValue = (token: ProseToken): boolean =>
  token.type === 'number' || (token.type === 'formula' ? !NAME.test(token.text) : isValueSymbol(token.text));

/** `21,16` beside other formulas of a list is two of its items, unless the commas group thousands or stand in brackets. */
const itemsOf = (text: string): string[] =>
  /^[-\d.,;/\s]+$/.test(text) && !/\d,\d{3}(?!\d)/.test(text) ? text.split(/\s?[,;]\s?/) : [text];

/** The texts of a run: its formulas one by one where only joiners stand between them, else one text. */
function split(tokens: readonly ProseToken[]): { texts: string[]; joinedByOr: boolean } {
  const parts: ProseToken[][] = [[]];
  let joinedByOr = false;
  let depth = 0;
  for (const token of tokens) {
    if (OPENERS.test(token.text)) depth++;
    else if (CLOSERS.test(token.text)) depth--;
    if (token.type !== 'joiner' || depth > 0) parts[parts.length - 1].push(token);
    else {
      joinedByOr ||= token.text.toLowerCase() === 'or' || token.text === '或';
      if (parts[parts.length - 1].length > 0) parts.push([]);
    }
  }
  const list = parts.filter((part) => part.length > 0);
  if (list.length > 1 && list.every((part) => part.some(({ type }) => type === 'formula'))) {
    return { texts: list.map(textOf).flatMap(itemsOf), joinedByOr };
  }
  return { texts: [textOf(tokens)], joinedByOr: false };
}

/** `x + y`, `a/b`: letters and operators, with more than one letter. */
const isExpression = (tokens: readonly ProseToken[]): boolean =>
  tokens.some(({ text }) => /^[=+\-*/^<>≤≥]$/.test(text)) &&
  tokens.filter(({ text }) => /^[A-Za-z](?:_?\w)?$/.test(text)).length > 1 &&
  tokens.every(({ text }) => /^(?:[A-Za-z](?:_?\w)?|\W)$/.test(text));

/** The run that starts at token `at`, which may follow another token; null where there is no value and no name. */
export function runAt(tokens: readonly ProseToken[], at: number): Run | null {
  if (!isAtom(tokens[at])) return null;
  let end = at;
  while (isAtom(tokens[end])) end++;
  const [first, start] = trim(tokens, at, end);
  let next = start;
  if (first === next) return null;
  const value = tokens.slice(first, next).some(isValue);
  if (!value && !tokens.slice(first, next).some(({ text }) => /[A-Za-z]/.test(text))) return null;
  // Units, and what follows them: `5 feet 6 inches`, `3 dollars and 50 cents`.
  let feet: boolean;
  for (let unit = value ? afterUnit(tokens, next) : next; unit > next; unit = afterUnit(tokens, next, feet)) {
    next = unit;
    feet = FEET.test(tokens[next - 1].text);
    let more = next;
    while (isAtom(tokens[more])) more++;
    const [begin, stop] = trim(tokens, next, more);
    if (stop === begin || tokens[stop - 1].type !== 'number' || afterUnit(tokens, stop, feet) === stop) break;
    next = stop;
  }
  const inside = tokens.slice(first, next);
  const isName = !value && !isExpression(inside);
  return { ...split(inside), first, next, isName };
}

/** Every run with a value, from left to right. */
export function runsIn(tokens: readonly ProseToken[]): Run[] {
  const runs: Run[] = [];
  for (let at = 0; at < tokens.length; at++) {
    if (!isAtom(tokens[at])) continue;
    const run = runAt(tokens, at);
    if (run && !run.isName) runs.push(run);
    while (isAtom(tokens[at + 1])) at++;
    if (run) at = Math.max(at, run.next - 1);
  }
  return runs;
}

/** The last comma-separated part of a run, unless "and" or "or" makes it a list: in running text a comma ends a clause. */
export function lastPart(tokens: readonly ProseToken[], run: Run): Run {
  let depth = 0;
  for (let at = run.next - 1; at > run.first; at--) {
    const { type, text } = tokens[at];
    if (CLOSERS.test(text)) depth++;
    else if (OPENERS.test(text)) depth--;
    if (type !== 'joiner' || depth !== 0) continue;
    if (!/^[,;，；]$/.test(text)) return run;
    const rest = runAt(tokens, at + 1);
    return rest && !rest.isName ? rest : run;
  }
  return run;
}

/** The number that a run comes to without its name and unit (`x = 5`, `5 km`); null where it is more than a number. */
export function bareNumber(tokens: readonly ProseToken[]): string | null {
  if (tokens.some(({ type }) => type === 'joiner')) return null;
  const equals = tokens.findLastIndex(({ text }) => text === '=');
  const sign = tokens.at(equals + 1)?.text === '-' ? '-' : '';
  const [number, ...rest] = tokens.slice(equals + 1 + sign.length) as [ProseToken?, ...ProseToken[]];
  if (number?.type !== 'number') return null;
  const isUnit = rest.every(
    ({ type, text, space }) => type === 'word' || /^(?:\\?%|[°²³])$/.test(text) || (space && /^[A-Za-z]$/.test(text)),
  );
  return isUnit ? sign + number.text : null;
}
