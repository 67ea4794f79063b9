/**
 * GAE, generalised advantage estimation (Schulman et al., 2016): the advantage of PPO with a learned value function.
 * With γ = λ = 1, the usual choice where the reward comes once at the end, A is the return to go less V.
 */
import { checkNumber, invalidRange, invalidType } from '../errors';
import { k1Line, CLAMP_END, whitenedFormula, type FormulaOptions } from './formula-text';
import { clamp, OPENRLHF_LIMIT, toAdvantages, whiten } from './returns';
import {
  checkInput,
  checkNumerics,
  type Advantages,
  type CheckedInput,
  type EstimatorInput,
  type EstimatorOptions,
  type ModeOptions,
} from './types';

const NUMERICS = ['default', 'openrlhf', 'verl', 'trl'] as const;

/** Advantages for the policy and the targets of the critic. */
export interface ValueTargets {
  /** (N)(T_i) whitened, 0 on masked tokens. */
  advantages: Advantages;
  /** (N)(T_i) A + V before whitening, 0 on masked tokens. */
  returns: Float32Array[];
}

function modeOf(options: ModeOptions): (typeof NUMERICS)[number] {
  const numerics = checkNumerics('gae', options, NUMERICS);
  if ((options.klPlacement ?? 'token') !== 'token')
    throw invalidRange('klPlacement of gae', '"token", since V covers what is to go', options.klPlacement);
  return numerics;
}

function checkValues({ values }: EstimatorInput, { count, lengths }: CheckedInput): readonly ArrayLike<number>[] {
  if (!values) throw invalidType('values', 'one array per sequence (gae needs them)', values);
  if (values.length !== count) throw invalidRange('values.length', `${count}, one per reward,`, values.length);
  values.forEach((row, i) => {
    if (row.length !== lengths[i])
      throw invalidRange(`values[${i}].length`, `${lengths[i]}, the response length,`, row.length);
    const bad = Array.prototype.findIndex.call(row, (value: number) => !Number.isFinite(value));
    if (bad >= 0) throw invalidRange(`values[${i}][${bad}]`, 'a finite number', row[bad]);
  });
  return values;
}

/**
 * The same as {@link gae} with the critic's targets beside it.
 * @returns Whitened advantages and A + V.
 */
export function valueTargets(input: EstimatorInput, options: EstimatorOptions = {}): ValueTargets {
  const numerics = modeOf(options);
  const gamma = checkNumber('gamma', options.gamma ?? 1, 0, 1);
  const decay = gamma * checkNumber('lambda', options.lambda ?? 1, 0, 1);
  const checked = checkInput(input, options);
  const values = checkValues(input, checked);
  const limit = numerics === 'openrlhf' ? OPENRLHF_LIMIT : Infinity;
  const { rewards, lengths, kl, active, beta, count } = checked;
  const raw: Float64Array[] = [];
  const returns: Float32Array[] = [];
  for (let i = 0; i < count; i++) {
    const row = new Float64Array(lengths[i]);
    const targets = new Float32Array(lengths[i]);
    let reward = clamp(rewards[i], limit);
    let next = 0;
    let trace = 0;
    for (let t = row.length - 1; t >= 0; t--) {
      if (!active(i, t)) {
        // OpenRLHF counts an observation token as a step of reward 0 and value 0; the others pass over it.
        if (numerics !== 'openrlhf') continue;
        trace = gamma * next + decay * trace;
        next = 0;
        continue;
      }
      const here = reward - (kl ? beta * clamp(kl[i][t], limit) : 0);
      trace = here + gamma * next - values[i][t] + decay * trace;
      next = values[i][t];
      reward = 0;
      row[t] = trace;
      targets[t] = trace + values[i][t];
    }
    raw.push(row);
    returns.push(targets);
  }
  const variance = numerics === 'verl' || numerics === 'trl' ? 'unbiased' : 'biased';
  return { advantages: toAdvantages(whiten(checked, raw, variance)), returns };
}

/**
 * δ_t = ρ_t + γ·V_{t+1} − V_t;  G_t = Σ_k (γλ)^k δ_{t+k};  A = (G − μ)/√max(σ², 1e-8), μ and σ² (biased) over all
 * unmasked tokens. ρ_t = −β·k1_t, and r_i more on the last unmasked token; V beyond it is 0. V comes in as
 * `input.values`; γ and λ are options, both 1 by default. Masked tokens are passed over: the token before an
 * observation is followed by the one after it.
 *
 * Modes:
 * - `openrlhf`: r and k1 clamped to ±10; a masked token is a step with reward and value 0.
 * - `verl`, `trl`: σ² unbiased, A = (G − μ)/√(σ² + 1e-8). TRL has no masked tokens inside a response.
 *
 * Groups play no part, and none is left out. A batch without spread has advantage 0. The KL is charged per token. A NaN
 * reward is a RangeError that names its sequence.
 *
 * @returns (N)(T_i) advantages, 0 on masked tokens.
 * @throws TypeError without `values`
 */
export function gae(input: EstimatorInput, options: EstimatorOptions = {}): Advantages {
  return valueTargets(input, options).advantages;
}

/** The formula in force as text. */
export function gaeFormula(options: FormulaOptions): string {
  const numerics = modeOf(options);
  const { klCoefficient: beta = 0, gamma = 1, lambda = 1 } = options;
  const clamped = numerics === 'openrlhf';
  const reward = clamped ? `clamp(r[i]${CLAMP_END}` : 'r[i]';
  const penalty = beta === 0 ? '' : ` - ${beta}·k1[i,t]`;
  const variance = numerics === 'verl' || numerics === 'trl' ? 'unbiased' : 'biased';
  return [
    `δ[i,t] = (${reward} on the last token)${penalty} + ${gamma}·V[i,t+1] - V[i,t]${k1Line(options, clamped ? CLAMP_END : '')}`,
    `G[i,t] = Σ_k ${gamma * lambda}^k·δ[i,t+k]`,
    whitenedFormula('G', variance),
  ].join('\n');
}
