/** What `--dry-run` can say where a model or dataset of the hub cannot be reached: everything but what needs their files. */
import { isZeroRlError } from '../errors';
import { HubUnreachable } from '../hub/request';
import { needsCritic, needsReference, type TrainConfig } from './config';
import { advantageFormula, lossFormula } from './formulas';
import { criticBytes, trainingBytes } from './memory';

const MIB = 2 ** 20;

export interface OfflinePlan {
  formula: string;
  loss: string;
  /** Why model and data were not looked at, in one sentence. */
  missing: string;
  /** As the name of the model has it, e.g. 0.5 billion for Qwen2.5-0.5B; null where it has none. */
  parameters: number | null;
  /** Policy with optimizer, reference, and critic with optimizer, by that number; null where it is not known. */
  memoryMiB: number | null;
}

/** Whether a plan failed because the hub cannot be reached, or must not be. */
export function isUnreachable(error: unknown): error is Error {
  return isZeroRlError(error) && (error instanceof HubUnreachable || (error as Error).cause instanceof HubUnreachable);
}

function parametersByName(model: string): number | null {
  const found = /(?:^|[-_.])(\d+(?:\.\d+)?)([BM])(?![a-z0-9])/i.exec(model.split('/').pop() ?? '');
  return found && Number(found[1]) * (found[2].toUpperCase() === 'B' ? 1e9 : 1e6);
}

export function planOffline(config: TrainConfig, error: Error): OfflinePlan {
  const parameters = parametersByName(config.model);
  const weights = config.dtype === 'bfloat16' ? 2 : 4;
  const perParameter =
    trainingBytes(config) +
    (needsReference(config) ? weights : 0) +
    (needsCritic(config) && config.critic.kind === 'network' ? criticBytes(config) : 0);
  return {
    formula: advantageFormula(config),
    loss: lossFormula(config),
    missing: error.message,
    parameters,
    memoryMiB: parameters && (parameters * perParameter) / MIB,
  };
}
