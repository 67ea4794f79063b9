/** Tells the blank of a prompt (`\boxed{}`, `[your answer]`) from an answer, so that repeating the prompt states nothing. */

const LONGEST = 60;

/** What stands for an empty place: phantoms, squares, dots, blanks, question marks, and the macros that wrap them. */
const BLANKS =
  /\\(?:h?phantom\s*\{[^{}]*\}|square|Box|[lc]?dots|q?quad|text[a-z]*|math[a-z]*|boxed|fbox|mbox|displaystyle|[_,;:! ])|[\s.…?□_~<>[\]{}()*$"'`]+/g;

const NAMES =
  /^(?:the |your |my |insert |put |write )?(?:your |the )?(?:final |correct |numerical |numeric |computed |exact |simplified |option )?(?:answer|result|solution|choice|letter|value|expression|number)s?(?: here| goes here| letter| value| choice| only)?$/;

/** Whether `text` holds the place of an answer instead of being one. Empty text is. */
export function isPlaceholder(text: string): boolean {
  if (text.length > LONGEST) return false;
  const bare = text.replace(BLANKS, ' ').trim();
  return bare === '' || NAMES.test(bare.toLowerCase());
}
