/** The options of AdamW and of micro-batches, for the policy and the critic alike. */
import { checkNumber, invalidRange, invalidType } from '../errors';
import { MAX_MEMORY_BUDGET_MIB } from './limits';
import { checkFraction } from './numbers';
import type { OptimizerOptions } from './types';

/** MiB of activations and of the head that a micro-batch may take unless told otherwise. */
export const DEFAULT_MEMORY_BUDGET_MIB = 1024;

export const OPTIMIZER_OPTIONS = [
  'learningRate',
  'betas',
  'eps',
  'weightDecay',
  'maxGradNorm',
  'memoryBudgetMiB',
  'signal',
] as const satisfies readonly (keyof OptimizerOptions)[];

function checkBetas(value: unknown): [number, number] {
  if (!Array.isArray(value)) throw invalidType('betas', 'array of two numbers', value);
  if (value.length !== 2) throw invalidRange('betas', 'array of two numbers', value);
  return [checkBelowOne('betas[0]', value[0]), checkBelowOne('betas[1]', value[1])];
}

function checkBelowOne(name: string, value: unknown): number {
  const checked = checkNumber(name, value, 0, 1);
  if (checked === 1) throw invalidRange(name, 'number of at least 0 and less than 1', value);
  return checked;
}

/** Bytes; 0 where the engine of a device is to take what is free. */
function memoryBudget({ memoryBudgetMiB }: OptimizerOptions, device: string): number {
  if (memoryBudgetMiB === undefined) return device === 'cpu' ? DEFAULT_MEMORY_BUDGET_MIB * 2 ** 20 : 0;
  return Math.floor(checkFraction('memoryBudgetMiB', memoryBudgetMiB, MAX_MEMORY_BUDGET_MIB) * 2 ** 20);
}

/** The addon's share of a step request. @throws {TypeError|RangeError} naming the argument. */
export function checkOptimizer(given: OptimizerOptions, device = 'cpu') {
  const [beta1, beta2] = checkBetas(given.betas ?? [0.9, 0.95]);
  return {
    learningRate: checkNumber('learningRate', given.learningRate ?? 1e-6, 0),
    beta1,
    beta2,
    eps: checkNumber('eps', given.eps ?? 1e-8, 0),
    weightDecay: checkNumber('weightDecay', given.weightDecay ?? 0, 0),
    maxGradNorm: given.maxGradNorm === Infinity ? 0 : checkNumber('maxGradNorm', given.maxGradNorm ?? 1, 0),
    memoryBudget: memoryBudget(given, device),
  };
}
