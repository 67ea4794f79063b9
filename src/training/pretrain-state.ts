/**
 * What a pre-training run leaves on disk so that it can go on: `state/step-N` (float32 weights and moments) and
 * `pretrain.json`, which names it and is written last. A crash between the two leaves the older state in force.
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ZeroRlError } from '../errors';
import { makeFolder, output, writeFileAtomically } from '../policy/atomic-file';
import { readJsonObject } from '../policy/checkpoint-file';
import type { Policy } from '../policy/policy';
import type { PretrainConfig } from './pretrain-config';

const RECORD_FILE = 'pretrain.json';

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
}

export function recordConfig(config: PretrainConfig): PretrainRecord['config'] {
  const recorded: Partial<PretrainConfig> = { ...config };
  delete recorded.output;
  return recorded;
}

export function stateFolder(config: PretrainConfig, step: number): string {
  return join(config.output, 'state', `step-${step}`);
}

export async function writeRecord(config: PretrainConfig, record: PretrainRecord): Promise<void> {
  await writeFileAtomically(join(config.output, RECORD_FILE), `${JSON.stringify(record, null, 2)}\n`);
}

/** Saves the state at `record.step` and drops the older one. */
export async function saveState(policy: Policy, config: PretrainConfig, record: PretrainRecord): Promise<void> {
  const folder = stateFolder(config, record.step);
  await policy.saveTrainingState(folder);
  await writeRecord(config, record);
  const states = join(config.output, 'state');
  for (const name of await readdir(states)) {
    const other = join(states, name);
    if (other !== folder) await output(other, () => rm(other, { recursive: true, force: true }));
  }
}

/** Drops the state of a run that is done. */
export async function dropState(config: PretrainConfig): Promise<void> {
  const states = join(config.output, 'state');
  await output(states, () => rm(states, { recursive: true, force: true }));
}

/**
 * The record to go on from, or null for a new run.
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
    await makeFolder(config.output);
    return null;
  }
  if (record === null) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_CONFIG',
      `${file} is missing, so there is no run to resume; leave --resume out.`,
    );
  }
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
