/**
 * Makes the rollouts of a step of a run again, with what every token added to the loss: from the checkpoint before it, or by
 * training on from an older one. The run's own folder is only read; what has to be written goes to a temporary folder.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { ZeroRlError } from '../errors';
import type { StepMetrics } from '../observe/metrics';
import { newestWhole, type SavedCheckpoint } from './checkpoint';
import { collectSamples } from './collect';
import { configAt, type TrainConfig, type TrainConfigInput } from './config';
import { readYamlFile, resolveConfig } from './load-config';
import type { TokenTerms } from './loss-terms';
import { makeBatch } from './make-batch';
import { openRun, type InputOptions } from './open-run';
import { PhaseClock } from './phase-clock';
import { rollbacksBefore } from './rollback';
import { meanAdvantage, RunFolder, runFiles, sampleRow, type SampleRow } from './run-folder';
import { stepLoss, type StepLoss } from './step-loss';
import { tokenTexts } from './token-columns';
import { train } from './train';
import { watchdogRules, type WatchdogRule } from './watchdog';
import { loadCritic, loadPolicy, type LoadCritic, type LoadPolicy } from './training-policy';

/** Code that was given to `train` has to be given here too. */
export interface ReplayOptions extends Partial<InputOptions> {
  /** Told the step of the checkpoint that is gone on from (0: the model that the run began with). */
  onStart?: (checkpoint: number) => void;
  /** Told each step that is trained again on the way. */
  onStep?: (step: number) => void;
  loadPolicy?: LoadPolicy;
  loadCritic?: LoadCritic;
}

/** A sample made again. */
export interface ReplayedSample extends SampleRow {
  tokens: number[];
  /** Text of each token. */
  texts: string[];
  /** Nats of each token at the temperature of sampling. */
  logProbs: number[];
  /** What each token added to the loss; null for a sample that did not train. */
  terms: TokenTerms[] | null;
  /** Whether the run wrote the same completion and score; null where it wrote none of this sample. */
  same: boolean | null;
  /** What the run wrote, where it is not the same. */
  written?: SampleRow;
}

export interface Replay {
  step: number;
  /** Step of the checkpoint that was gone on from. */
  checkpoint: number;
  samples: ReplayedSample[];
  loss: StepLoss;
  /** Samples that the run wrote of this step, and how many of them came out the same. */
  written: number;
  same: number;
}

/** What the run wrote that must come out again. */
const COMPARED = ['completion', 'length', 'finishReason', 'reward', 'reason', 'correct', 'advantage'] as const;

/** A folder that can be gone on with from `checkpoint` without touching the run's own. */
function scratchRun(run: RunFolder, config: TrainConfig, checkpoint: SavedCheckpoint | null): string {
  const scratch = mkdtempSync(join(tmpdir(), 'zero-rl-replay-'));
  for (const folder of [runFiles.rollouts, runFiles.evaluations, runFiles.checkpoints])
    mkdirSync(join(scratch, folder));
  if (checkpoint) symlinkSync(resolve(checkpoint.path), join(scratch, runFiles.checkpoints, `step-${checkpoint.step}`));
  const { reference, rollbacks, difficulty, data } = runFiles;
  if (existsSync(run.file(reference))) symlinkSync(resolve(run.file(reference)), join(scratch, reference));
  for (const file of [rollbacks, difficulty, data])
    if (existsSync(run.file(file))) copyFileSync(run.file(file), join(scratch, file));
  // Rows for the watchdog's medians; one at least, so that nothing is evaluated.
  const rows = run.metrics().filter(({ step }) => step <= (checkpoint?.step ?? 0));
  const lines = (rows.length > 0 ? rows : [{ step: 0 }]).map((row) => `${JSON.stringify(row)}\n`);
  writeFileSync(join(scratch, runFiles.metrics), lines.join(''));
  writeFileSync(join(scratch, runFiles.config), JSON.stringify(config));
  return scratch;
}

/** The run's row of the step. @throws ZeroRlError `ERR_ZERO_RL_CONFIG` where the run has not come so far */
function rowOf(run: RunFolder, folder: string, step: number): StepMetrics {
  const rows = run.metrics().filter((row): row is StepMetrics => row.step > 0);
  const row = rows.find((each) => each.step === step);
  if (row) return row;
  const done = rows.at(-1)?.step ?? 0;
  throw new ZeroRlError(
    'ERR_ZERO_RL_CONFIG',
    done === 0
      ? `The run ${folder} has done no step yet`
      : `The run ${folder} has done steps 1 to ${done}, not ${step}; give one of them`,
  );
}

