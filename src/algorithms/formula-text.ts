/** Pieces of the formulas as text that estimators share. */
import type { EstimatorOptions, KlPlacement } from './types';

/** What a formula needs beside the estimator's options. */
export interface FormulaOptions extends Omit<EstimatorOptions, 'baseline'> {
  /** REINFORCE: `running` prints the update of b. Default `none`. */
  baseline?: 'none' | 'running';
  /** Decay d of the running baseline. Default 0.9. */
  baselineDecay?: number;
}

/** ` - β·Σ_{k≥t} k1[i,k]`, or nothing at β = 0. */
export function klToGo({ klCoefficient: beta = 0 }: FormulaOptions): string {
  return beta === 0 ? '' : ` - ${beta}·Σ_{k≥t} k1[i,k]`;
}

/** The line that says what k1 is; nothing at β = 0. */
export function k1Line({ klCoefficient: beta = 0 }: FormulaOptions, limit = ''): string {
  return beta === 0 ? '' : `\nk1 = ${limit === '' ? '' : 'clamp('}logProb - referenceLogProb${limit}`;
}

/** The end of a clamp to OpenRLHF's limit. */
export const CLAMP_END = ', ±10)';

/**
 * `symbol`[i,t] = the centred return, with the KL where `placement` has it. `centre` writes the baseline over rewards
 * named `r` or returns named `R`.
 */
export function centredFormula(
  options: FormulaOptions,
  placement: KlPlacement,
  centre: (returns: 'r' | 'R') => string,
  { symbol = 'A', clamped = false }: { symbol?: string; clamped?: boolean } = {},
): string {
  const { klCoefficient: beta = 0 } = options;
  if (placement === 'token' || beta === 0) {
    const core = clamped ? `clamp(${centre('r')}${CLAMP_END}` : centre('r');
    return `${symbol}[i,t] = ${core}${klToGo(options)}${k1Line(options, clamped ? CLAMP_END : '')}`;
  }
  return `R[i] = r[i] - ${beta}·Σ_t k1[i,t]\n${symbol}[i,t] = ${centre('R')}${k1Line(options)}`;
}

/** The normalisation over all tokens that {@link whiten} does, of `symbol`. */
export function whitenedFormula(symbol: string, variance: 'biased' | 'unbiased'): string {
  const scale = variance === 'unbiased' ? '√(σ² + 1e-8), σ² unbiased' : '√max(σ², 1e-8), σ² biased';
  return `A = (${symbol} - μ)/${scale}, μ and σ² over all response tokens of the batch`;
}
