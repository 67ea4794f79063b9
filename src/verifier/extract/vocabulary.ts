/** The words that tell how a sentence states a value, and which runs of letters are mathematics. */
import type { ProseToken, ProseType } from './sentence';

const set = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/));

/** After these stands what is asserted. */
export const copulas = set(
  "is are was were be equals equal becomes gives yields get gets obtain has have find it's that's costs cost totals :",
);

const ADVERBS =
  'exactly approximately approx about roughly around simply just indeed therefore thus hence so clearly definitely actually also then now';

export const adverbs = set(ADVERBS);

/** Words before a value that do not change it. */
export const leads = set(
  `${ADVERBS} either both option choice letter only equal to given as be is are the value number : that by 选项 选择 选`,
);

/** Words that start a clause about the value before them. */
export const clauses = set(
  'because since as which where so when for if with not in by after from rather instead but while and is i than - via using or',
);

/** Words after which a number names something: `step 3`. */
export const referrers = set(
  'step steps case figure fig equation eq problem question part section example exercise chapter theorem lemma formula item method line page round attempt iteration',
);

/** Words that start a conclusion. */
export const conclusions = set('so thus hence therefore then giving');

/** A sentence that starts with these asks for something. */
export const imperatives = set(
  'find compute evaluate calculate determine solve simplify express prove show please put write give let suppose assume consider what which how why when where who if',
);

/** A statement that starts with these says something about the answer, not the answer. */
export const remarks =
  /^(?:not? (?:sure|clear|known yet|correct|right)|(?:quite |indeed |therefore |thus |also |clearly |hence |now )?(?:reasonable|correct|incorrect|right|wrong|consistent|verified|confirmed|checked|obtained|found|derived|computed|calculated|the same|as follows|based|close|clear|plausible|expected|simply the|what|just the sum|in the (?:form|format|box)|below|above|here|done|unique\b|then|supposed|asked|required)\b|(?:let['’]?s|let us|let me|we|first|step|okay|ok|sure|to)\b)/i;

/** Words that no unit or bare answer holds. */
export const sentenceWords = set(
  'is are was were be been has have had the a an we so thus therefore hence because since that this it there you your they he she find get gets gives given if then ' +
    "which what how when where let can will would should must do does did i i'm it's that's but as solution answer",
);

/** Names of functions and constants in plain letters. */
const FUNCTIONS =
  /^(?:a?(?:rc)?(?:sin|cos|tan|cot|sec|csc)h?|log|ln|lg|exp|sqrt|pi|gcd|lcm|max|min|mod|det|inf|infinity|infty|theta|alpha|beta|cis|floor|ceil|abs)$/;

/** Short words that are never products of variables. */
const SHORT_WORDS = set(
  'the and for are was has had can may our its is of to in by we so as at be it if an on or no not all any one two six ten get let you but yes sum set per now he she her his they who why how did does do go up us my me am via out off see say said use day old new box top end ans cm mm km kg ft hr min sec lb lbs oz mph usd pm',
);

/** What a run of letters is, given the token before it and up to four characters behind it. */
export function classifyWord(word: string, before: ProseToken | undefined, space: boolean, after: string): ProseType {
  const lower = word.toLowerCase();
  if (lower === 'and' || lower === 'or') return 'joiner';
  const operand = before?.type === 'symbol' && /^(?:[=+\-*/^(<>≤≥_|[{]|\\[A-Za-z]+)$/.test(before.text);
  if (/^[A-Za-z](?:_?\d+|_[A-Za-z])?$/.test(word)) {
    // Articles and pronouns; before an operator, a bracket, TeX or another single letter it is a variable.
    const article = /^[aAI]$/.test(word) && !operand;
    if (article && /^ [a-z]{2}/.test(after)) return 'word';
    const phrase = /^ (?![=+\-*/^_<>\\{}(]|[A-Za-z](?![A-Za-z]))/.test(after) || /[$€£¥₹]/.test(before?.text ?? '');
    if (article && word === 'a' && space && before && phrase) return 'word';
    return 'symbol';
  }
  if (FUNCTIONS.test(lower) && (/^ ?[(^_{\d\\√]/.test(after) || operand || lower === 'pi' || /^inf/.test(lower)))
    return 'symbol';
  if (word.length > 3 || SHORT_WORDS.has(lower) || !/^(?:[a-z]+|[A-Z]+)$/.test(word)) return 'word';
  const coefficient = !space && before?.type === 'number';
  return operand || coefficient || /^(?: ?[=+*/^]|-\S)/.test(after) ? 'symbol' : 'word';
}

const SPACING =
  /^\\(?:q?quad|left|right|bigg?[lr]?|Bigg?[lr]?|displaystyle|textstyle|item|par|newline|noindent|n|hspace|vspace|hline)\*?$/;

/** Whether a macro is more than white space. */
export const isNoteworthyMacro = (name: string): boolean => !SPACING.test(name);

/** A macro, or a sign, that is a value by itself. */
export const isValueSymbol = (text: string): boolean =>
  /^(?:\\(?:[dtc]?frac|sqrt|pi|infty|emptyset|varnothing|text[a-z]*|mathrm|mathbb|mathbf|binom|begin|sum|int)(?![A-Za-z])|[∞π∅½⅓¼¾√]|infinity$|pi$)/.test(
    text,
  );
