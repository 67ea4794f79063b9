/**
 * Streaming reader of JSON Lines: one object a line, UTF-8. Memory stays bounded by the longest line allowed, so files of
 * any size can be read. Bad lines are yielded as errors in their place and reading goes on. A byte order mark, CRLF and
 * blank lines are accepted; blank lines count in line numbers.
 */
import { createReadStream } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { checkInteger, ZeroRlError } from '../errors';
import { isJsonObject, type JsonObject } from '../json-object';
import { parseExactJson } from './exact-numbers';

/** A parsed line, or why it could not be parsed. `line` counts from 1. */
export type JsonLine =
  { line: number; value: JsonObject; error?: undefined } | { line: number; value?: undefined; error: ZeroRlError };

export interface JsonLinesOptions {
  /** Most bytes of one line, default 64 MiB; a longer one is an error and is skipped without being kept. */
  maxLineBytes?: number;
  /** Numbers whose digits a double would lose become text; default true. */
  exactNumbers?: boolean;
  /** Ends reading with an AbortError, also while it waits for standard input. */
  signal?: AbortSignal;
}

export const DEFAULT_MAX_LINE_BYTES = 64 * 2 ** 20;

const NEWLINE = 0x0a;

/** What errors call the source: `-` is standard input. */
export function sourceName(path: string): string {
  return path === '-' ? 'standard input' : path;
}

function parse(bytes: Buffer, decoder: InstanceType<typeof TextDecoder>, exact: boolean): JsonObject | undefined {
  const text = decoder.decode(bytes).trim();
  if (text === '') return undefined;
  const value: unknown = exact ? parseExactJson(text) : JSON.parse(text);
  if (!isJsonObject(value)) {
    throw new SyntaxError(`it holds ${Array.isArray(value) ? 'an array' : JSON.stringify(value)} instead of an object`);
  }
  return value;
}

/** Splits a byte stream at newlines; null stands for a line over the limit. */
async function* splitLines(stream: AsyncIterable<Buffer | string>, limit: number): AsyncGenerator<Buffer | null> {
  let parts: Buffer[] = [];
  let length = 0;
  const take = (): Buffer | null => {
    const line = length > limit ? null : Buffer.concat(parts);
    parts = [];
    length = 0;
    return line;
  };
  const add = (part: Buffer): void => {
    length += part.length;
    if (length > limit) parts = [];
    else parts.push(part);
  };
  for await (const piece of stream) {
    const chunk = typeof piece === 'string' ? Buffer.from(piece) : piece;
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      add(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    add(chunk.subarray(start));
  }
  if (length > 0) yield take();
}

/**
 * Reads objects from a file, or from standard input for `-`.
 * @throws {ZeroRlError} `ERR_ZERO_RL_DATA` when the file cannot be read; bad lines are yielded, not thrown.
 */
export async function* readJsonLines(path: string, options: JsonLinesOptions = {}): AsyncGenerator<JsonLine> {
  const limit = checkInteger('maxLineBytes', options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES, 1);
  const stream: Readable = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: 2 ** 18 });
  if (options.signal !== undefined) addAbortSignal(options.signal, stream);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 0;
  const bad = (why: string): JsonLine => ({
    line,
    error: new ZeroRlError('ERR_ZERO_RL_DATA', `Line ${line} of ${sourceName(path)} cannot be used: ${why}`),
  });
  try {
    for await (const bytes of splitLines(stream as AsyncIterable<Buffer | string>, limit)) {
      line++;
      if (bytes === null) {
        yield bad(`it is longer than ${limit} bytes.`);
        continue;
      }
      let value: JsonObject | undefined;
      try {
        value = parse(bytes, decoder, options.exactNumbers ?? true);
      } catch (error) {
        const invalidText = (error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA';
        yield bad(invalidText ? 'it is not UTF-8.' : `${(error as Error).message.replace(/\.$/, '')}.`);
        continue;
      }
      if (value !== undefined) yield { line, value };
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined || (error as NodeJS.ErrnoException).syscall === undefined) throw error;
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : (error as Error).message;
    throw new ZeroRlError('ERR_ZERO_RL_DATA', `${sourceName(path)} cannot be read: ${why}.`, { cause: error });
  }
}
