/** Problems to train and evaluate on: files, datasets of the hub, generators or user code, one source or several. */
import { getHeapStatistics } from 'node:v8';
import { isZeroRlError, ZeroRlError } from '../errors';
import { datasetFiles, selectDataFiles, type DatasetRequest } from '../hub/dataset';
import { parseHubId } from '../hub/repository';
import { untilAborted } from '../until-aborted';
import { isUserCode, loadUserCode, userCodeThrew } from '../user-code';
import { MEDIA_COLUMNS, pickColumns, toProblem, usedColumns } from './columns';
import type { Message } from './conversation';
import { generateProblems, type GeneratorOptions } from './generators';
import { isJsonObject, type JsonObject } from '../json-object';
import type { Part } from './order';
import type { ParquetColumn } from './parquet';
import { dataFiles, isDataFile, isOtherKind, readDataFile, type BadRow, type FileRow } from './read-file';
import { isGenerator, type DataSource } from './source';

/** One row. */
export interface Problem {
  /** Names the row in rollouts and errors; the line number where the file has no `id`. */
  id: string;
  /** The text that the template wraps. */
  problem: string;
  /** The gold answer. */
  answer: string;
  /** Name of the source that it is of. */
  source?: string;
  /** Where the row has a conversation, its turns up to the last one of the user, which is `problem`. */
  messages?: readonly Message[];
  /** The row, for rewards and templates of one's own: whole, or the columns that `columns` of the source names. */
  row?: JsonObject;
}

export interface DatasetOptions extends GeneratorOptions {
  /** Column of the problem text of sources that name none. */
  problemKey?: string;
  /** Column of the gold answer of sources that name none. */
  answerKey?: string;
  /** Whether rows that cannot be used end loading (`error`, the default) or are left out with a warning. */
  badRows?: 'error' | 'skip';
  /** Whether problems have their whole row where the source names no columns. Default true. */
  wholeRows?: boolean;
  /** Columns that every row keeps. */
  columns?: readonly string[];
  warn?: (message: string) => void;
  signal?: AbortSignal;
}

/** Problems in the order of their sources. */
export interface ProblemSet {
  problems: Problem[];
  /** One per weighted source; one in all without weights. */
  parts: Part[];
  /** The sources, each dataset of the hub with the commit that was read. */
  sources: DataSource[];
}

/** Share of the heap that the rows of a file may fill, counted by its uncompressed bytes. */
const HEAP_SHARE = 0.8;

