/** What stands beside the policy: the reference of the KL, the critic of PPO and the moving average of the weights. They are part of every checkpoint. */
import { join } from 'node:path';
import { ZeroRlError } from '../errors';
import { needsCritic, needsReference, type TrainConfig } from './config';
import type { LoadCritic, LoadPolicy, TrainingCritic, TrainingPolicy } from './training-policy';

export interface Companions {
  /** Null where no KL is wanted. */
  reference: TrainingPolicy | null;
  /** Null where the estimator needs no values. */
  critic: TrainingCritic | null;
  /** Moving average of the policy; null where none is wanted. */
  ema: TrainingPolicy | null;
}

/** Folders that models of a run lie in already. */
export interface SavedModels {
  policy?: string;
  reference?: string;
  critic?: string;
  ema?: string;
}

export const companionFolders = { reference: 'reference', critic: 'critic', ema: 'ema' } as const;

function trunkCritic(policy: TrainingPolicy): TrainingCritic {
  if (policy.trunkCritic) return policy.trunkCritic();
  throw new ZeroRlError('ERR_ZERO_RL_CONFIG', 'critic.kind: the given policy has no trunkCritic; use "network"');
}

/** Loads them as `saved` has them, else as the config starts them. `opened` gets each as soon as it holds memory. */
export async function loadCompanions(
  config: TrainConfig,
  policy: TrainingPolicy,
  saved: SavedModels,
  load: { policy: LoadPolicy; critic: LoadCritic },
  opened: (model: { dispose(): void }) => void,
): Promise<Companions> {
  const { dtype, device, threads, memoryMiB } = config;
  const options = { dtype, device, threads, memoryMiB };
  // A reference that stands still needs no masters.
  const masterWeights = dtype === 'float32' || config.kl.follow.every > 0;
  let reference: TrainingPolicy | null = null;
  if (needsReference(config)) {
    const start = config.referenceModel ?? config.model;
    reference = await load.policy(saved.reference ?? start, { ...options, masterWeights });
    opened(reference);
  }
  let critic: TrainingCritic | null = null;
  if (needsCritic(config)) {
    const folder = saved.critic;
    const start = folder ?? config.critic.model ?? config.model;
    critic =
      config.critic.kind === 'trunk'
        ? trunkCritic(policy)
        : await load.critic(start, { ...options, moments: config.moments });
    opened(critic);
    if (folder !== undefined) await critic.loadTrainingState(folder);
  }
  let ema: TrainingPolicy | null = null;
  if (config.ema.decay !== null) {
    ema = await load.policy(saved.ema ?? config.model, options);
    opened(ema);
  }
  return { reference, critic, ema };
}

/** Writes into a checkpoint what cannot be loaded from elsewhere: the critic, the average, and a reference that follows the policy. */
export async function saveCompanions(
  config: TrainConfig,
  { reference, critic, ema }: Companions,
  checkpoint: string,
): Promise<void> {
  if (reference && config.kl.follow.every > 0)
    await reference.save(join(checkpoint, companionFolders.reference), { dtype: 'F32' });
  if (ema) await ema.save(join(checkpoint, companionFolders.ema), { dtype: 'F32' });
  if (!critic) return;
  const folder = join(checkpoint, companionFolders.critic);
  await critic.save(folder);
  await critic.saveTrainingState(folder);
}
