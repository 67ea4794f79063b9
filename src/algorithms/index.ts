/** The registry of advantage estimators and the text of the formula in force. */
import { checkOneOf } from '../errors';
import { drGrpo, drGrpoFormula } from './dr-grpo';
import type { FormulaOptions } from './formula-text';
import { gae, gaeFormula } from './gae';
import { grpo, grpoFormula } from './grpo';
import { opo, opoFormula } from './opo';
import { passAtK, passAtKFormula } from './pass-at-k';
import { reinforce, reinforceFormula } from './reinforce';
import { reinforcePlusPlus, reinforcePlusPlusFormula } from './reinforce-plus-plus';
import { reinforcePlusPlusBaseline, reinforcePlusPlusBaselineFormula } from './reinforce-plus-plus-baseline';
import { remax, remaxFormula } from './remax';
import { rloo, rlooFormula } from './rloo';
import type { Estimator } from './types';

export type { FormulaOptions } from './formula-text';
export { valueTargets, type ValueTargets } from './gae';
export { runningBaseline } from './reinforce';
export type { Advantages, Estimator, EstimatorInput, EstimatorOptions, KlPlacement, Numerics } from './types';

/** Estimators by the name that a config uses, and those whose name is no identifier in camel case too. */
export const algorithms = {
  reinforce,
  rloo,
  'reinforce++': reinforcePlusPlus,
  reinforcePlusPlus,
  'reinforce++-baseline': reinforcePlusPlusBaseline,
  reinforcePlusPlusBaseline,
  grpo,
  'dr-grpo': drGrpo,
  drGrpo,
  remax,
  opo,
  'pass-at-k': passAtK,
  passAtK,
  ppo: gae,
  gae,
} as const satisfies Record<string, Estimator>;

const formulas = {
  reinforce: reinforceFormula,
  rloo: rlooFormula,
  'reinforce++': reinforcePlusPlusFormula,
  'reinforce++-baseline': reinforcePlusPlusBaselineFormula,
  grpo: grpoFormula,
  'dr-grpo': drGrpoFormula,
  remax: remaxFormula,
  opo: opoFormula,
  'pass-at-k': passAtKFormula,
  ppo: gaeFormula,
} as const satisfies Record<string, (options: FormulaOptions) => string>;

export type AlgorithmName = keyof typeof formulas;
/** Names that `algorithm.name` of a config takes. */
export const algorithmNames = Object.keys(formulas) as AlgorithmName[];

/**
 * The advantage in force as text, e.g. `A[i,t] = r[i] - mean of r over the other samples of the prompt`.
 * A KL term is named only when its coefficient is not 0.
 */
export function formula(name: AlgorithmName, options: FormulaOptions = {}): string {
  return formulas[checkOneOf('name', name, algorithmNames)](options);
}
