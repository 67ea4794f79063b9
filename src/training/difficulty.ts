/**
 * Keeps the problems of moderate difficulty: the model answers each several times as in training, and those that it gets right
 * too rarely or too often are left out. What is measured is kept in difficulty.jsonl of the run folder, so that a run that was
 * stopped goes on with it.
 */
import { appendFile } from 'node:fs/promises';
import type { Problem } from '../data/dataset';
import { problemsOfStep, type Part } from '../data/order';
import type { Template } from '../data/template';
import type { Play } from '../environments/ask';
import { ZeroRlError } from '../errors';
import { knownShare } from '../observe/metrics';
import { output } from '../policy/atomic-file';
import type { RewardFunction } from '../rewards';
import type { TrainConfig } from './config';
import { keepProblems } from './load-data';
import { samplingOptions } from './phase-options';
import { fittingProblems } from './prompt-length';
import { checkTimeouts, makePrompts, samplePrompts, scoreRollouts } from './rollouts';
import { readRows } from './run-folder';
import type { TrainingPolicy } from './training-policy';
import { firstUid } from './uids';

/** A row of difficulty.jsonl. */
export interface DifficultyRow {
  /** Position of the problem in the data. */
  index: number;
  id: string;
  /** Share of right samples among those with a known verdict; null where none has one. */
  passRate: number | null;
}

export interface DifficultyInput {
  policy: TrainingPolicy;
  problems: readonly Problem[];
  parts: readonly Part[];
  template: Template;
  reward: RewardFunction;
  config: TrainConfig;
  play?: Play | null;
  /** difficulty.jsonl. */
  file: string;
  warn: (message: string) => void;
  signal?: AbortSignal;
  /** Told after each batch. */
  onProgress?: (measured: number, total: number) => void;
}

/** `first`: nothing was measured before, so that samples none of which came in time say that something is broken. */
async function measure(
  input: DifficultyInput,
  indices: readonly number[],
  samples: number,
  first: boolean,
): Promise<DifficultyRow[]> {
  const { policy, problems, template, reward, config, signal } = input;
  const prompts = indices.flatMap((index) =>
    makePrompts(policy, [problems[index]], template, firstUid.difficulty + index, config.data.addSpecialTokens),
  );
  const rollouts = await samplePrompts(
    policy,
    prompts,
    { ...samplingOptions(config), n: samples, keptTokens: false, signal },
    input.play,
  );
  const scored = await scoreRollouts(policy, prompts, rollouts, reward, signal);
  if (first) checkTimeouts(scored);
  return indices.map((index, i) => {
    const verdicts = scored.slice(i * samples, (i + 1) * samples).map(({ score }) => score.correct);
    return { index, id: problems[index].id, passRate: knownShare(verdicts) };
  });
}

/**
 * The problems whose pass rate lies between the bounds of `data.difficulty`, and their parts; all where it is not set.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` when none is left
 */
export async function moderateProblems(input: DifficultyInput): Promise<{ problems: Problem[]; parts: Part[] }> {
  const { problems, parts, config, file, signal } = input;
  const { difficulty } = config.data;
  if (difficulty === undefined) return { problems: [...problems], parts: [...parts] };
  const { minPassRate, maxPassRate, samples, problems: most = problems.length } = difficulty;
  const known = new Map(
    readRows<DifficultyRow>(file)
      .filter(({ index, id }) => problems.at(index)?.id === id)
      .map((row) => [row.index, row.passRate]),
  );
  const total = Math.min(most, problems.length);
  const drawn = [...new Set(problemsOfStep(parts, total, 0, config.seed))];
  const fitting = new Set(
    await fittingProblems(
      'training',
      drawn.map((index) => problems[index]),
      input,
    ),
  );
  const wanted = drawn.filter((index) => fitting.has(problems[index]));
  const left = wanted.filter((index) => !known.has(index));
  const batch = config.rollout.promptsPerStep;
  for (let start = 0; start < left.length; start += batch) {
    signal?.throwIfAborted();
    const rows = await measure(input, left.slice(start, start + batch), samples, known.size === 0);
    await output(file, () => appendFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join('')));
    for (const { index, passRate } of rows) known.set(index, passRate);
    input.onProgress?.(wanted.length - left.length + start + rows.length, wanted.length);
  }
  const chosen = new Set(
    wanted.filter((index) => {
      const rate = known.get(index) ?? null;
      return rate !== null && rate >= minPassRate && rate <= maxPassRate;
    }),
  );
  if (chosen.size > 0) return keepProblems(problems, parts, (index) => chosen.has(index));
  const rates = wanted.flatMap((index) => known.get(index) ?? []);
  const mean = rates.length === 0 ? 'unknown' : (rates.reduce((sum, rate) => sum + rate, 0) / rates.length).toFixed(3);
  throw new ZeroRlError(
    'ERR_ZERO_RL_DATA',
    `None of ${wanted.length} problems has a pass rate between ${minPassRate} and ${maxPassRate} (their mean is ${mean}, see ${file}); widen data.difficulty or choose other problems`,
  );
}
