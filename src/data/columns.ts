/** Finds problem, answer and id in the columns of a row. */
import { nearest } from '../nearest';
import { countdownQuestion } from './countdown/problems';
import type { Problem } from './dataset';
import type { JsonObject } from '../json-object';
import type { DataSource } from './source';

/** Looked for in this order; a dot leads into a nested column. */
export const PROBLEM_KEYS = ['problem', 'question', 'prompt', 'extra_info.question'] as const;
export const ANSWER_KEYS = [
  'answer',
  'gold',
  'solution',
  'gt_answer',
  'ground_truth',
  'reward_model.ground_truth',
] as const;

/** The value of a column. A name with a dot is first taken as it is, then as a path. */
function valueOf(row: JsonObject, key: string): unknown {
  if (key in row) return row[key];
  return key.split('.').reduce<unknown>((value, part) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return (value as JsonObject)[part];
  }, row);
}

/** The last user message of a conversation; undefined where `value` is none. */
function lastUserMessage(value: unknown): string | undefined {
  if (!Array.isArray(value)) return undefined;
  const messages = value as ({ role?: unknown; content?: unknown } | null)[];
  const content = messages.findLast((message) => message?.role === 'user')?.content;
  return typeof content === 'string' ? content : undefined;
}

function column(row: JsonObject, key: string | undefined, defaults: readonly string[]): string {
  const name = key ?? defaults.find((candidate) => valueOf(row, candidate) !== undefined);
  const found = name === undefined ? undefined : valueOf(row, name);
  if (name === undefined || found === undefined) {
    const wanted = key === undefined ? defaults.map((item) => `"${item}"`).join(', ') : `"${key}"`;
    const near = nearest(key ?? defaults[0], Object.keys(row));
    throw new Error(
      `it has no ${wanted} (its keys: ${Object.keys(row).join(', ')}${near ? `; did you mean "${near}"?` : ''})`,
    );
  }
  const value = lastUserMessage(found) ?? found;
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value !== 'string')
    throw new Error(`"${name}" is ${value === null ? 'null' : typeof value} instead of text`);
  if (value.trim() === '') throw new Error(`"${name}" is empty`);
  return value;
}

function countdownRow(row: JsonObject): Pick<Problem, 'problem' | 'answer'> {
  const numbers = row.numbers ?? row.nums;
  const { target } = row;
  if (!Array.isArray(numbers) || numbers.length === 0 || !numbers.every((item) => typeof item === 'number'))
    throw new Error('it has no list of numbers in "numbers" or "nums"');
  if (typeof target !== 'number') throw new Error('it has no number in "target"');
  return { problem: countdownQuestion({ numbers: numbers, target }), answer: String(target) };
}

/** A row as a problem; throws a plain Error that says what is wrong with it. */
export function toProblem(
  row: JsonObject,
  fallbackId: string,
  { idKey = 'id', problemKey, answerKey, task }: DataSource,
): Problem {
  const given = valueOf(row, idKey);
  const id = typeof given === 'string' || typeof given === 'number' ? String(given) : fallbackId;
  if (task === 'countdown') return { id, ...countdownRow(row), row };
  return { id, problem: column(row, problemKey, PROBLEM_KEYS), answer: column(row, answerKey, ANSWER_KEYS), row };
}
