/** Loads a policy as a config wants it, prepares the template for it, and completes the config with what only the policy can say. */
import type { TrainConfig } from './config';
import type { Task } from './load-task';
import { resolveMemoryBudget, resolveStopTokens } from './phase-options';
import type { LoadPolicy, TrainingPolicy } from './training-policy';

export interface OpenPolicy {
  policy: TrainingPolicy;
  /** With stop tokens as ids and the memory budget that decides the micro-batches. */
  config: TrainConfig;
}

/**
 * @throws ZeroRlError `ERR_ZERO_RL_CHECKPOINT` for a folder that cannot be used, `ERR_ZERO_RL_CONFIG` for stop tokens that are
 *   none of the model; the policy is disposed of then
 */
export async function openPolicy(
  folder: string,
  config: TrainConfig,
  load: LoadPolicy,
  { prepare }: Pick<Task, 'prepare'>,
): Promise<OpenPolicy> {
  const { dtype, masterWeights, moments, device, threads, memoryMiB } = config;
  const policy = await load(folder, { dtype, masterWeights, moments, device, threads, memoryMiB });
  try {
    await prepare(folder);
    return { policy, config: resolveMemoryBudget(resolveStopTokens(config, policy), policy) };
  } catch (error) {
    policy.dispose();
    throw error;
  }
}
