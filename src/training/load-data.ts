/** Problems of a run: those to train on, those held out, and whether the two overlap. */
import { loadProblems, type DatasetOptions, type Problem } from '../data/dataset';
import { findLeakage, type LeakedProblem } from '../data/leakage';
import type { Part } from '../data/order';
import { isGenerator, type DataSource } from '../data/source';
import { ZeroRlError } from '../errors';
import type { TrainConfig } from './config';
import { describeUnreadableGolds } from './unreadable-golds';
import type { DataNeeds } from './load-task';

export interface RunData {
  problems: Problem[];
  /** How the problems are drawn from. */
  parts: Part[];
  heldOut: Problem[];
  /** Training problems that are held-out ones too. */
  leaked: LeakedProblem[];
  /** `data` with datasets of the hub at the commit that was read. */
  data: TrainConfig['data'];
}

/** Leaked rows named in a warning or an error. */
const SHOWN_ROWS = 3;

/** Where held-out problems come from: generators keep some apart, a file does not. */
export function evaluationSources({ data }: TrainConfig): DataSource[] | undefined {
  return data.evaluation ?? (data.train.every(({ source }) => isGenerator(source)) ? data.train : undefined);
}

/** `wanted` problems, of each part its share by size. */
function takeEvenly(problems: readonly Problem[], sizes: readonly number[], wanted: number): Problem[] {
  if (problems.length <= wanted) return [...problems];
  let start = 0;
  let taken = 0;
  return sizes.flatMap((size) => {
    const end = Math.round((wanted * (start + size)) / problems.length);
    const part = problems.slice(start, start + end - taken);
    start += size;
    taken = end;
    return part;
  });
}

/** `wanted` problems, of each part its share by weight as long as it has any left. */
function takeByWeight(
  problems: readonly Problem[],
  sizes: readonly number[],
  weights: readonly number[],
  wanted: number,
): Problem[] {
  const taken = sizes.map(() => 0);
  for (let left = Math.min(wanted, problems.length); left > 0; left--) {
    const open = sizes.flatMap((size, i) => (taken[i] < size ? [i] : []));
    const due = (i: number): number => (taken[i] + 1) / weights[i];
    taken[open.reduce((best, i) => (due(i) < due(best) ? i : best))]++;
  }
  let start = 0;
  return sizes.flatMap((size, i) => {
    const part = problems.slice(start, start + taken[i]);
    start += size;
    return part;
  });
}

interface LoadOptions {
  warn: (message: string) => void;
  signal?: AbortSignal;
  needs: DataNeeds;
}

function datasetOptions({ data }: TrainConfig, { warn, signal, needs }: LoadOptions): DatasetOptions {
  const { arithmetic, countdown, problemKey, answerKey, badRows, count } = data;
  const keys = { problemKey, answerKey, badRows, wholeRows: needs.wholeRows, columns: needs.columns };
  return { split: 'train', count, arithmetic, countdown, ...keys, warn, signal };
}

/** Says once which turns of conversations no prompt will have. */
function warnOfMessages(kind: string, problems: readonly Problem[], { warn, needs }: LoadOptions): void {
  if (needs.messages) return;
  const cut = problems.flatMap(({ messages = [] }) => (messages.length > 1 ? [messages.slice(0, -1)] : []));
  if (cut.length === 0) return;
  const roles = [...new Set(cut.flatMap((messages) => messages.map(({ role }) => role)))].join(' and ');
  warn(
    `${cut.length} of ${problems.length} ${kind} problems have messages of ${roles} before the last one of the user; data.template leaves them out ("chat" keeps them)`,
  );
}

/**
 * The held-out problems of a config, and their sources with datasets of the hub at the commit that was read; none, after a
 * warning, where the config names no source for them.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` for rows that cannot be used; `ERR_ZERO_RL_HUB`
 */
