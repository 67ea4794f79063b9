/**
 * What of its models a run has in its own folder, so that it goes on where the folders that it began with are gone: the policy,
 * the critic, the average and a reference that follows in each checkpoint, and beside them, once, a reference that stands still.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ZeroRlError } from '../errors';
import { isCommit, parseHubId } from '../hub/repository';
import { makeFolder, syncFolder } from '../policy/atomic-file';
import { findDamage, writeSums } from './checksums';
import { companionFolders, type SavedModels } from './companions';
import { needsCritic, needsReference, type TrainConfig } from './config';
import { runFiles, type RunFolder } from './run-folder';
import type { TrainingPolicy } from './training-policy';

/** @throws ZeroRlError `ERR_ZERO_RL_CHECKPOINT` when the reference of the run is damaged */
export async function findKeptModels(folder: RunFolder, checkpoint: string | null): Promise<SavedModels> {
  const inCheckpoint = (name: string): string | undefined => {
    const path = checkpoint === null ? undefined : join(checkpoint, name);
    return path !== undefined && existsSync(path) ? path : undefined;
  };
  const kept = folder.file(runFiles.reference);
  const damage = existsSync(kept) ? await findDamage(kept) : null;
  if (damage !== null) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_CHECKPOINT',
      `${kept} is damaged (${damage}); restore it, or delete it if the model that the run began with is still in its place`,
    );
  }
  return {
    policy: checkpoint ?? undefined,
    reference: inCheckpoint(companionFolders.reference) ?? (existsSync(kept) ? kept : undefined),
    critic: inCheckpoint(companionFolders.critic),
    ema: inCheckpoint(companionFolders.ema),
  };
}

/** Keeps a reference that stands still, once. @throws ZeroRlError `ERR_ZERO_RL_OUTPUT` */
export async function keepReference(
  folder: RunFolder,
  { kl }: TrainConfig,
  reference: TrainingPolicy | null,
): Promise<void> {
  const kept = folder.file(runFiles.reference);
  if (reference === null || kl.follow.every > 0 || existsSync(kept)) return;
  const partial = folder.file(`.${runFiles.reference}.partial`);
  rmSync(partial, { recursive: true, force: true });
  await makeFolder(partial);
  await reference.save(partial);
  await writeSums(partial);
  renameSync(partial, kept);
  await syncFolder(kept);
}

/** Whether something begins with `config.model`: with nothing kept all do. */
export function startsFromModel(config: TrainConfig, saved: SavedModels): boolean {
  const { referenceModel, critic, ema } = config;
  return (
    saved.policy === undefined ||
    (needsReference(config) && saved.reference === undefined && referenceModel === undefined) ||
    (needsCritic(config) && critic.kind === 'network' && saved.critic === undefined && critic.model === undefined) ||
    (ema.decay !== null && saved.ema === undefined)
  );
}

/** Whether a run that has recorded `before` may have begun with `name`: a branch or tag of the hub is recorded as its commit. */
function mayBe(name: string | undefined, before: string | undefined): boolean {
  if (name === before) return true;
  const [now, then] = [name, before].map((text) => (text === undefined ? null : parseHubId(text)));
  return now !== null && now.name === then?.name && isCommit(then.revision) && !isCommit(now.revision);
}

/**
 * A run keeps the models that it began with: another name in its config would change nothing, or half of it.
 *
 * @returns `given` with models of the hub at the commits that the run has had
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` where `given` names others
 */
export function keepModels(given: TrainConfig, recorded: TrainConfig, folder: RunFolder): TrainConfig {
  const same = (key: string, name: string | undefined, before: string | undefined): string | undefined => {
    if (mayBe(name, before)) return before;
    throw new ZeroRlError(
      'ERR_ZERO_RL_CONFIG',
      `The run ${folder.path} began with ${key} ${before ?? 'not set'} and not ${name ?? 'without it'}; leave ${key} as it was, ` +
        `or start a new run (model: a folder of ${folder.file(runFiles.checkpoints)} goes on from its weights)`,
    );
  };
  const referenceModel = needsReference(recorded)
    ? same('referenceModel', given.referenceModel, recorded.referenceModel)
    : given.referenceModel;
  const critic = needsCritic(recorded)
    ? same('critic.model', given.critic.model, recorded.critic.model)
    : given.critic.model;
  return {
    ...given,
    model: same('model', given.model, recorded.model) ?? given.model,
    ...(referenceModel === undefined ? {} : { referenceModel }),
    critic: { ...given.critic, ...(critic === undefined ? {} : { model: critic }) },
  };
}
