/** Problems to train and evaluate on: files, datasets of the hub, generators or user code, one source or several. */
import { ZeroRlError } from '../errors';
import { datasetFiles } from '../hub/dataset';
import { parseHubId } from '../hub/repository';
import { isUserCode, loadUserCode } from '../user-code';
import { toProblem } from './columns';
import { generateProblems, type GeneratorOptions } from './generators';
import type { JsonObject } from '../json-object';
import type { Part } from './order';
import { dataFiles, isDataFile, readDataFile, type FileRow } from './read-file';
import { isGenerator, type DataSource } from './source';

/** One row. */
export interface Problem {
  /** Names the row in rollouts and errors; the line number where the file has no `id`. */
  id: string;
  /** The text that the template wraps. */
  problem: string;
  /** The gold answer. */
  answer: string;
  /** The whole row, for rewards and templates of one's own. */
  row?: JsonObject;
}

export interface DatasetOptions extends GeneratorOptions {
  /** Column of the problem text of sources that name none. */
  problemKey?: string;
  /** Column of the gold answer of sources that name none. */
  answerKey?: string;
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

function collect(name: string, rows: Iterable<FileRow>, source: DataSource): Problem[] {
  const problems: Problem[] = [];
  const errors: string[] = [];
  for (const { row, where, id } of rows) {
    try {
      problems.push(toProblem(row, id, source));
    } catch (error) {
      errors.push(`${where}: ${(error as Error).message}`);
    }
  }
  if (errors.length > 0) throw badRows(name, errors);
  return problems;
}

/** Rows without an id are named by their number, and by the file where there are several. */
async function readFiles(files: readonly string[], source: DataSource): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const [i, file] of files.entries()) {
    const { rows, errors } = await readDataFile(file);
    if (errors.length > 0) throw badRows(file, errors);
    const named = files.length === 1 ? rows : rows.map((row) => ({ ...row, id: `${i + 1}:${row.id}` }));
    problems.push(...collect(file, named, source));
  }
  return problems;
}

async function callUserCode(source: DataSource, options: DatasetOptions): Promise<Problem[]> {
  const reference = source.source;
  const made = await loadUserCode(reference, 'dataset');
  const result: unknown =
    typeof made === 'function' ? await (made as (options: DatasetOptions) => unknown)(options) : made;
  const iterable = result as AsyncIterable<JsonObject> | Iterable<JsonObject> | null | undefined;
  if (
    typeof iterable !== 'object' ||
    iterable === null ||
    !(Symbol.iterator in iterable || Symbol.asyncIterator in iterable)
  ) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_DATA',
      `${reference} gives no rows: export an array, an iterable or a function that returns one`,
    );
  }
  const rows: FileRow[] = [];
  for await (const row of iterable) {
    rows.push({ row, where: `row ${rows.length + 1}`, id: String(rows.length + 1) });
  }
  return collect(reference, rows, source);
}

/** Whether a source is neither generator, user code nor path: a dataset of the hub. */
export function isHubDataset(source: string): boolean {
  return !isGenerator(source) && !isUserCode(source) && !isDataFile(source) && parseHubId(source) !== null;
}

async function readHub(
  source: DataSource,
  { split, signal }: DatasetOptions,
): Promise<{ problems: Problem[]; commit: string }> {
  const id = parseHubId(source.source);
  if (id === null) throw new ZeroRlError('ERR_ZERO_RL_DATA', `${source.source} is no name of a dataset`);
  const repository = { type: 'dataset', ...id, revision: source.revision ?? id.revision } as const;
  const { files, commit } = await datasetFiles(repository, {
    subset: source.subset,
    split: source.split ?? (split === 'train' ? 'train' : 'test'),
    splitIsDefault: source.split === undefined,
    files: source.files,
    signal,
  });
  return { problems: await readFiles(files, source), commit };
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
  } else loaded = { problems: await readFiles(dataFiles(name), source), source: given };
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
  const problems = loaded.flatMap(({ problems: rows }, i) =>
    several ? rows.map((row) => ({ ...row, id: `${i + 1}/${row.id}` })) : rows,
  );
  const weighted = several && sources.every(({ weight }) => weight !== undefined);
  const parts = weighted
    ? loaded.map(({ problems: { length }, source: { weight = 1 } }) => ({ count: length, weight }))
    : [{ count: problems.length, weight: 1 }];
  return { problems, parts, sources: loaded.map(({ source }) => source) };
}
