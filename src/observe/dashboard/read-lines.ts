/** Lines of files that may be long, may grow, and may end in half of a line. */
import { open, type FileHandle } from 'node:fs/promises';
import { isJsonObject, type JsonObject } from '../../json-object';

/** Bytes read at a time. */
export const CHUNK = 2 ** 20;
const NEWLINE = 10;

/**
 * Gives every whole line from byte `from` on to `onLine` with its place; the last one too where `last`, though no newline ends it.
 * `chunk` is memory to read into, for those who read many files. Between chunks other work of the event loop gets its turn.
 * @returns the byte after the last line given
 */
export async function readLines(
  file: string | FileHandle,
  from: number,
  onLine: (line: string, offset: number, bytes: number) => void,
  { last = false, chunk = Buffer.allocUnsafe(CHUNK) }: { last?: boolean; chunk?: Buffer } = {},
): Promise<number> {
  const handle = typeof file === 'string' ? await open(file, 'r') : file;
  try {
    let offset = from;
    let filled = 0;
    for (;;) {
      const { bytesRead } = await handle.read(chunk, filled, chunk.length - filled, offset + filled);
      const end = filled + bytesRead;
      const whole = chunk.subarray(0, end);
      let start = 0;
      for (;;) {
        const newline = whole.indexOf(NEWLINE, Math.max(start, start === 0 ? filled : 0));
        if (newline < 0) break;
        if (newline > start) onLine(chunk.toString('utf8', start, newline), offset + start, newline - start);
        start = newline + 1;
      }
      if (bytesRead === 0) {
        if (!last || end === start) return offset + start;
        onLine(chunk.toString('utf8', start, end), offset + start, end - start);
        return offset + end;
      }
      filled = end - start;
      offset += start;
      if (filled === chunk.length) chunk = Buffer.concat([chunk], 2 * chunk.length);
      else chunk.copyWithin(0, start, end);
    }
  } finally {
    if (typeof file === 'string') await handle.close();
  }
}

/** The object of a line; null where it is torn or something else. */
export function parseObject(line: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(line);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
