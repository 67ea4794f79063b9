/** The nearest known name to a misspelt one, for error messages about option and config keys. */
import { closest, distance } from 'fastest-levenshtein';

/** Case, `_` and `-` do not count, so `max_tokens` finds `maxTokens`. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '');
}

/** The candidate closest to `name`, or undefined when it is more than 2 edits and a third of its length away. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const plainName = plain(name);
  const plainCandidates = candidates.map(plain);
  const found = closest(plainName, plainCandidates);
  if (distance(plainName, found) > Math.max(2, Math.floor(found.length / 3))) return undefined;
  return candidates[plainCandidates.indexOf(found)];
}
