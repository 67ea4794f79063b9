/** `\frac12` takes its digits one by one. */
import type { Token } from './token';

/** Tokens looked back at for the brace group that is the first argument. */
const MAX_LOOK_BACK = 200;

/** Whether the next digit alone is an argument of `\frac` or `\binom`. */
export function isShortArgument(tokens: readonly Token[]): boolean {
  const fraction = (at: number): boolean =>
    tokens[at]?.type === 'command' && (tokens[at].text === 'frac' || tokens[at].text === 'binom');
  const last = tokens.length - 1;
  if (fraction(last) || (tokens[last]?.type === 'number' && fraction(last - 1))) return true;
  if (tokens[last]?.text !== '}') return false;
  let depth = 0;
  for (let at = last; at >= 0 && at > last - MAX_LOOK_BACK; at--) {
    if (tokens[at].type === 'close') depth++;
    else if (tokens[at].type === 'open' && --depth === 0) return fraction(at - 1);
  }
  return false;
}