/** @throws ZeroRlError `ERR_ZERO_RL_DATA` where so many bytes cannot be rows in memory */
function checkMemory(file: string, bytes: number, whole: boolean): void {
  const { heap_size_limit: limit } = getHeapStatistics();
  if (bytes < HEAP_SHARE * limit) return;
  const gigabytes = (count: number): string => `${(count / 1e9).toFixed(1)} GB`;
  throw new ZeroRlError(
    'ERR_ZERO_RL_DATA',
    `The columns of ${file} that are read hold ${gigabytes(bytes)}, more than the ${gigabytes(limit)} of memory that Node has for them; ` +
      (whole ? 'set columns of the source to those that your code reads' : 'take fewer of its files') +
      ', or give Node more with NODE_OPTIONS=--max-old-space-size=MiB',
  );
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

interface Loaded {
  problems: Problem[];
  source: DataSource;
}

/** Bad rows named one by one in an error. */
const SHOWN_ERRORS = 5;

function badRows(source: string, errors: readonly string[]): ZeroRlError {
  const more = errors.length > SHOWN_ERRORS ? ` (and ${errors.length - SHOWN_ERRORS} more)` : '';
  return new ZeroRlError(
    'ERR_ZERO_RL_DATA',
    `${source} has ${errors.length === 1 ? 'a row' : 'rows'} that cannot be used: ${errors.slice(0, SHOWN_ERRORS).join('; ')}${more}`,
  );
}

/** Gathers the problems of one source and what is to be said about it. */
class Collector {
  readonly problems: Problem[] = [];
  private readonly bad: string[] = [];
  private readonly dropped = new Map<string, number>();
  private readonly whole: boolean;
  private readonly always: readonly string[];

  constructor(
    private readonly source: DataSource,
    private readonly options: DatasetOptions,
  ) {
    this.whole = source.columns === undefined && (options.wholeRows ?? true);
    this.always = options.columns ?? [];
  }

  /** The columns of a Parquet file that are read. */
  readonly select = (columns: readonly ParquetColumn[], file: string): readonly string[] => {
    const { columns: named = [] } = this.source;
    const wanted = { ...this.source, columns: [...named, ...this.always] };
    const used = this.whole ? columns.map(({ name }) => name) : usedColumns(columns, wanted);
    const unread = columns.filter(({ name }) => MEDIA_COLUMNS.includes(name) && !used.includes(name));
    for (const { name } of unread) this.dropped.set(`the column ${name}`, 0);
    checkMemory(file, sum(columns.filter(({ name }) => used.includes(name)).map(({ bytes }) => bytes)), this.whole);
    return used;
  };

  /** Adds a row; `prefix` precedes its id where it has none of its own. */
  add(item: FileRow | BadRow, prefix = ''): void {
    if (item.row === undefined) {
      this.bad.push(item.error);
      return;
    }
    try {
      const { problem, used, dropped } = toProblem(item.row, `${prefix}${item.id}`, this.source);
      for (const what of dropped) this.dropped.set(what, (this.dropped.get(what) ?? 0) + 1);
      const { row } = problem;
      const { columns } = this.source;
      if (!this.whole && row !== undefined)
        problem.row = pickColumns(row, [...this.always, ...(columns === undefined ? [] : [...used, ...columns])]);
      this.problems.push(problem);
    } catch (error) {
      this.bad.push(`${item.where}: ${(error as Error).message}`);
    }
  }

  /** @throws ZeroRlError `ERR_ZERO_RL_DATA` for the rows of `name` that cannot be used, unless they are to be left out */
  finish(name: string): void {
    if (this.bad.length === 0) return;
    const error = badRows(name, this.bad);
    if (this.options.badRows !== 'skip') throw error;
    this.options.warn?.(`${error.message}; ${this.bad.length === 1 ? 'it is' : 'they are'} left out`);
    this.bad.length = 0;
  }

  /** Names once what of the rows is left out. */
  say(name: string): void {
    for (const [what, count] of this.dropped) {
      const rows = count === 0 ? '' : ` (in ${count} of ${this.problems.length} rows)`;
      this.options.warn?.(`${name}: ${what}${rows} cannot be read by a model of text and is left out`);
    }
  }
}

async function readFiles(files: readonly string[], source: DataSource, options: DatasetOptions): Promise<Problem[]> {
  const collector = new Collector(source, options);
  for (const [i, file] of files.entries()) {
    const prefix = files.length === 1 ? '' : `${i + 1}:`;
    const select = (columns: readonly ParquetColumn[]): readonly string[] => collector.select(columns, file);
    for await (const item of readDataFile(file, { select })) {
      options.signal?.throwIfAborted();
      collector.add(item, prefix);
    }
    collector.finish(file);
  }
  collector.say(source.source);
  return collector.problems;
}

function checkRows(reference: string, result: unknown): AsyncIterable<unknown> | Iterable<unknown> {
  if (typeof result === 'object' && result !== null && (Symbol.iterator in result || Symbol.asyncIterator in result))
    return result as AsyncIterable<unknown> | Iterable<unknown>;
  throw new ZeroRlError(
    'ERR_ZERO_RL_DATA',
    `${reference} gives no rows: export an array, an iterable or a function that returns one`,
  );
}

async function callUserCode(source: DataSource, options: DatasetOptions): Promise<Problem[]> {
  const reference = source.source;
  const { signal } = options;
  const made = await loadUserCode(reference, 'dataset', signal);
  const collector = new Collector(source, options);
  let number = 0;
  const read = async (): Promise<void> => {
    const result: unknown =
      typeof made === 'function' ? await (made as (options: DatasetOptions) => unknown)(options) : made;
    for await (const row of checkRows(reference, result)) {
      if (signal?.aborted) return;
      number++;
      collector.add(
        isJsonObject(row)
          ? { row, where: `row ${number}`, id: String(number) }
          : { error: `row ${number} is no object` },
      );
    }
  };
  try {
    await untilAborted(read(), signal);
  } catch (cause) {
    if (signal?.aborted || isZeroRlError(cause)) throw cause;
    throw userCodeThrew(
      `The dataset ${reference} threw ${number === 0 ? 'before its first row' : `after row ${number}`}`,
      cause,
    );
  }
  collector.finish(reference);
  collector.say(reference);
  return collector.problems;
}

/** Whether a source is neither generator, user code nor path: a dataset of the hub. */
export function isHubDataset(source: string): boolean {
  const isPath = isGenerator(source) || isUserCode(source) || isDataFile(source) || isOtherKind(source);
  return !isPath && parseHubId(source) !== null;
}

async function readHub(source: DataSource, options: DatasetOptions): Promise<{ problems: Problem[]; commit: string }> {
  const id = parseHubId(source.source);
  if (id === null) throw new ZeroRlError('ERR_ZERO_RL_DATA', `${source.source} is no name of a dataset`);
  const repository = { type: 'dataset', ...id, revision: source.revision ?? id.revision } as const;
  const { files, commit } = await datasetFiles(repository, { ...fileRequest(source, options), signal: options.signal });
  return { problems: await readFiles(files, source, options), commit };
}

function fileRequest(source: DataSource, { split }: DatasetOptions): DatasetRequest {
  return {
    subset: source.subset,
    split: source.split ?? (split === 'train' ? 'train' : 'test'),
    splitIsDefault: source.split === undefined,
    files: source.files,
  };
}

/** A file, or the files of a folder. */
async function readPath(source: DataSource, options: DatasetOptions): Promise<Problem[]> {
  const title = `The folder ${source.source}`;
  const request = { ...fileRequest(source, options), local: true };
  const files = dataFiles(source.source, (all) => selectDataFiles(all, request, title));
  return readFiles(files, source, options);
}

async function loadSource(given: DataSource, options: DatasetOptions): Promise<Loaded> {
  const name = given.source;
  const { problemKey = options.problemKey, answerKey = options.answerKey } = given;
  const source = { ...given, problemKey, answerKey };
  let loaded: Loaded;
  if (isGenerator(name)) loaded = { problems: generateProblems(name, options), source: given };
  else if (isUserCode(name)) loaded = { problems: await callUserCode(source, options), source: given };
  else if (isHubDataset(name)) {
    const { problems, commit } = await readHub(source, options);
    loaded = { problems, source: { ...given, revision: commit } };
  } else loaded = { problems: await readPath(source, options), source: given };
  if (loaded.problems.length === 0) throw new ZeroRlError('ERR_ZERO_RL_DATA', `${name} holds no problem`);
  return loaded;
}

/**
 * Loads every problem of `sources`. With several, ids are preceded by the number of the source, from 1.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` naming the rows that cannot be used, or when a source holds no problem at all;
 * `ERR_ZERO_RL_HUB` when a dataset of the hub cannot be had
 */
export async function loadProblems(sources: readonly DataSource[], options: DatasetOptions): Promise<ProblemSet> {
  const loaded: Loaded[] = [];
  for (const source of sources) loaded.push(await loadSource(source, options));
  const several = sources.length > 1;
  const problems = loaded.flatMap(({ problems: rows, source: { name, source } }, i) =>
    rows.map((row) => ({ ...row, id: several ? `${i + 1}/${row.id}` : row.id, source: name ?? source })),
  );
  const weighted = several && sources.every(({ weight }) => weight !== undefined);
  const parts = weighted
    ? loaded.map(({ problems: { length }, source: { weight = 1 } }) => ({ count: length, weight }))
    : [{ count: problems.length, weight: 1 }];
  return { problems, parts, sources: loaded.map(({ source }) => source) };
}
