/** Whether letters that stand together are a word, a unit or a product of variables. */
import { lookUpUnit } from './unit-table';

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));

/** Words that answer by themselves: products in no place. */
const ANSWERS = words(
  'no yes odd one two six ten all any none dne nan win tie red men boy cat dog mon tue wed thu fri sat sun',
);

/** Short words of sentences. Where mathematics is attached to them (`at^2`, `v+at`) they are products. */
const SHORT_WORDS = words(
  'the of is are not per for dm in to by at it we so if am pm day sec min hr hrs mph who how why see has had was can may set sum add but ' +
    'his her its our out off jan feb mar apr jun jul aug sep oct nov dec non nor on as be do he me my up us',
);

/** What stands around a run of letters. */
export interface RunContext {
  /** The run is the whole answer. */
  alone: boolean;
  /** `operator`: a sign or an opening bracket stands before it. `divided`: a slash or a sign of multiplication. */
  before: 'nothing' | 'operator' | 'divided' | 'glued' | 'spaced' | 'word';
  /** Up to twelve characters behind it. */
  after: string;
  /** The letters of a unit at the end are read as variables: `2\pi hr`. */
  unitsAsLetters: boolean;
}

/** An exponent, an index or a TeX operand without a space between: no word and no unit has that. */
const ATTACHED =
  /^(?:[_^]|\\(?:sin|cos|tan|cot|sec|csc|ln|log|lg|frac|dfrac|tfrac|sqrt|left|cdot|times|alpha|beta|gamma|delta|theta|lambda|mu|omega|phi|varphi|rho|sigma|pi|Delta)(?![A-Za-z]))/;
/** The same for a unit, which may have an exponent. */
const OPERAND_FOLLOWS =
  /^\\(?:sin|cos|tan|cot|sec|csc|ln|log|lg|frac|dfrac|tfrac|sqrt|alpha|beta|gamma|delta|theta|lambda|mu|omega|phi|varphi|rho|sigma|pi|Delta|left\()|^\(/;

/** Not `at -5` nor `in-depth`. */
const SIGN_FOLLOWS = /^(?:[+*=<>]|-(?![A-Za-z]{2})| [+*=<>])/;

function isUnit(run: string): boolean {
  return lookUpUnit(run) !== undefined;
}

/** Whether a run that could be a unit or a word of a sentence is a product by what stands around it. */
function isProductInPlace(run: string, { alone, before, after, unitsAsLetters }: RunContext, unit: boolean): boolean {
  if (alone || before === 'word') return alone && unit && /^[a-z]{2}$/.test(run);
  if (unit ? OPERAND_FOLLOWS.test(after) : ATTACHED.test(after) || (before === 'nothing' && SIGN_FOLLOWS.test(after)))
    return true;
  if (unit) return before === 'operator' || (unitsAsLetters && before !== 'divided');
  return before === 'operator' || before === 'divided' || before === 'glued';
}

/** `AB`, `xyz`, `Rr`, `mg` in `mg\sin\theta` are products; `5 cm`, `odd` and most of what is longer are words. */
export function isProductOfLetters(run: string, context: RunContext): boolean {
  if (/^(?:AM|PM|USD)$/.test(run)) return false;
  if (/^[A-Z]{2,4}$/.test(run)) return !(context.alone && /^(?:NO|YES|DNE|TRUE|NONE|ODD|EVEN)$/.test(run));
  if (/^(?:[xyzabcd]{4}|[b-df-hj-np-tv-xz]{4,6})$/.test(run)) return true;
  if (run.length > 4 || ANSWERS.has(run.toLowerCase())) return false;
  const unit = isUnit(run);
  if (/^[a-z]+$/.test(run)) {
    if (run.length > 3) return false;
    if (unit || SHORT_WORDS.has(run)) return isProductInPlace(run, context, unit);
    return true;
  }
  // Letters of both cases.
  if (unit) return isProductInPlace(run, context, true);
  if (/^[A-Z][b-df-hj-np-tv-xz]{2}$/.test(run)) return context.before !== 'word';
  if (/^[A-Z][a-z]+$/.test(run)) {
    return (
      run.length < 4 &&
      (isProductInPlace(run, context, false) ||
        (!context.alone && context.before !== 'word' && SIGN_FOLLOWS.test(context.after)))
    );
  }
  return context.before !== 'word' || ATTACHED.test(context.after);
}
