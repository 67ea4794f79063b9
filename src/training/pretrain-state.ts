/**
 * What a pre-training run leaves on disk so that it can go on: `state/step-N` (float32 weights and moments, the record of
 * that step and the sums of them) and `pretrain.json`, which names it and is written last. A crash between the two leaves the
 * older state in force, and the state before the newest is kept for the case that the newest is damaged.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ZeroRlError } from '../errors';
import { makeFolder, output, writeFileAtomically } from '../policy/atomic-file';
import { readJsonObject } from '../policy/checkpoint-file';
import type { Policy } from '../policy/policy';
import { setDamagedAside, stepOf, type DamagedCheckpoint, type SavedCheckpoint } from './checkpoint';
import { findDamage, writeSums } from './checksums';
import type { PretrainMetrics } from './pretrain';
import type { PretrainConfig } from './pretrain-config';
import { lockRun, type LockRunOptions, type RunLock } from './run-lock';

const RECORD_FILE = 'pretrain.json';
/** States kept: the newest, and the one before it. */
const KEEP = 2;

/** Contents of pretrain.json. */
export interface PretrainRecord {
  /** The config in force; the output folder is left out, so it may be moved. */
  config: Partial<PretrainConfig>;
  /** Steps done. */
  step: number;
  /** Trained tokens so far. */
  tokens: number;
  /** Seconds spent training so far, over all resumes. */
  seconds: number;
  heldOutLoss: number | null;
  /** Metrics of the last step where its held-out loss was cut off: it is still to be measured. */
  unfinished?: PretrainMetrics;
}

export function recordConfig(config: PretrainConfig): PretrainRecord['config'] {
  const recorded: Partial<PretrainConfig> = { ...config };
  delete recorded.output;
  return recorded;
}

const statesFolder = (config: PretrainConfig): string => join(config.output, 'state');

export function stateFolder(config: PretrainConfig, step: number): string {
  return join(statesFolder(config), `step-${step}`);
}

/** Writes the record into `folder`, by default the output. */
export async function writeRecord(
  config: PretrainConfig,
  record: PretrainRecord,
  folder = config.output,
): Promise<void> {
  await writeFileAtomically(join(folder, RECORD_FILE), `${JSON.stringify(record, null, 2)}\n`);
}

/** States on disk, the newest first. */
async function listStates(config: PretrainConfig): Promise<SavedCheckpoint[]> {
  const folder = statesFolder(config);
  const names = existsSync(folder) ? await readdir(folder) : [];
  return names
    .map((name) => ({ step: stepOf(name), path: join(folder, name) }))
    .filter(({ step }) => !Number.isNaN(step))
    .sort((a, b) => b.step - a.step);
}

/** Saves the state at `record.step` and drops all but the one before it. */
export async function saveState(policy: Policy, config: PretrainConfig, record: PretrainRecord): Promise<void> {
  const folder = stateFolder(config, record.step);
  await policy.saveTrainingState(folder);
  await writeRecord(config, record, folder);
  await writeSums(folder);
  await writeRecord(config, record);
  const states = await listStates(config);
  const kept = states.filter(({ step }) => step <= record.step).slice(0, KEEP);
  for (const state of states) {
    if (!kept.includes(state)) await output(state.path, () => rm(state.path, { recursive: true, force: true }));
  }
}

/**
 * The record of the newest state that is as it was written; damaged ones are set aside, and `warn` is told.
 *
 * @param record what pretrain.json says
 * @throws ZeroRlError `ERR_ZERO_RL_CHECKPOINT` when there is none; the folder is as it was then
 */
export async function newestState(
  config: PretrainConfig,
  record: PretrainRecord,
  warn: (message: string) => void,
): Promise<PretrainRecord> {
  const damaged: DamagedCheckpoint[] = [];
  for (const state of await listStates(config)) {
    if (state.step > record.step) continue;
    const why = await findDamage(state.path);
    const own = why === null ? ((await readJsonObject(join(state.path, RECORD_FILE))) as PretrainRecord | null) : null;
    // Older releases kept the record of the newest state in the output alone.
    const found = own ?? (why === null && state.step === record.step ? record : null);
    if (found === null) {
      damaged.push({ ...state, why: why ?? `${RECORD_FILE} is missing` });
      continue;
    }
    if (damaged.length > 0) await writeRecord(config, found);
    for (const each of damaged) {
      const aside = setDamagedAside(each);
      warn(
        `The state of step ${each.step} is damaged (${each.why}) and was set aside as ${aside}; ` +
          `the run goes on from that of step ${state.step}`,
      );
    }
    return found;
  }
  const found =
    damaged.length > 0
      ? `every state in ${statesFolder(config)} is damaged (${damaged.map(({ step, why }) => `step-${step}: ${why}`).join('; ')})`
      : `${statesFolder(config)} holds no state`;
  throw new ZeroRlError('ERR_ZERO_RL_CHECKPOINT', `${found}; restore one, or choose another output and start anew.`);
}

/** Drops the state of a run that is done. */
export async function dropState(config: PretrainConfig): Promise<void> {
  const states = statesFolder(config);
  await output(states, () => rm(states, { recursive: true, force: true }));
}

function nothingToResume(file: string): ZeroRlError {
  return new ZeroRlError('ERR_ZERO_RL_CONFIG', `${file} is missing, so there is no run to resume; leave --resume out.`);
}

/**
 * Makes the output folder where the run is a new one, and locks it.
 * @throws ZeroRlError `ERR_ZERO_RL_OUTPUT` when another process writes it, `ERR_ZERO_RL_CONFIG` when there is nothing to resume
 */
export async function lockOutput(config: PretrainConfig, resume: boolean, options: LockRunOptions): Promise<RunLock> {
  const file = join(config.output, RECORD_FILE);
  if (resume && !existsSync(file)) throw nothingToResume(file);
  await makeFolder(config.output);
  return lockRun(config.output, options);
}

/**
 * The record of a locked output, or null for a new run.
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` when a new run would mix with what is there, or a resumed one has other settings
 */
export async function openOutput(config: PretrainConfig, resume: boolean): Promise<PretrainRecord | null> {
  const file = join(config.output, RECORD_FILE);
  const record = (await readJsonObject(file)) as PretrainRecord | null;
  if (!resume) {
    if (record !== null) {
      throw new ZeroRlError(
        'ERR_ZERO_RL_CONFIG',
        `${config.output} holds a pre-training run already; go on with --resume or choose another output.`,
      );
    }
    return null;
  }
  if (record === null) throw nothingToResume(file);
  if (JSON.stringify(record.config) !== JSON.stringify(recordConfig(config))) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_CONFIG',
      `${file} was started with other settings; resume with the same config or choose another output.`,
    );
  }
  return record;
}

/** Drops the lines of steps after `step`, which a killed run logged but did not save. */
export async function trimMetrics(file: string, step: number): Promise<void> {
  const lines = step > 0 ? (await readFile(file, 'utf8').catch(() => '')).split('\n') : [];
  const kept = lines.slice(0, step);
  await writeFileAtomically(file, kept.map((line) => `${line}\n`).join(''));
}
