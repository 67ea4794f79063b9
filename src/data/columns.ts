/** Finds problem, answer and id in the columns of a row, in the layouts of the frameworks that write such rows. */
import { isJsonObject, type JsonObject } from '../json-object';
import { nearest } from '../nearest';
import { toConversation } from './conversation';
import { countdownQuestion } from './countdown/problems';
import type { Problem } from './dataset';
import type { ParquetColumn } from './parquet';
import type { DataSource } from './source';

/** Looked for in this order; a dot leads into a nested column. */
export const PROBLEM_KEYS = [
  'problem',
  'question',
  'prompt',
  'input',
  'messages',
  'context_messages',
  'conversations',
  'problem_statement',
  'extra_info.question',
] as const;
export const ANSWER_KEYS = [
  'answer',
  'gold',
  'solution',
  'gt_answer',
  'ground_truth',
  'reward_model.ground_truth',
  'final_answer',
  'expected_answer',
  'label',
  'extra_info.answer',
] as const;
/** Columns that rewards and reports know beside these. */
const KNOWN_COLUMNS = ['id', 'data_source', 'numbers', 'nums', 'target'];
/** Columns of what a language model of text cannot see. */
export const MEDIA_COLUMNS = ['image', 'images', 'video', 'videos', 'audio', 'audios'];

/** A row as a problem. */
export interface RowProblem {
  problem: Problem;
  /** The columns that problem and answer were found in. */
  used: string[];
  /** What is left out, e.g. `the column images`. */
  dropped: string[];
}

/** The value of a column. A name with a dot is first taken as it is, then as a path. */
export function valueOf(row: JsonObject, key: string): unknown {
  if (Object.hasOwn(row, key)) return row[key];
  return key.split('.').reduce<unknown>((value, part) => {
    return isJsonObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  }, row);
}

const isThere = (value: unknown): boolean => value !== undefined && value !== null;

/** The column that `key` names, else the first of `defaults` that has a value. */
function find(row: JsonObject, key: string | undefined, defaults: readonly string[]): { name: string; value: unknown } {
  const present = defaults.filter((candidate) => valueOf(row, candidate) !== undefined);
  const name = key ?? present.find((candidate) => isThere(valueOf(row, candidate))) ?? present.at(0);
  const value = name === undefined ? undefined : valueOf(row, name);
  if (name !== undefined && value !== undefined) return { name, value };
  const wanted = key === undefined ? defaults.map((item) => `"${item}"`).join(', ') : `"${key}"`;
  const near = nearest(key ?? defaults[0], Object.keys(row));
  throw new Error(
    `it has no ${wanted} (its keys: ${Object.keys(row).join(', ')}${near ? `; did you mean "${near}"?` : ''})`,
  );
}

/** A single value as text; throws what is wrong with it. */
function scalarText(name: string, value: unknown): string {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value === 'string' && value.trim() !== '') return value;
  if (typeof value === 'string') throw new Error(`"${name}" is empty`);
  if (Array.isArray(value) && value.length === 1 && !isJsonObject(value[0])) return scalarText(name, value[0]);
  if (Array.isArray(value))
    throw new Error(
      `"${name}" is a list of ${value.length} values instead of text; name the column of one text, or join them beforehand`,
    );
  if (isJsonObject(value)) {
    const keys = Object.keys(value).slice(0, 5);
    throw new Error(
      `"${name}" is an object instead of text${keys.length > 0 ? `; name the value in it, e.g. ${name}.${keys[0]} (it has ${keys.join(', ')})` : ''}`,
    );
  }
  const kind = value === null ? 'null' : typeof value === 'number' ? String(value) : typeof value;
  throw new Error(`"${name}" is ${kind} instead of text`);
}

/** The numbers and the target of a countdown task: in the row, or in a column of it as TinyZero has them. */
function countdownTask(row: JsonObject): { numbers: unknown[]; target: number } | null {
  const numbers = row.numbers ?? row.nums;
  const { target } = row;
  return Array.isArray(numbers) && typeof target === 'number' ? { numbers, target } : null;
}

