/** Pearson's chi-square test of goodness of fit, for samplers with fixed seeds. */

/** Standard normal quantile of 1 − 1e-4: the one threshold that the tests use. */
const QUANTILE = 3.719;

/** Value that a chi-square variable of `degrees` degrees exceeds with probability 1e-4 (Wilson and Hilferty 1931). */
function critical(degrees: number): number {
  if (degrees === 0) return Infinity;
  const spread = 2 / (9 * degrees);
  return degrees * (1 - spread + QUANTILE * Math.sqrt(spread)) ** 3;
}

export interface ChiSquare {
  statistic: number;
  degrees: number;
  /** The 1e-4 critical value; a sampler of the expected distribution exceeds it once in 10,000 seeds. */
  critical: number;
  /** Draws of outcomes that the expected distribution excludes. */
  impossible: number;
}

/** Compares counts with probabilities; outcomes expected fewer than five times share a bin. */
export function chiSquare(counts: ArrayLike<number>, probabilities: ArrayLike<number>): ChiSquare {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i];
  const pooled = { observed: 0, expected: 0 };
  let statistic = 0;
  let bins = 0;
  let impossible = 0;
  const add = (observed: number, expected: number) => {
    statistic += (observed - expected) ** 2 / expected;
    bins++;
  };
  for (let i = 0; i < counts.length; i++) {
    const expected = probabilities[i] * total;
    if (expected === 0) impossible += counts[i];
    else if (expected >= 5) add(counts[i], expected);
    else {
      pooled.observed += counts[i];
      pooled.expected += expected;
    }
  }
  if (pooled.expected >= 5) add(pooled.observed, pooled.expected);
  return { statistic, degrees: bins - 1, critical: critical(bins - 1), impossible };
}
