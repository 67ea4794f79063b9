/**
 * The sets of tokens that truncated draws were made from, as `Rollout.keptTokens` has them: one after the other, one for each
 * token. native/model/kept_sets.h says how a set is written; that of a token drawn from all of the vocabulary is one byte 0.
 */
import { invalidRange, invalidType } from '../errors';

/** The part of a response that was drawn at once, or written by others. */
export interface KeptPart {
  tokens: { readonly length: number };
  keptTokens?: Uint8Array;
}

/** The sets of a response made of `parts`; undefined where no part has any. */
export function joinKeptTokens(parts: readonly KeptPart[]): Uint8Array | undefined {
  if (parts.every(({ keptTokens }) => keptTokens === undefined)) return undefined;
  const sizes = parts.map(({ tokens, keptTokens }) => keptTokens?.length ?? tokens.length);
  const joined = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  parts.forEach(({ keptTokens }, i) => {
    if (keptTokens !== undefined) joined.set(keptTokens, at);
    at += sizes[i];
  });
  return joined;
}

function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]';
}

/** The sets of each sequence, null where it has none; null where none has any. The engine checks what they hold. */
export function collectKeptTokens(sequences: readonly { keptTokens?: unknown }[]): (Uint8Array | null)[] | null {
  if (sequences.every(({ keptTokens }) => keptTokens === undefined)) return null;
  return sequences.map(({ keptTokens }, i) => {
    if (keptTokens === undefined) return null;
    const [name, expected] = [`sequences[${i}].keptTokens`, 'the Uint8Array of a rollout'];
    if (!isBytes(keptTokens)) throw invalidType(name, expected, keptTokens);
    if (keptTokens.length === 0) throw invalidRange(name, expected, keptTokens);
    return keptTokens;
  });
}