function countdownRow(row: JsonObject): Pick<Problem, 'problem' | 'answer'> {
  const numbers = row.numbers ?? row.nums;
  const { target } = row;
  if (!Array.isArray(numbers) || numbers.length === 0 || !numbers.every((item) => typeof item === 'number'))
    throw new Error('it has no list of numbers in "numbers" or "nums"');
  if (typeof target !== 'number') throw new Error('it has no number in "target"');
  return { problem: countdownQuestion({ numbers: numbers, target }), answer: String(target) };
}

interface Answer {
  name: string;
  answer: string;
  /** Further columns of the row that the answer brings. */
  columns?: JsonObject;
}

function answerOf(row: JsonObject, key: string | undefined, reply: string | undefined): Answer {
  const hasColumn = ANSWER_KEYS.some((name) => isThere(valueOf(row, name)));
  if (key === undefined && !hasColumn && reply !== undefined)
    return { name: 'messages', answer: scalarText('messages', reply) };
  const { name, value } = find(row, key, ANSWER_KEYS);
  const task = isJsonObject(value) ? countdownTask(value) : null;
  if (task !== null)
    return { name, answer: String(task.target), columns: { numbers: task.numbers, target: task.target } };
  return { name, answer: scalarText(name, value) };
}

/** A row as a problem; throws a plain Error that says what is wrong with it. */
export function toProblem(
  row: JsonObject,
  fallbackId: string,
  { idKey = 'id', problemKey, answerKey, task }: DataSource,
): RowProblem {
  const given = valueOf(row, idKey);
  const id = typeof given === 'string' || typeof given === 'number' ? String(given) : fallbackId;
  if (task === 'countdown') return { problem: { id, ...countdownRow(row), row }, used: [], dropped: [] };
  const { name, value } = find(row, problemKey, PROBLEM_KEYS);
  const conversation = toConversation(value);
  const problem = scalarText(name, conversation?.question ?? value);
  const { name: answerName, answer, columns } = answerOf(row, answerKey, conversation?.reply);
  const media = MEDIA_COLUMNS.filter((column) => {
    const content = row[column];
    return Array.isArray(content) ? content.length > 0 : isThere(content);
  });
  return {
    problem: {
      id,
      problem,
      answer,
      ...(conversation && { messages: conversation.messages }),
      row: columns ? { ...row, ...columns } : row,
    },
    used: [name, answerName],
    dropped: [
      ...media.map((column) => `the column ${column}`),
      ...(conversation?.dropped ?? []).map((kind) => `parts of the type ${kind} in "${name}"`),
    ],
  };
}

/** The columns that stay in the row of a problem: those of `used`, of which a dot leads into, and those that rewards know. */
export function pickColumns(row: JsonObject, used: readonly string[]): JsonObject {
  const names = new Set([...KNOWN_COLUMNS, ...used.flatMap((key) => [key, key.split('.')[0]])]);
  return Object.fromEntries(Object.entries(row).filter(([name]) => names.has(name)));
}

/** The top-level columns that a source is read from; all where it lacks a problem or an answer, to be named. */
export function usedColumns(
  columns: readonly ParquetColumn[],
  { idKey, problemKey, answerKey, task, columns: more = [] }: DataSource,
): string[] {
  const top = (key: string): string => (columns.some(({ name }) => name === key) ? key : key.split('.')[0]);
  const present = (keys: readonly string[]): string[] =>
    keys.map(top).filter((key) => columns.some(({ name }) => name === key));
  /** Those up to the first that each row has. */
  const needed = (keys: readonly string[]): string[] => {
    const names = present(keys);
    const first = names.findIndex((name) => columns.find((column) => column.name === name)?.complete);
    return first < 0 ? names : names.slice(0, first + 1);
  };
  const wanted = [
    problemKey === undefined ? needed(PROBLEM_KEYS) : present([problemKey]),
    answerKey === undefined ? needed(ANSWER_KEYS) : present([answerKey]),
  ];
  if (task !== 'countdown' && wanted.some((names) => names.length === 0)) return columns.map(({ name }) => name);
  const others = present([...KNOWN_COLUMNS, ...(idKey === undefined ? [] : [idKey]), ...more]);
  return [...new Set([...wanted.flat(), ...others])];
}
