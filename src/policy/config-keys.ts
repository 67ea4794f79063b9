/** Typed reads of the keys of a config.json; a key that is null reads like one that is missing. */
import type { JsonObject } from '../json-object';
import { checkpointError, quote } from './checkpoint-file';

const MAX_SIZE = 2 ** 31 - 1;

export class ConfigKeys {
  constructor(
    readonly source: JsonObject,
    /** Its path, for messages. */
    readonly file: string,
  ) {}

  has(key: string): boolean {
    return this.source[key] != null;
  }

  /** From 1 to `maximum`; a fallback of null means that the key must be there. */
  integer(key: string, fallback: number | null, maximum = MAX_SIZE): number {
    const value = this.source[key] ?? fallback;
    if (value === null) throw checkpointError(`${this.file} lacks ${key}; add it.`);
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > maximum) {
      throw this.wrong(key, `an integer between 1 and ${maximum}`, value);
    }
    return value;
  }

  positive(key: string, fallback: number): number {
    const value = this.source[key] ?? fallback;
    if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
      throw this.wrong(key, 'a positive number', value);
    }
    return value;
  }

  boolean(key: string, fallback = false): boolean {
    const value = this.source[key] ?? fallback;
    if (typeof value !== 'boolean') throw this.wrong(key, 'true or false', value);
    return value;
  }

  /** Null where the key is missing. */
  list(key: string): unknown[] | null {
    const value = this.source[key] ?? null;
    if (value !== null && !Array.isArray(value)) throw this.wrong(key, 'a list', value);
    return value;
  }

  wrong(key: string, expected: string, value: unknown): Error {
    return checkpointError(
      `${this.file}: expected ${expected} for ${key} but found ${quote(value)}; correct the file.`,
    );
  }

  /** @param what the feature as the file names it */
  notImplemented(what: string, hint: string): Error {
    return checkpointError(`${this.file}: ${what} is not implemented; ${hint}.`);
  }
}
