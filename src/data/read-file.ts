/** Rows of data files by their extension, and the data files of a folder. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { ZeroRlError } from '../errors';
import type { JsonObject } from '../json-object';
import { readJsonLines } from './jsonl';
import { readParquet } from './parquet';

/** A row with what errors call it and the id it has without a column of that name. */
export interface FileRow {
  row: JsonObject;
  where: string;
  id: string;
}

export const DATA_EXTENSIONS = ['.jsonl', '.ndjson', '.json', '.parquet'] as const;

export function isDataFile(path: string): boolean {
  return (DATA_EXTENSIONS as readonly string[]).includes(extname(path).toLowerCase());
}

/** The data files of a folder and of those below it, by name; a file itself. */
export function dataFiles(path: string): string[] {
  if (!(statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false)) return [path];
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter(isDataFile).sort();
  if (files.length > 0) return files.map((file) => join(path, file));
  throw new ZeroRlError(
    'ERR_ZERO_RL_DATA',
    `The folder ${path} holds no data file; give one with ${DATA_EXTENSIONS.join(', ')} files`,
  );
}

/** Where a .json file is one array, its rows; null where it is JSON Lines. */
function readJsonArray(path: string): unknown[] | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch {
    // Reading it as JSON Lines says what is wrong.
    return null;
  }
  if (!text.trimStart().startsWith('[')) return null;
  try {
    return JSON.parse(text) as unknown[];
  } catch (cause) {
    throw new ZeroRlError('ERR_ZERO_RL_DATA', `${path} is not valid JSON: ${(cause as Error).message}`, { cause });
  }
}

/**
 * The rows of a .jsonl (.ndjson), .json (an array, or JSON Lines) or .parquet file.
 *
 * @returns The rows, and what is wrong with the lines that are none.
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` when the file cannot be read
 */
export async function readDataFile(path: string): Promise<{ rows: FileRow[]; errors: string[] }> {
  const rows: FileRow[] = [];
  const errors: string[] = [];
  const extension = extname(path).toLowerCase();
  const add = (row: unknown): void => {
    const number = rows.length + errors.length + 1;
    if (typeof row === 'object' && row !== null && !Array.isArray(row))
      rows.push({ row: row as JsonObject, where: `row ${number}`, id: String(number) });
    else errors.push(`row ${number} is no object`);
  };
  if (extension === '.parquet') {
    for await (const row of readParquet(path)) add(row);
    return { rows, errors };
  }
  const array = extension === '.json' ? readJsonArray(path) : null;
  if (array !== null) {
    array.forEach(add);
    return { rows, errors };
  }
  for await (const { line, value, error } of readJsonLines(path)) {
    if (error) errors.push(error.message);
    else rows.push({ row: value, where: `line ${line}`, id: String(line) });
  }
  return { rows, errors };
}
