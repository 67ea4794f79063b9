/** Whether letters that stand together are a word or a product of variables. */

/** Two- and three-letter runs that are words, not products of variables. */
const SHORT_WORDS = new Set(
  (
    'no yes odd the of is are not all one two six ten any per for cm mm km dm kg mg ft in to by at it we so if at am pm day sec min hr hrs ' +
    'mph men boy cat dog who how why see has had was can may set sum add but his her its our out off ' +
    'mon tue wed thu fri sat sun jan feb mar apr jun jul aug sep oct nov dec non nor on as be do he me my up us red tie win dne nan'
  ).split(' '),
);

/** `AB`, `xyz` are products; `cm`, `odd` and anything longer are words. `alone`: the run is the whole answer. */
export function isProductOfLetters(run: string, alone: boolean): boolean {
  if (/^(?:AM|PM|USD)$/.test(run)) return false;
  if (/^[A-Z]{2,4}$/.test(run)) return !(alone && /^(?:NO|YES|DNE|TRUE|NONE|ODD|EVEN)$/.test(run));
  return (run.length <= 3 && /^[a-z]+$/.test(run) && !SHORT_WORDS.has(run)) || /^[xyzabc]{4}$/.test(run);
}
