/**
 * The bytes that each token adds to a text. Byte-level BPE (Qwen, Llama 3, GPT-2) writes every byte of its tokens as one
 * printable character: the printable ones of Latin-1 stand for themselves, the other 68 bytes for U+0100 and up in
 * order (the table of GPT-2's encoder). Tokens of a text are whole bytes but not whole characters, so stop strings and
 * decoding work on these bytes.
 */
import { mapInSlices } from '../event-loop';
import type { JsonObject } from '../json-object';
import type { Tokenizer } from './tokenizer';

const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = byteTable();
const CHARACTER_OF_BYTE: ReadonlyMap<number, string> = new Map(
  [...BYTE_OF_CHARACTER].map(([character, byte]) => [byte, character]),
);

/** How a byte-level vocabulary writes a byte (0 ... 255). */
export function byteLevelCharacter(byte: number): string {
  return CHARACTER_OF_BYTE.get(byte)!;
}

/** Bytes of a token of a byte-level vocabulary. One with a character outside the table stands for its own UTF-8 text. */
export function byteLevelBytes(token: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = BYTE_OF_CHARACTER.get(character);
    if (byte === undefined) return new TextEncoder().encode(token);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/**
 * Bytes of every token id, `tokenizer.vocabSize` entries; ids without a token have none. A large vocabulary takes a tenth of a
 * second and more, in which the event loop turns. Decoding is these bytes joined, read
 * as UTF-8.
 *
 * An added token counts as its decoder prints it, which is its own text unless it has letters of the Latin-1 range
 * outside ASCII and no character beyond the table: Hugging Face's decoder then takes those letters for bytes.
 */
export function tokenBytes(tokenizer: Tokenizer): Promise<Uint8Array[]> {
  const ids = Array.from({ length: tokenizer.vocabSize }, (_, id) => id);
  return mapInSlices(ids, (id) => tokenizer.bytesOf(id));
}

/** What matches the characters of bytes that a model without an unknown token has no token for; null where it has all. */
export function unwrittenBytes({ vocab, unk_token }: JsonObject): RegExp | null {
  if (unk_token !== null && unk_token !== undefined) return null;
  const missing = [...BYTE_OF_CHARACTER.keys()].filter((character) => !Object.hasOwn(vocab as object, character));
  if (missing.length === 0) return null;
  return new RegExp(`[${missing.map((each) => each.replace(/[\\\]^-]/, '\\$&')).join('')}]`, 'gu');
}

function byteTable(): Map<string, number> {
  const table = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte += 1) {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    table.set(String.fromCharCode(printable ? byte : next++), byte);
  }
  return table;
}
