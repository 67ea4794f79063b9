/**
 * Problems to train and evaluate on: JSON Lines files, the built-in arithmetic generator, or user code. Held in memory;
 * which problems a step takes is a pure function of (seed, step), so a resumed run needs no loader state.
 */
import { ZeroRlError } from '../errors';
import { nearest } from '../nearest';
import { isUserCode, loadUserCode } from '../user-code';
import { arithmeticPrompts, type ArithmeticPromptOptions } from './arithmetic';
import { RandomStream } from './random';
import { readJsonLines, type JsonObject } from './jsonl';

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

export interface DatasetOptions {
  /** Column of the problem text. Default: the first of `problem`, `question` and `prompt` that a row has. */
  problemKey?: string;
  /** Column of the gold answer. Default: the first of `answer`, `gold` and `solution` that a row has. */
  answerKey?: string;
  /** Generators: rows to make. User code gets it too. */
  count: number;
  split: 'train' | 'heldOut';
  /** Options of the arithmetic generator. */
  arithmetic?: Pick<ArithmeticPromptOptions, 'seed' | 'template' | 'kinds'>;
  /** Shown when bad lines are skipped. */
  warn?: (message: string) => void;
}

const PROBLEM_KEYS = ['problem', 'question', 'prompt'];
const ANSWER_KEYS = ['answer', 'gold', 'solution'];
/** Bad lines named one by one in an error. */
const SHOWN_ERRORS = 5;

function column(row: JsonObject, key: string | undefined, defaults: readonly string[]): string {
  const name = key ?? defaults.find((candidate) => candidate in row);
  if (name === undefined || !(name in row)) {
    const wanted = key === undefined ? defaults.map((item) => `"${item}"`).join(', ') : `"${key}"`;
    const near = nearest(key ?? defaults[0], Object.keys(row));
    throw new Error(
      `it has no ${wanted} (its keys: ${Object.keys(row).join(', ')}${near ? `; did you mean "${near}"?` : ''})`,
    );
  }
  const value = row[name];
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value !== 'string')
    throw new Error(`"${name}" is ${value === null ? 'null' : typeof value} instead of text`);
  if (value.trim() === '') throw new Error(`"${name}" is empty`);
  return value;
}

/** A row of a file or of user code as a problem; throws a plain Error that says what is wrong with it. */
function toProblem(row: JsonObject, fallbackId: string, options: DatasetOptions): Problem {
  const id = typeof row.id === 'string' || typeof row.id === 'number' ? String(row.id) : fallbackId;
  return {
    id,
    problem: column(row, options.problemKey, PROBLEM_KEYS),
    answer: column(row, options.answerKey, ANSWER_KEYS),
    row,
  };
}

function badRows(source: string, errors: readonly string[]): ZeroRlError {
  const more = errors.length > SHOWN_ERRORS ? ` (and ${errors.length - SHOWN_ERRORS} more)` : '';
  return new ZeroRlError(
    'ERR_ZERO_RL_DATA',
    `${source} has ${errors.length === 1 ? 'a row' : 'rows'} that cannot be used: ${errors.slice(0, SHOWN_ERRORS).join('; ')}${more}`,
  );
}

function collect(
  source: string,
  rows: Iterable<{ row: JsonObject; where: string; id: string }>,
  options: DatasetOptions,
): Problem[] {
  const problems: Problem[] = [];
  const errors: string[] = [];
  for (const { row, where, id } of rows) {
    try {
      problems.push(toProblem(row, id, options));
    } catch (error) {
      errors.push(`${where}: ${(error as Error).message}`);
    }
  }
  if (errors.length > 0) throw badRows(source, errors);
  return problems;
}

async function readFile(path: string, options: DatasetOptions): Promise<Problem[]> {
  const rows: { row: JsonObject; where: string; id: string }[] = [];
  const errors: string[] = [];
  for await (const { line, value, error } of readJsonLines(path)) {
    if (error) errors.push(error.message);
    else rows.push({ row: value, where: `line ${line}`, id: String(line) });
  }
  if (errors.length > 0) throw badRows(path, errors);
  return collect(path, rows, options);
}

async function callUserCode(reference: string, options: DatasetOptions): Promise<Problem[]> {
  const made = await loadUserCode(reference, 'dataset');
  const result: unknown =
    typeof made === 'function' ? await (made as (options: DatasetOptions) => unknown)(options) : made;
  const rows: { row: JsonObject; where: string; id: string }[] = [];
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
  for await (const row of iterable) {
    rows.push({ row, where: `row ${rows.length + 1}`, id: String(rows.length + 1) });
  }
  return collect(reference, rows, options);
}

/**
 * Loads every problem of `source`: `arithmetic`, a .jsonl file, or `./my.mjs#name` (an array, iterable or function).
 *
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` naming the lines that cannot be used, or when there is no problem at all.
 */
export async function loadProblems(source: string, options: DatasetOptions): Promise<Problem[]> {
  let problems: Problem[];
  if (source === 'arithmetic') {
    const made = arithmeticPrompts({ ...options.arithmetic, split: options.split, count: options.count });
    problems = made.map(({ id, prompt, answer }) => ({ id, problem: prompt, answer }));
  } else if (isUserCode(source)) problems = await callUserCode(source, options);
  else problems = await readFile(source, options);
  if (problems.length === 0) throw new ZeroRlError('ERR_ZERO_RL_DATA', `${source} holds no problem`);
  return problems;
}

/**
 * Indices of the problems of one step, `perStep` of `count`: epoch after epoch in an order of its own, each problem once an
 * epoch. A function of (seed, step) alone.
 */
export function problemsOfStep(count: number, perStep: number, step: number, seed: number): number[] {
  const orders = new Map<number, Uint32Array>();
  return Array.from({ length: perStep }, (_, i) => {
    const position = step * perStep + i;
    const epoch = Math.floor(position / count);
    let order = orders.get(epoch);
    if (!order) orders.set(epoch, (order = shuffled(count, seed, epoch)));
    return order[position % count];
  });
}

/** Fisher and Yates' shuffle of 0 ... count−1, the order of one epoch. */
export function shuffled(count: number, seed: number, epoch: number): Uint32Array {
  const random = new RandomStream(seed, 'epoch', epoch);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
