/** Reads what one sentence states: the value at its head, the value after its verb, or its words. */
import { isPlaceholder } from './placeholder';
import { bareNumber, type Run, runAt, runsIn } from './runs';
import { type ProseToken, textOf } from './sentence';
import { adverbs, clauses, copulas, leads, remarks, sentenceWords } from './vocabulary';

export interface Description {
  texts: string[];
  joinedByOr: boolean;
  alternatives: string[];
  /** `pure`: nothing but the answer. `value`: a value in a sentence. `text`: words, or values of which none stands out. */
  grade: 'pure' | 'value' | 'text';
}

const MOST_ALTERNATIVES = 4;
const MOST_PURE_WORDS = 6;
const MOST_WORDS = 14;

const isWord = ({ type }: ProseToken): boolean => type === 'word';
const isCopula = ({ type, text }: ProseToken): boolean =>
  (type === 'word' && copulas.has(text.toLowerCase())) || type === 'colon' || /[是为有]$|等于$|得$/.test(text);

const isLead = (token: ProseToken | undefined, words: ReadonlySet<string>): boolean =>
  token !== undefined && (token.type === 'colon' || (isWord(token) && words.has(token.text.toLowerCase())));

/** Index after words that do not change a value; where no value follows them, after adverbs alone. */
export function skipLeads(tokens: readonly ProseToken[], from: number): number {
  let at = from;
  while (isLead(tokens[at], leads)) at++;
  if (at < tokens.length && !isWord(tokens[at])) return at;
  for (at = from; isLead(tokens[at], adverbs);) at++;
  return at;
}

/** The value after the last verb that one directly follows, or null. A value that is denied is none. */
export function valueAfterVerb(tokens: readonly ProseToken[]): Run | null {
  // Indices after the leads and after the adverbs that start behind `at`, kept while `at` goes down.
  let [lead, adverb] = [tokens.length, tokens.length];
  let tried = -1;
  for (let at = tokens.length - 2; at >= 0; at--) {
    const behind = tokens[at + 1];
    if (!isLead(behind, leads)) lead = at + 1;
    if (!isLead(behind, adverbs)) adverb = at + 1;
    if (!isCopula(tokens[at])) continue;
    const from = lead < tokens.length && !isWord(tokens[lead]) ? lead : adverb;
    if (from === tried) continue;
    tried = from;
    const run = runAt(tokens, from);
    if (run && !run.isName) return run;
  }
  return null;
}

function describeRun(tokens: readonly ProseToken[], run: Run, grade: Description['grade']): Description {
  const whole = textOf(tokens);
  const inside = tokens.slice(run.first, run.next);
  const formulas = inside.filter(({ type }) => type === 'formula').map(({ text }) => text);
  const number = bareNumber(inside);
  const others = [...(formulas.length === 1 ? formulas : []), ...(number === null ? [] : [number]), whole];
  const alternatives = [...new Set(others)].filter((text) => run.texts.length > 1 || text !== run.texts[0]);
  return {
    texts: run.texts,
    joinedByOr: run.joinedByOr,
    alternatives: alternatives.slice(0, MOST_ALTERNATIVES),
    grade,
  };
}

/** Whether what follows a value leaves it the whole answer: nothing, a clause about it, or a few words that count things. */
function isAside(rest: readonly ProseToken[]): boolean {
  if (rest.length === 0 || rest[0].type === 'joiner' || rest[0].type === 'colon') return true;
  if (rest[0].text === '(' || clauses.has(rest[0].text.toLowerCase())) return true;
  return rest.length <= 3 && rest.every((token) => isWord(token) && !copulas.has(token.text.toLowerCase()));
}

/** The name that a sentence ends with, right after its verb: `the winner is $B$`. Null where there is none. */
export function nameAfterVerb(tokens: readonly ProseToken[]): Run | null {
  for (let at = tokens.length - 2; at >= 0 && at > tokens.length - 6; at--) {
    if (!isCopula(tokens[at])) continue;
    const run = runAt(tokens, skipLeads(tokens, at + 1));
    return run?.isName && run.next === tokens.length ? run : null;
  }
  return null;
}

/** A letter of a choice: `C`, `(C)`, `C)`, `$C$`. */
export const isChoice = (text: string): boolean => /^[([]?(?:\\text[a-z]*\{)?\(?[A-J]\)?\}?[)\]]?$/.test(text);

/** `C) Paris`, `C: 12`: a choice with what it says. */
const isLabel = (tokens: readonly ProseToken[], head: Run): boolean =>
  (tokens[head.next].type === 'colon' ||
    /^[)\]]$/.test(tokens[head.next - 1].text) ||
    /^[)\]]$/.test(tokens[head.next].text)) &&
  !tokens.slice(head.next).some(({ type, text }) => type === 'word' && sentenceWords.has(text.toLowerCase()));

/** Words before a value that make it a bound, or what is left out. */
const BOUNDS = /^(?:least|most|than|between|except|excluding|besides|above|below|over|under|unless|without)$/i;
const MONTH = /^(?:january|february|march|april|may|june|july|august|september|october|november|december)$/i;
const REASON = /^(?:because|since|as|due)$/i;

function inWords(tokens: readonly ProseToken[], alternatives: string[], grade: Description['grade']): Description {
  return { texts: [textOf(tokens)], joinedByOr: false, alternatives: alternatives.slice(0, MOST_ALTERNATIVES), grade };
}

