/**
 * The frame of a command that turns JSON Lines into JSON Lines with a policy: reads in batches so that files of any size
 * pass, reports bad lines with their number and goes on (unless strict), and keeps what is written when interrupted.
 */
import type { JsonObject } from '../json-object';
import { readJsonLines, sourceName } from '../data/jsonl';
import { JsonLinesWriter } from '../data/jsonl-writer';
import { ZeroRlError } from '../errors';
import { log } from '../observe/log';
import { timed } from '../profile/spans';
import { startProgress, type Progress } from '../observe/progress';
import { interruptible, type JsonLinesFlags } from './common-options';

/** A line that passed its checks. `index` counts all lines from 0. */
export interface Item<T> {
  index: number;
  id: unknown;
  value: T;
}

export interface JsonLinesJob<T> {
  flags: JsonLinesFlags;
  /** What is counted, e.g. `completions`. */
  unit: string;
  /** Checks a line and takes from it what is needed; throws what is wrong with it. */
  parse: (line: JsonObject) => T;
  /** Results that a line gives. */
  resultsPerItem: number;
  /** Size of an item; a batch is worked on once its items reach `batchSize` together. */
  size: (value: T) => number;
  batchSize: number;
  /** Works on a batch and writes its results in order. */
  run: (batch: readonly Item<T>[], write: (result: object) => Promise<void>, signal: AbortSignal) => Promise<void>;
  /** Writes what `run` has kept back of the last batch, for jobs that work on one batch while the next is read. */
  finish?: (write: (result: object) => Promise<void>) => Promise<void>;
}

export interface JsonLinesSummary {
  lines: number;
  badLines: number;
  results: number;
  seconds: number;
}

/** Why a line cannot be used, as one sentence. */
function badLine(input: string, line: number, error: unknown): ZeroRlError {
  if (error instanceof ZeroRlError) return error;
  const said = error instanceof Error ? error.message : String(error);
  const message = `Line ${line} of ${sourceName(input)} cannot be used: ${said.charAt(0).toLowerCase()}${said.slice(1)}.`;
  return new ZeroRlError('ERR_ZERO_RL_DATA', message, { cause: error });
}

/** Runs the job; the exit code becomes 1 where lines were bad. The output is opened once there is something to do. */
export async function runJsonLinesJob<T>(job: JsonLinesJob<T>): Promise<JsonLinesSummary> {
  const { flags, unit } = job;
  const summary: JsonLinesSummary = { lines: 0, badLines: 0, results: 0, seconds: 0 };
  const start = performance.now();
  let writer: JsonLinesWriter | undefined;
  using progress = startProgress({ label: sourceName(flags.input), total: 0, unit });
  const write = async (result: object): Promise<void> => {
    await writer?.write(result);
    summary.results++;
    progress.advance();
  };
  const kept = (): string =>
    `${summary.results} ${unit} are ${flags.output === '-' ? 'written' : `in ${flags.output}`}; run the command again for all.`;
  try {
    await interruptible(async (signal) => {
      for await (const batch of readBatches(job, summary, progress, signal)) {
        signal.throwIfAborted();
        writer ??= await JsonLinesWriter.open(flags.output);
        await timed('work', () => job.run(batch, write, signal));
      }
      writer ??= await JsonLinesWriter.open(flags.output);
      await job.finish?.(write);
    }, kept);
  } finally {
    await writer?.close();
  }
  summary.seconds = (performance.now() - start) / 1000;
  if (summary.badLines > 0) {
    const { badLines, lines } = summary;
    const said = `${badLines} of ${lines} lines ${badLines === 1 ? 'was' : 'were'} skipped and the others done, hence exit code 1`;
    if (log.isEnabled('error')) progress.line(`zero-rl: ${said}.`);
    process.exitCode = 1;
  }
  return summary;
}

async function* readBatches<T>(
  job: JsonLinesJob<T>,
  summary: JsonLinesSummary,
  progress: Progress,
  signal: AbortSignal,
): AsyncGenerator<Item<T>[]> {
  let batch: Item<T>[] = [];
  let size = 0;
  for await (const { line, value, error } of readJsonLines(job.flags.input, { signal })) {
    summary.lines++;
    try {
      if (error !== undefined) throw error;
      const parsed = job.parse(value);
      batch.push({ index: line - 1, id: value.id ?? null, value: parsed });
      size += job.size(parsed);
    } catch (problem) {
      const described = badLine(job.flags.input, line, problem);
      if (job.flags.strict) throw described;
      summary.badLines++;
      if (log.isEnabled('error')) progress.line(`zero-rl: ${described.message}`);
      continue;
    }
    progress.setTotal((summary.lines - summary.badLines) * job.resultsPerItem);
    if (size < job.batchSize) continue;
    yield batch;
    batch = [];
    size = 0;
  }
  if (batch.length > 0) yield batch;
}
