/** Rows of data files by their extension, and the data files of a folder. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { ZeroRlError } from '../errors';
import { isJsonObject, type JsonObject } from '../json-object';
import { readJsonArray, startsWithArray } from './json-array';
import { readJsonLines } from './jsonl';
import { readParquet, type ParquetOptions } from './parquet';

/** A row with what errors call it and the id it has without a column of that name. */
export interface FileRow {
  row: JsonObject;
  where: string;
  id: string;
  error?: undefined;
}

/** What is in the place of a row and is none. */
export interface BadRow {
  row?: undefined;
  /** Names the row and says what is wrong. */
  error: string;
}

export const DATA_EXTENSIONS = ['.jsonl', '.ndjson', '.json', '.parquet'] as const;

/** Files of other kinds that hold rows, and how they become rows that can be read. */
const OTHER_KINDS: Readonly<Partial<Record<string, string>>> = {
  '.csv': 'pandas.read_csv(…).to_json("rows.jsonl", orient="records", lines=True)',
  '.tsv': 'pandas.read_csv(…, sep="\\t").to_json("rows.jsonl", orient="records", lines=True)',
  '.xlsx': 'pandas.read_excel(…).to_json("rows.jsonl", orient="records", lines=True)',
  '.arrow': 'datasets.load_from_disk(folder).to_parquet("rows.parquet")',
  '.feather': 'pandas.read_feather(…).to_parquet("rows.parquet")',
  '.gz': 'gunzip',
  '.zst': 'unzstd',
  '.bz2': 'bunzip2',
  '.xz': 'unxz',
  '.zip': 'unzip',
  '.tar': 'tar -xf',
};

export function isDataFile(path: string): boolean {
  return (DATA_EXTENSIONS as readonly string[]).includes(extname(path).toLowerCase());
}

/** Whether a name is that of a file of rows of a kind that is not read. */
export function isOtherKind(path: string): boolean {
  return Object.hasOwn(OTHER_KINDS, extname(path).toLowerCase());
}

/** Files that describe a dataset and hold no rows. */
const DESCRIPTIONS = /^(dataset_infos?|dataset_dict|state|config|metadata)\.json$/;

/** Whether the file at `path` holds rows by its name. */
export function holdsRows(path: string): boolean {
  return isDataFile(path) && !DESCRIPTIONS.test(basename(path));
}

/** @param name the file in the folder `path` */
function unreadable(path: string, name?: string): ZeroRlError {
  const extension = extname(name ?? path).toLowerCase();
  const how = OTHER_KINDS[extension];
  const file = name === undefined ? path : join(path, name);
  const known = `${DATA_EXTENSIONS.join(', ')} files are read`;
  return new ZeroRlError(
    'ERR_ZERO_RL_DATA',
    how === undefined
      ? `${file} is no data file: ${known}`
      : `${file} is a ${extension} file, and ${known}; convert it first, e.g. with ${how}`,
  );
}

const missing = (path: string): ZeroRlError =>
  new ZeroRlError('ERR_ZERO_RL_DATA', `${path} cannot be read: there is no such file or folder`);

/** The data files of a folder and of those below it that `select` chooses, by name; a file itself. */
export function dataFiles(path: string, select: (files: string[]) => string[] = (files) => files): string[] {
  if (!(statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false)) return [path];
  const all = readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
  const files = all.filter(holdsRows);
  if (files.length > 0) return select(files).map((file) => join(path, file));
  const other = all.find(isOtherKind);
  if (other !== undefined) throw unreadable(path, other);
  throw new ZeroRlError(
    'ERR_ZERO_RL_DATA',
    `The folder ${path} holds no data file; give one with ${DATA_EXTENSIONS.join(', ')} files`,
  );
}

async function* numbered(items: AsyncIterable<unknown>): AsyncGenerator<FileRow | BadRow> {
  let number = 0;
  for await (const row of items) {
    number++;
    if (isJsonObject(row)) yield { row, where: `row ${number}`, id: String(number) };
    else yield { error: `row ${number} is no object` };
  }
}

/**
 * The rows of a .jsonl (.ndjson), .json (an array, or JSON Lines) or .parquet file, and what stands in the place of one.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` when the file cannot be read, or is of another kind
 */
export async function* readDataFile(path: string, options: ParquetOptions = {}): AsyncGenerator<FileRow | BadRow> {
  const extension = extname(path).toLowerCase();
  if (extension === '.parquet') {
    yield* numbered(readParquet(path, options));
    return;
  }
  if (!isDataFile(path)) throw existsSync(path) ? unreadable(path) : missing(path);
  if (extension === '.json' && startsWithArray(path)) {
    try {
      yield* numbered(readJsonArray(path));
    } catch (cause) {
      if (cause instanceof ZeroRlError) throw cause;
      throw new ZeroRlError('ERR_ZERO_RL_DATA', `${path} is not valid JSON: ${(cause as Error).message}`, { cause });
    }
    return;
  }
  for await (const { line, value, error } of readJsonLines(path)) {
    if (error) yield { error: error.message };
    else yield { row: value, where: `line ${line}`, id: String(line) };
  }
}