/** The run has been through these steps: nothing is to stop it or take it back again. */
function atRest({ watchdog }: TrainConfig): TrainConfig['watchdog'] {
  const rules = watchdogRules.map((rule) => [rule, { ...watchdog[rule], limit: null, action: 'warn' as const }]);
  return { ...watchdog, ...(Object.fromEntries(rules) as Pick<TrainConfig['watchdog'], WatchdogRule>) };
}

/** Where no checkpoint is kept the model that the run began with is loaded, which may be gone. */
function checkStart(folder: string, step: number, config: TrainConfig): void {
  const { model } = config;
  if (!isAbsolute(model) || existsSync(model)) return;
  throw new ZeroRlError(
    'ERR_ZERO_RL_CHECKPOINT',
    `The run ${folder} keeps no checkpoint before step ${step}, and the model that it began with is not at ${model} any more; ` +
      'put it back, or give a step after the first checkpoint',
  );
}

/**
 * The samples of step `step` (from 1) of the run in `folder`.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` when `folder` is no run folder or has not done such a step,
 *   `ERR_ZERO_RL_CHECKPOINT` when nothing is left to begin from, and what `train` throws
 */
export async function replay(folder: string, step: number, options: ReplayOptions = {}): Promise<Replay> {
  const { signal, warn = () => undefined } = options;
  const run = RunFolder.open(folder);
  const source = run.file(runFiles.config);
  const given = resolveConfig(readYamlFile(source) as TrainConfigInput, source, warn);
  const row = rowOf(run, folder, step);
  const { whole: checkpoint, damaged } = await newestWhole(run.file(runFiles.checkpoints), step);
  for (const each of damaged) warn(`The checkpoint of step ${each.step} is damaged (${each.why}) and passed over`);
  if (!checkpoint) checkStart(folder, step, given);
  const config: TrainConfig = {
    ...given,
    preview: { prompts: 0 },
    evaluation: { ...given.evaluation, every: 0 },
    checkpoint: { every: 0, keep: 2, best: 'none' },
    rollouts: { ...given.rollouts, every: 0 },
    watchdog: atRest(given),
  };
  const scratch = scratchRun(run, config, checkpoint);
  options.onStart?.(checkpoint?.step ?? 0);
  const load = {
    ...options,
    loadPolicy: options.loadPolicy ?? loadPolicy,
    loadCritic: options.loadCritic ?? loadCritic,
  };
  try {
    if (step - 1 > (checkpoint?.step ?? 0)) {
      // Leaving the loop saves a checkpoint in the scratch folder.
      for await (const metrics of train(config, { ...load, resume: scratch })) {
        options.onStep?.(metrics.step);
        if (metrics.step === step - 1) break;
      }
    }
    const opened = await openRun(config, { ...load, resume: scratch, warn });
    try {
      const now = configAt(opened.config, step, rollbacksBefore(opened.rollbacks, step));
      const clock = new PhaseClock(() => undefined);
      const collected = await collectSamples(opened, now, step, clock, { signal, warn });
      const { samples } = collected;
      const batch = await makeBatch(opened, now, step, collected, clock, signal);
      const { terms, loss } = await stepLoss(opened, now, step, batch, row, signal);
      const places = new Map(batch.scored.map((sample, i) => [sample, i]));
      const key = (row: SampleRow): string => `${row.uid}/${row.sample}`;
      const written = new Map(run.rollouts(step).map((row) => [key(row), row]));
      const replayed = samples.map((sample): ReplayedSample => {
        const place = places.get(sample);
        const row = sampleRow(
          step,
          sample,
          place === undefined ? undefined : meanAdvantage(batch.advantages[place], sample),
        );
        const other = written.get(key(row));
        const same = other ? COMPARED.every((field) => other[field] === row[field]) : null;
        return {
          ...row,
          tokens: [...sample.rollout.tokens],
          texts: tokenTexts(opened.policy, sample.rollout.tokens),
          logProbs: [...sample.rollout.logProbs],
          terms: place === undefined ? null : terms[place],
          same,
          ...(same === false ? { written: other } : {}),
        };
      });
      return {
        step,
        checkpoint: checkpoint?.step ?? 0,
        samples: replayed,
        loss,
        written: written.size,
        same: replayed.filter(({ same }) => same === true).length,
      };
    } finally {
      opened.close();
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new ZeroRlError('ERR_ZERO_RL_ABORTED', 'The replay was stopped; the run is as it was', { cause: error });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
