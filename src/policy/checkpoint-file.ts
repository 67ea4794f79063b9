/** Reading the small JSON files of a model folder; every failure is one ERR_ZERO_RL_CHECKPOINT that names the file. */
import { readFile, stat } from 'node:fs/promises';
import { isJsonObject, type JsonObject } from '../json-object';

import { ZeroRlError } from '../errors';
import { parsePythonJson, stringifyPythonJson } from './python-json';

/** Largest JSON file that is read (safetensors headers have the same limit by their format). */
export const MAX_JSON_BYTES = 100_000_000;

export function checkpointError(message: string, cause?: unknown): ZeroRlError {
  return new ZeroRlError('ERR_ZERO_RL_CHECKPOINT', message, cause === undefined ? undefined : { cause });
}

/** Size in bytes of a regular file, or null when there is none of that name. */
export async function fileSize(file: string): Promise<number | null> {
  try {
    const stats = await stat(file);
    if (stats.isFile()) return stats.size;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw checkpointError(`Cannot read ${file} (${code}); check its permissions.`, error);
  }
  throw checkpointError(`${file} is not a regular file; put the model's own file there.`);
}

/** The text of a UTF-8 file, or null when it does not exist. */
export async function readTextFile(file: string): Promise<string | null> {
  const size = await fileSize(file);
  if (size === null) return null;
  if (size > MAX_JSON_BYTES) {
    throw checkpointError(
      `${file} holds ${size} bytes, more than the ${MAX_JSON_BYTES} read; check that it is the right file.`,
    );
  }
  const bytes = await readFile(file).catch((error: unknown) => {
    throw checkpointError(`Cannot read ${file} (${errorCode(error)}); check its permissions.`, error);
  });
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    throw checkpointError(`${file} is not UTF-8 text; download or save it again.`, error);
  }
}

/** The JSON object of a file, which may hold NaN and Infinity as Python writes them, or null when it does not exist. */
export async function readJsonObject(file: string): Promise<JsonObject | null> {
  const text = await readTextFile(file);
  if (text === null) return null;
  let value: unknown;
  try {
    value = parsePythonJson(text);
  } catch (error) {
    throw checkpointError(`${file} is not valid JSON; download or save it again.`, error);
  }
  if (!isJsonObject(value)) throw checkpointError(`${file} does not hold a JSON object; download or save it again.`);
  return value;
}

/** Strict UTF-8; throws TypeError on malformed bytes. */
export function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

/** The system's error code, e.g. EACCES. */
export function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown error';
}

/** A value as JSON for a message, shortened. */
export function quote(value: unknown): string {
  const text = stringifyPythonJson(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
