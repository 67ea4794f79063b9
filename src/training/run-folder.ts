/**
 * The files of a run: config.resolved.yaml, preview.json, metrics.jsonl, events.jsonl, rollouts/, evaluations/, checkpoints/, summary.json and report.html;
 * data.json says which problems it began with; where the data gives rise to them there are also leakage.jsonl and difficulty.jsonl, and with
 * a reference that stands still `reference/`.
 * Rows are appended; everything else is written under a temporary name and renamed, so a killed process leaves a folder
 * that can be resumed.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { appendFile, mkdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { ZeroRlError } from '../errors';
import { mapInSlices } from '../event-loop';
import type { StepMetrics } from '../observe/metrics';
import { makeFolder, output, removeTemporary, syncPath, writeFileAtomically } from '../policy/atomic-file';
import type { TrainConfig } from './config';
import type { Evaluation } from './evaluate';
import type { Preview } from './preview';
import type { ScorePart } from '../rewards';
import { policyTokens, type Sample } from './rollouts';
import type { TokenColumns } from './token-columns';

export const runFiles = {
  config: 'config.resolved.yaml',
  metrics: 'metrics.jsonl',
  events: 'events.jsonl',
  rollouts: 'rollouts',
  evaluations: 'evaluations',
  checkpoints: 'checkpoints',
  rollbacks: 'rollbacks.json',
  watchdog: 'watchdog',
  preview: 'preview.json',
  summary: 'summary.json',
  leakage: 'leakage.jsonl',
  difficulty: 'difficulty.jsonl',
  data: 'data.json',
  reference: 'reference',
  report: 'report.html',
} as const;

/** The first row of metrics.jsonl: the evaluation before training. */
export interface BaselineRow {
  step: 0;
  evaluation: Evaluation;
}
export type MetricsRow = BaselineRow | StepMetrics;

/** summary.json. Accuracies are fractions, lengths in tokens with the end token; null without held-out problems, or known verdicts. */
export interface Summary {
  heldOut: { before: number; after: number; n: number } | null;
  responseLength: { before: number; after: number } | null;
  seconds: { training: number; total: number };
}

/** A row of rollouts/step-N.jsonl and evaluations/step-N.jsonl. */
export interface SampleRow extends Partial<TokenColumns> {
  step: number;
  id: string;
  uid: number;
  sample: number;
  prompt: string;
  answer: string;
  completion: string;
  reward: number | null;
  reason: string;
  /** The terms of the reward, where it is a sum. */
  parts?: ScorePart[];
  /** Further figures of the reward. */
  metrics?: Record<string, number | null>;
  correct: boolean | null;
  formatted: boolean | null;
  /** Mean advantage over the tokens; absent in evaluations and for samples left out. */
  advantage?: number;
  /** Tokens that the policy wrote, end tokens included. */
  length: number;
  finishReason: 'stop' | 'length';
}

/** Mean over the tokens of a response that the policy wrote. */
export function meanAdvantage(advantages: Float32Array, { rollout }: Sample): number {
  const { mask } = rollout;
  const sum = advantages.reduce((total, value, t) => (mask?.[t] === 0 ? total : total + value), 0);
  return sum / Math.max(1, policyTokens(rollout));
}

export function sampleRow(step: number, sample: Sample, advantage?: number): SampleRow {
  const { prompt, rollout, score } = sample;
  return {
    step,
    id: prompt.problem.id,
    uid: prompt.uid,
    sample: sample.index,
    prompt: prompt.text,
    answer: prompt.problem.answer,
    completion: sample.completion,
    reward: score.reward,
    reason: score.reason,
    ...(score.parts ? { parts: score.parts } : {}),
    ...(score.metrics ? { metrics: score.metrics } : {}),
    correct: score.correct,
    formatted: score.formatted,
    ...(advantage === undefined ? {} : { advantage }),
    length: policyTokens(rollout),
    finishReason: rollout.finishReason,
  };
}

const stepFile = (step: number): string => `step-${String(step).padStart(6, '0')}.jsonl`;
const stepOf = (name: string): number => Number(/^step-(\d+)/.exec(name)?.[1] ?? NaN);

function timestamp(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}