/** The words before the reason that is given for them: `Monday, since 14 is even`. Null where that is no answer. */
function beforeReason(tokens: readonly ProseToken[]): readonly ProseToken[] | null {
  const reason = tokens.findIndex((token) => isWord(token) && REASON.test(token.text));
  if (reason <= 0) return null;
  const stated = tokens.slice(0, tokens[reason - 1].type === 'joiner' ? reason - 1 : reason);
  return stated.length > 0 && stated.length <= MOST_PURE_WORDS && stated.every(isWord) ? stated : null;
}

/** `5 (or possibly 7)`, `5, or maybe 7`: the other candidate; null where there is none. */
function otherCandidate(rest: readonly ProseToken[]): Run | null {
  let at = 0;
  while (at < rest.length && (rest[at].text === '(' || rest[at].text === ',')) at++;
  if (rest.at(at)?.type !== 'joiner' || rest[at].text.toLowerCase() !== 'or') return null;
  at++;
  while (at < rest.length && /^(?:possibly|maybe|perhaps|even|else)$/i.test(rest[at].text)) at++;
  const run = runAt(rest, at);
  return run && !run.isName ? run : null;
}

const CONDITION = /^(?:if|when|for|in|assuming|provided|where|given)$/i;

/** `12 if …, and 15 if …`, `12 if …, otherwise 15`. */
function otherCondition(rest: readonly ProseToken[]): Run | null {
  const [word] = rest as [ProseToken?, ...ProseToken[]];
  if (!CONDITION.test(word?.text ?? '')) return null;
  for (let at = 1; at < rest.length - 1; at++) {
    const { type, text } = rest[at];
    const otherwise = /^(?:otherwise|else)$/i.test(text);
    if (type !== 'joiner' && !otherwise && !/^(?:but|while)$/i.test(text)) continue;
    const from = /^(?:and|or|but|it|is)$/i.test(rest[at + 1].text) ? at + 2 : at + 1;
    const run = from < rest.length ? runAt(rest, from) : null;
    if (!run || run.isName) continue;
    if (otherwise || rest.at(run.next)?.text.toLowerCase() === word!.text.toLowerCase()) return run;
  }
  return null;
}

/** `5 in the first case and 6 in the second`: the value of the other case; null where there is none. */
function otherCase(rest: readonly ProseToken[]): Run | null {
  const other = otherCondition(rest);
  if (other) return other;
  if (!/^(?:in|if)$/.test(rest[0]?.text ?? '') || !rest.some(({ text }) => text === 'case')) return null;
  const joint = rest.findIndex(({ type, text }) => type === 'joiner' && /^(?:and|or)$/i.test(text));
  const run = joint < 0 ? null : runAt(rest, joint + 1);
  return run && !run.isName ? run : null;
}

/** The value at the head of a sentence, or null. */
function headOf(tokens: readonly ProseToken[]): Description | null {
  const head = runAt(tokens, 0);
  if (!head) return null;
  const rest = tokens.slice(head.next);
  // `5% of 200`
  if (!head.isName && rest.length > 1 && rest[0].text === 'of' && runAt(rest, 1)) return null;
  // `3 to 4`
  const second = !head.isName && rest.length > 1 && rest[0].text === 'to' ? runAt(rest, 1) : null;
  if (second && !second.isName) return inWords(tokens.slice(head.first, head.next + second.next), head.texts, 'pure');
  const other = head.isName ? null : (otherCandidate(rest) ?? otherCase(rest));
  if (other) {
    return { texts: [...head.texts, ...other.texts], joinedByOr: true, alternatives: [], grade: 'pure' };
  }
  const pure = isAside(rest);
  if (isChoice(head.texts[0]) && rest.length > 0 && rest.length <= MOST_PURE_WORDS && isLabel(tokens, head)) {
    return inWords(tokens, head.texts, 'pure');
  }
  if (head.isName && !pure && !isChoice(head.texts[0])) return null;
  return describeRun(tokens, head, pure ? 'pure' : 'value');
}

/** What the tokens of one sentence state, or null. */
export function describe(tokens: readonly ProseToken[]): Description | null {
  const stated = tokens.slice(skipLeads(tokens, 0));
  if (stated.length === 0) return null;
  const whole = textOf(stated);
  if (isPlaceholder(whole)) return null;
  const head = headOf(stated);
  if (head) return head;
  if (remarks.test(whole)) return null;
  const words = beforeReason(stated);
  if (words) return inWords(words, [], 'pure');
  const verb = valueAfterVerb(stated);
  if (verb) return describeRun(stated, verb, 'value');
  const runs = runsIn(stated);
  const count = stated.filter(isWord).length;
  if (runs.length === 0)
    return count > MOST_WORDS ? null : inWords(stated, [], count <= MOST_PURE_WORDS ? 'pure' : 'text');
  const last = runs[runs.length - 1];
  const before = stated.slice(0, last.first);
  const isBound = before.some(({ text }) => BOUNDS.test(text)) || (before.length === 1 && MONTH.test(before[0].text));
  if (runs.length === 1 && !isBound) return describeRun(stated, last, 'value');
  return inWords(stated, last.texts, isBound && count <= MOST_PURE_WORDS ? 'pure' : 'text');
}