export async function loadHeldOut(
  config: TrainConfig,
  options: LoadOptions,
): Promise<{ heldOut: Problem[]; sources: DataSource[] | undefined }> {
  const { warn } = options;
  const sources = evaluationSources(config);
  const wanted = config.evaluation.problems;
  if (sources === undefined) {
    warn('data.evaluation is not set, so nothing is evaluated');
    return { heldOut: [], sources };
  }
  // Each source is one part here, so that a short evaluation has some of every source.
  const even = sources.map((source) => ({ ...source, weight: 1 }));
  const request = { ...datasetOptions(config, options), split: 'heldOut', count: wanted } as const;
  const loaded = await loadProblems(even, request);
  warnOfMessages('held-out', loaded.problems, options);
  const names = sources.map(({ source }) => source).join(', ');
  if (loaded.problems.length < wanted)
    warn(`${names} holds ${loaded.problems.length} problems; evaluation.problems asks for ${wanted}`);
  const sizes = loaded.parts.map(({ count }) => count);
  const pinned = sources.map((source, i) => {
    const { revision } = loaded.sources[i];
    return revision === undefined ? source : { ...source, revision };
  });
  const weights = sources.flatMap(({ weight }) => weight ?? []);
  const heldOut =
    weights.length === sizes.length
      ? takeByWeight(loaded.problems, sizes, weights, wanted)
      : takeEvenly(loaded.problems, sizes, wanted);
  return { heldOut, sources: pinned };
}

function describe(leaked: readonly LeakedProblem[], training: number): string {
  const rows = leaked
    .slice(0, SHOWN_ROWS)
    .map(({ train, heldOut, kind, overlap }) =>
      kind === 'same'
        ? `${train} is held-out ${heldOut}`
        : `${train} has ${Math.round(100 * overlap)} % of held-out ${heldOut}`,
    );
  const more = leaked.length > SHOWN_ROWS ? ` and ${leaked.length - SHOWN_ROWS} more` : '';
  return `${leaked.length} of ${training} training problems are held-out problems too (${rows.join('; ')}${more})`;
}

/** Drops problems and shrinks their parts; a part without a problem left goes. */
export function keepProblems(
  problems: readonly Problem[],
  parts: readonly Part[],
  keep: (index: number) => boolean,
): { problems: Problem[]; parts: Part[] } {
  let start = 0;
  const kept = parts.map(({ count, weight }) => {
    const indices = Array.from({ length: count }, (_, i) => start + i).filter(keep);
    start += count;
    return { count: indices.length, weight, indices };
  });
  return {
    problems: kept.flatMap(({ indices }) => indices.map((index) => problems[index])),
    parts: kept.filter(({ count }) => count > 0).map(({ count, weight }) => ({ count, weight })),
  };
}

/**
 * Loads both sets and compares them.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` for rows that cannot be used, and for an overlap where `data.leakage.action` is
 * `error`; `ERR_ZERO_RL_HUB` when a dataset of the hub cannot be had
 */
export async function loadData(config: TrainConfig, options: LoadOptions): Promise<RunData> {
  const { data } = config;
  const { warn } = options;
  const training = await loadProblems(data.train, datasetOptions(config, options));
  warnOfMessages('training', training.problems, options);
  if (options.needs.golds && !data.train.every(({ source }) => isGenerator(source))) {
    const unreadable = await describeUnreadableGolds('training', training.problems, options.signal);
    if (unreadable !== null) warn(unreadable);
  }
  const { heldOut, sources } = await loadHeldOut(config, options);
  const pinned = {
    ...data,
    train: training.sources,
    ...(data.evaluation === undefined || sources === undefined ? {} : { evaluation: sources }),
  };
  const all = { problems: training.problems, parts: training.parts, heldOut, leaked: [], data: pinned };
  // The two splits of a generator share nothing.
  const generated = [...data.train, ...(sources ?? [])].every(({ source }) => isGenerator(source));
  if (data.leakage.action === 'off' || generated) return all;
  const { leaked, indices } = findLeakage(training.problems, heldOut, data.leakage);
  if (leaked.length === 0) return all;
  const found = describe(leaked, training.problems.length);
  if (data.leakage.action === 'warn') {
    warn(`${found}; data.leakage.action: remove leaves them out`);
    return { ...all, leaked };
  }
  const kept = keepProblems(training.problems, training.parts, (index) => !indices.has(index));
  if (data.leakage.action === 'error' || kept.problems.length === 0) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_DATA',
      `${found}; clean the data, or set data.leakage.action to remove (or to warn)`,
    );
  }
  warn(`${found}; they are left out of training`);
  return { ...all, ...kept, leaked };
}