/** False where the name is taken, be it by a run that began in the same second. */
async function makeNew(path: string): Promise<boolean> {
  return output(path, async () => {
    try {
      await mkdir(path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  });
}

/** @throws ZeroRlError `ERR_ZERO_RL_CONFIG` when `path` is not a run folder. */
export function checkRunFolder(path: string): void {
  if (existsSync(join(path, runFiles.config))) return;
  throw new ZeroRlError(
    'ERR_ZERO_RL_CONFIG',
    `${path} is not a run folder: it has no ${runFiles.config}; give a folder that zero-rl train made`,
  );
}

interface Rows<T> {
  rows: T[];
  /** Whether the end of the file is torn, as a killed process or a power cut leaves it. */
  torn: boolean;
}

function parseRows<T>(file: string): Rows<T> {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [''];
  const rows: T[] = [];
  let bad: { line: number; cause: unknown } | null = null;
  for (const [i, line] of lines.entries()) {
    if (line === '') continue;
    let row: T;
    try {
      row = JSON.parse(line) as T;
    } catch (cause) {
      bad ??= { line: i + 1, cause };
      continue;
    }
    if (bad !== null) {
      throw new ZeroRlError(
        'ERR_ZERO_RL_DATA',
        `Line ${bad.line} of ${file} is not JSON; restore the file or remove the line`,
        { cause: bad.cause },
      );
    }
    rows.push(row);
  }
  return { rows, torn: bad !== null || lines.at(-1) !== '' };
}

/** Rows of a JSON Lines file of a run; a torn end, as a killed process leaves it, is dropped. */
export function readRows<T>(file: string): T[] {
  return parseRows<T>(file).rows;
}

async function toLines(rows: readonly object[]): Promise<string> {
  return (await mapInSlices(rows, (row) => `${JSON.stringify(row)}\n`)).join('');
}

/** Drops a torn end, so that what is appended next begins on a line of its own. */
async function mendRows(file: string): Promise<void> {
  const { rows, torn } = parseRows<object>(file);
  if (torn) await writeFileAtomically(file, await toLines(rows));
}

export class RunFolder {
  private constructor(readonly path: string) {}

  /** Makes `<output>/<name>-<timestamp>`. @throws ZeroRlError `ERR_ZERO_RL_OUTPUT` */
  static async create(config: TrainConfig): Promise<RunFolder> {
    await makeFolder(config.output);
    const base = join(config.output, `${config.name}-${timestamp(new Date())}`);
    let path = base;
    for (let attempt = 2; !(await makeNew(path)); attempt++) path = `${base}-${attempt}`;
    const folder = new RunFolder(path);
    for (const name of [runFiles.rollouts, runFiles.evaluations, runFiles.checkpoints]) {
      await output(path, () => mkdir(folder.file(name)));
    }
    await folder.writeConfig(config);
    return folder;
  }

  /** @throws ZeroRlError `ERR_ZERO_RL_CONFIG` when `path` is not a run folder. */
  static open(path: string): RunFolder {
    checkRunFolder(path);
    const folder = new RunFolder(resolve(path));
    for (const name of [runFiles.rollouts, runFiles.evaluations, runFiles.checkpoints])
      mkdirSync(folder.file(name), { recursive: true });
    return folder;
  }

  get name(): string {
    return basename(this.path);
  }

  file(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  async writeConfig(config: TrainConfig): Promise<void> {
    await writeFileAtomically(this.file(runFiles.config), stringify(config));
  }

  metrics(): MetricsRow[] {
    return readRows<MetricsRow>(this.file(runFiles.metrics));
  }

  async appendMetrics(row: MetricsRow): Promise<void> {
    await this.append(this.file(runFiles.metrics), [row]);
  }

  async writeRollouts(step: number, rows: readonly SampleRow[]): Promise<void> {
    await this.write(this.file(runFiles.rollouts, stepFile(step)), rows);
  }

  /** Rollouts written of a step; none where it wrote none. */
  rollouts(step: number): SampleRow[] {
    return readRows<SampleRow>(this.file(runFiles.rollouts, stepFile(step)));
  }

  /** Samples behind an alarm of the watchdog, after so many rollbacks; returns the file. */
  async writeAlarm(step: number, rule: string, rollbacks: number, rows: readonly object[]): Promise<string> {
    const name = rollbacks > 0 ? stepFile(step).replace('.', `-rollback-${rollbacks}.`) : stepFile(step);
    const file = this.file(runFiles.watchdog, `${rule}-${name}`);
    await makeFolder(this.file(runFiles.watchdog));
    await this.write(file, rows);
    return file;
  }

  async writeEvaluation(step: number, rows: readonly SampleRow[]): Promise<void> {
    await this.write(this.file(runFiles.evaluations, stepFile(step)), rows);
  }

  evaluation(step: number): SampleRow[] {
    return readRows<SampleRow>(this.file(runFiles.evaluations, stepFile(step)));
  }

  async writePreview(preview: Preview): Promise<void> {
    await writeFileAtomically(this.file(runFiles.preview), `${JSON.stringify(preview, null, 2)}\n`);
  }

  async writeSummary(summary: Summary): Promise<void> {
    await writeFileAtomically(this.file(runFiles.summary), `${JSON.stringify(summary, null, 2)}\n`);
  }

  /** Flushes what a checkpoint relies on, so that no crash leaves one that is ahead of the metrics. */
  async sync(): Promise<void> {
    const { metrics, rollouts, evaluations, difficulty } = runFiles;
    for (const name of [metrics, rollouts, evaluations, difficulty]) await syncPath(this.file(name));
  }

  /**
   * Forgets what came after `step`, which a resumed run writes again, and what a killed process was writing. Of the metrics
   * those up to `lastRow` stay.
   */
  async truncateTo(step: number, lastRow = step): Promise<void> {
    for (const name of ['', runFiles.rollouts, runFiles.evaluations, runFiles.watchdog])
      removeTemporary(this.file(name));
    const rows = this.metrics().filter((row) => row.step <= lastRow);
    await writeFileAtomically(this.file(runFiles.metrics), await toLines(rows));
    for (const name of [runFiles.events, runFiles.difficulty]) await mendRows(this.file(name));
    for (const folder of [runFiles.rollouts, runFiles.evaluations]) {
      for (const name of readdirSync(this.file(folder))) {
        if (!(stepOf(name) <= step)) rmSync(this.file(folder, name), { force: true });
      }
    }
    for (const name of [runFiles.summary, runFiles.report]) rmSync(this.file(name), { force: true });
  }

  private async append(file: string, rows: readonly object[]): Promise<void> {
    const lines = await toLines(rows);
    await output(file, () => appendFile(file, lines));
  }

  private async write(file: string, rows: readonly object[]): Promise<void> {
    await writeFileAtomically(file, await toLines(rows));
  }
}
