/**
 * A run folder as it lies, for reports and exports: it may be running, killed, damaged or made by another release. What
 * cannot be read is left out and said in `problems`; nothing is written.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { isJsonObject, type JsonObject } from '../json-object';
import { parse } from 'yaml';
import { readJsonLines } from '../data/jsonl';
import { ZeroRlError } from '../errors';
import { runFiles, type MetricsRow, type SampleRow } from '../training/run-folder';

export interface StepFile {
  step: number;
  file: string;
}

export interface RunView {
  /** Absolute. */
  path: string;
  name: string;
  /** Text of config.resolved.yaml; empty where it is missing. */
  configText: string;
  config: JsonObject | null;
  /** One a step, in order; of steps that were done again the last. */
  rows: MetricsRow[];
  rollouts: StepFile[];
  evaluations: StepFile[];
  /** Samples behind alarms. */
  alarms: (StepFile & { rule: string })[];
  /** What is odd, one sentence each. */
  problems: string[];
}

/** Rows of a JSON Lines file; bad lines are counted in `problems`, a torn last one is not: the run may be writing it. */
export async function readLenient(file: string, problems: string[]): Promise<JsonObject[]> {
  const rows: JsonObject[] = [];
  if (!existsSync(file)) return rows;
  const bad: number[] = [];
  let last = 0;
  try {
    for await (const { line, value } of readJsonLines(file, { exactNumbers: false })) {
      last = line;
      if (value === undefined) bad.push(line);
      else rows.push(value);
    }
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  const damaged = bad.filter((line) => line !== last);
  if (damaged.length > 0) {
    const lines = `${damaged.length === 1 ? 'line' : 'lines'} ${damaged.slice(0, 5).join(', ')}${damaged.length > 5 ? ' …' : ''}`;
    problems.push(`${basename(file)}: ${lines} cannot be read and ${damaged.length === 1 ? 'is' : 'are'} left out`);
  }
  return rows;
}

/** Rows of a samples file, with the texts that a page or a table needs. */
export async function readSamples(file: string, problems: string[]): Promise<SampleRow[]> {
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return (await readLenient(file, problems)).map(
    (row) =>
      ({
        ...row,
        prompt: text(row.prompt),
        answer: text(row.answer),
        completion: text(row.completion),
        reason: text(row.reason),
      }) as unknown as SampleRow,
  );
}

/** Objects that readers of a row look into are there, and evaluations have their interval where they have an accuracy. */
function metricsRow(row: JsonObject): MetricsRow | null {
  const { step, evaluation, emaEvaluation, seconds, tokensPerSecond, ...rest } = row;
  if (typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0) return null;
  const evaluated = (name: string, value: unknown): object => {
    if (!isJsonObject(value)) return {};
    if (value.accuracy === null && value.interval === null) return { [name]: value };
    return typeof value.accuracy === 'number' && Array.isArray(value.interval) ? { [name]: value } : {};
  };
  const figures =
    step === 0
      ? {}
      : {
          seconds: isJsonObject(seconds) ? seconds : {},
          tokensPerSecond: isJsonObject(tokensPerSecond) ? tokensPerSecond : {},
        };
  return {
    step,
    ...rest,
    ...figures,
    ...evaluated('evaluation', evaluation),
    ...evaluated('emaEvaluation', emaEvaluation),
  } as unknown as MetricsRow;
}

function stepFiles(folder: string): StepFile[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => {
      const step = /^step-(\d+)\.jsonl$/.exec(name)?.[1];
      return step === undefined ? [] : [{ step: Number(step), file: join(folder, name) }];
    })
    .sort((a, b) => a.step - b.step);
}

function alarmFiles(folder: string): RunView['alarms'] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => {
      const found = /^(\w+)-step-(\d+)(?:-rollback-\d+)?\.jsonl$/.exec(name);
      return found === null ? [] : [{ rule: found[1], step: Number(found[2]), file: join(folder, name) }];
    })
    .sort((a, b) => a.step - b.step);
}

/** @throws ZeroRlError `ERR_ZERO_RL_DATA` for a path that is no run folder at all */
export async function readRun(path: string): Promise<RunView> {
  const folder = resolve(path);
  const file = (name: string): string => join(folder, name);
  const isRun = [runFiles.config, runFiles.metrics].some((name) => existsSync(file(name)));
  if (!existsSync(folder) || !statSync(folder).isDirectory() || !isRun) {
    const message = `${path} is not a run folder: it has neither ${runFiles.config} nor ${runFiles.metrics}; give a folder that zero-rl train made`;
    throw new ZeroRlError('ERR_ZERO_RL_DATA', message);
  }
  const problems: string[] = [];
  let configText = '';
  let config: JsonObject | null = null;
  try {
    configText = readFileSync(file(runFiles.config), 'utf8');
    const parsed: unknown = parse(configText);
    if (isJsonObject(parsed)) config = parsed;
    else problems.push(`${runFiles.config} holds no settings`);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'is missing' : 'cannot be read';
    problems.push(`${runFiles.config} ${why}`);
  }
  if (!existsSync(file(runFiles.metrics))) problems.push(`${runFiles.metrics} is missing`);
  const raw = await readLenient(file(runFiles.metrics), problems);
  const bySteps = new Map(raw.map(metricsRow).flatMap((row) => (row === null ? [] : [[row.step, row]])));
  if (raw.some((row) => metricsRow(row) === null))
    problems.push(`${runFiles.metrics}: rows without a step are left out`);
  return {
    path: folder,
    name: basename(folder),
    configText,
    config,
    rows: [...bySteps.values()].sort((a, b) => a.step - b.step),
    rollouts: stepFiles(file(runFiles.rollouts)),
    evaluations: stepFiles(file(runFiles.evaluations)),
    alarms: alarmFiles(file(runFiles.watchdog)),
    problems,
  };
}
