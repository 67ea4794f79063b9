/** Sums over the tokens of a sequence and over a batch that estimators share, all in double precision. */
import type { Advantages, CheckedInput, KlPlacement } from './types';

/** OpenRLHF clamps rewards (centred ones where there is a baseline) and k1 to ±10. */
export const OPENRLHF_LIMIT = 10;

/** `value` within ±limit. */
export function clamp(value: number, limit: number): number {
  return Math.min(limit, Math.max(-limit, value));
}

/** Σ_t k1 of one sequence over its active tokens; 0 without a KL term. */
export function sequenceKl({ kl, lengths, active }: CheckedInput, sequence: number): number {
  let sum = 0;
  if (kl) for (let t = 0; t < lengths[sequence]; t++) sum += active(sequence, t) * kl[sequence][t];
  return sum;
}

/** R_i = r_i − β·Σ_t k1_{i,t}. */
export function sequenceReturns(input: CheckedInput): Float64Array {
  return Float64Array.from(input.rewards, (reward, i) => reward - input.beta * sequenceKl(input, i));
}

/**
 * A_t = value − β·Σ_{k≥t} k1_k: the reward sits on the last token, each token pays its KL, and a token is
 * credited with what comes after it (undiscounted reward-to-go).
 */
export function rewardToGo(input: CheckedInput, values: ArrayLike<number>, klLimit = Infinity): Float64Array[] {
  const { count, lengths, kl, active, beta } = input;
  return Array.from({ length: count }, (_, i) => {
    const out = new Float64Array(lengths[i]);
    let toGo = values[i];
    for (let t = out.length - 1; t >= 0; t--) {
      if (!active(i, t)) continue;
      if (kl) toGo -= beta * clamp(kl[i][t], klLimit);
      out[t] = toGo;
    }
    return out;
  });
}

/** How the returns of a batch become one number per sequence, e.g. less the mean of the group. */
export type Centre = (returns: ArrayLike<number>) => Float64Array;

/**
 * `sequence`: centre(R), the same for every token. `token`: centre(r), within ±limit, then −β·Σ_{k≥t} k1_k with
 * k1 within ±limit.
 */
export function centredReturns(
  input: CheckedInput,
  placement: KlPlacement,
  centre: Centre,
  limit = Infinity,
): Float64Array[] {
  if (placement === 'token') {
    return rewardToGo(
      input,
      centre(input.rewards).map((value) => clamp(value, limit)),
      limit,
    );
  }
  const values = centre(sequenceReturns(input));
  return Array.from({ length: input.count }, (_, i) =>
    Float64Array.from({ length: input.lengths[i] }, (__, t) => input.active(i, t) && values[i]),
  );
}

/** Rounds to what an estimator returns. */
export function toAdvantages(rows: readonly Float64Array[]): Advantages {
  return rows.map((row) => Float32Array.from(row));
}

/** Floor of the variance, or its addend where it is unbiased. */
const VARIANCE_EPSILON = 1e-8;

/**
 * (x − μ)/σ over all active tokens of the batch; longer sequences weigh more. `biased`: √max(σ², 1e-8).
 * `unbiased`: √(σ² + 1e-8) with σ² divided by tokens − 1. Masked tokens stay 0.
 */
export function whiten(
  { active }: CheckedInput,
  rows: readonly Float64Array[],
  variance: 'biased' | 'unbiased',
): Float64Array[] {
  let tokens = 0;
  let sum = 0;
  rows.forEach((row, i) =>
    row.forEach((value, t) => {
      tokens += active(i, t);
      sum += active(i, t) * value;
    }),
  );
  const mean = tokens > 0 ? sum / tokens : 0;
  let squares = 0;
  rows.forEach((row, i) => row.forEach((value, t) => (squares += active(i, t) * (value - mean) ** 2)));
  const scale =
    variance === 'unbiased'
      ? 1 / Math.sqrt(squares / Math.max(1, tokens - 1) + VARIANCE_EPSILON)
      : 1 / Math.sqrt(Math.max(squares / Math.max(1, tokens), VARIANCE_EPSILON));
  return rows.map((row, i) => row.map((value, t) => active(i, t) * (value - mean) * scale));
}
