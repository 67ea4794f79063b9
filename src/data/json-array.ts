/** Streaming reader of a JSON file that is one array: an item at a time, so that files of any size can be read. */
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { parseExactJson } from './exact-numbers';

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
/** Bytes in which the first character must come. */
const HEAD_BYTES = 4096;

const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);

/** Whether the first character of the file, after a byte order mark and white space, is `[`. False where it cannot be read. */
export function startsWithArray(path: string): boolean {
  try {
    const file = openSync(path, 'r');
    try {
      const head = Buffer.alloc(HEAD_BYTES);
      const text = head.toString('utf8', 0, readSync(file, head, 0, HEAD_BYTES, 0)).replace(/^\uFEFF/, '');
      return text.trimStart().startsWith('[');
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}

/** Texts of the items of the outermost array. What is no JSON comes out as it stands: its parser says what is wrong. */
async function* splitItems(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let depth = 0;
  let inText = false;
  let escaped = false;
  const take = (): string => {
    const text = Buffer.concat(parts).toString('utf8');
    parts = [];
    return text;
  };
  let ended = false;
  for await (const chunk of stream) {
    let start = depth === 0 ? chunk.length : 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (inText) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inText = false;
        continue;
      }
      if (byte === QUOTE) inText = true;
      else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
        if (++depth === 1) start = i + 1;
      } else if ((byte === CLOSE_LIST || byte === CLOSE_OBJECT) && --depth === 0) {
        if (byte !== CLOSE_LIST) throw new SyntaxError('its array ends in }');
        parts.push(chunk.subarray(start, i));
        yield take();
        start = chunk.length;
        ended = true;
      } else if (byte === COMMA && depth === 1) {
        parts.push(chunk.subarray(start, i));
        yield take();
        start = i + 1;
      } else if (ended && !isSpace(byte)) throw new SyntaxError('something follows its array');
    }
    if (start < chunk.length) parts.push(Buffer.from(chunk.subarray(start)));
  }
  if (!ended) throw new SyntaxError('its array has no end');
}

/**
 * The items of the array.
 * @throws SyntaxError where the file is no JSON
 */
export async function* readJsonArray(path: string): AsyncGenerator {
  let first = true;
  let empty = false;
  for await (const text of splitItems(createReadStream(path, { highWaterMark: 2 ** 18 }))) {
    if (empty) throw new SyntaxError('an item is missing');
    // An array without items is one empty text.
    empty = first && text.trim() === '';
    first = false;
    if (!empty) yield parseExactJson(text);
  }
}
