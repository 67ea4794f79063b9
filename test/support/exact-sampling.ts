/** Exact distributions that a sampler must follow, from the log-probs of the temperature-scaled model. */

/** Keeps the tokens that `keep` accepts and renormalises. */
function restrict(probabilities: Float64Array, keep: (token: number) => boolean): Float64Array {
  const kept = probabilities.map((value, token) => (keep(token) ? value : 0));
  const sum = kept.reduce((a, b) => a + b, 0);
  return kept.map((value) => value / sum);
}

function byProbability(probabilities: Float64Array): number[] {
  return Array.from(probabilities.keys()).sort((a, b) => probabilities[b] - probabilities[a]);
}

/** The k most likely tokens. */
export function topK(probabilities: Float64Array, k: number): Float64Array {
  const kept = new Set(byProbability(probabilities).slice(0, k));
  return restrict(probabilities, (token) => kept.has(token));
}

/** The smallest set of most likely tokens whose probability reaches p (Holtzman et al. 2020). */
export function topP(probabilities: Float64Array, p: number): Float64Array {
  const kept = new Set<number>();
  let mass = 0;
  for (const token of byProbability(probabilities)) {
    if (mass >= p) break;
    kept.add(token);
    mass += probabilities[token];
  }
  return restrict(probabilities, (token) => kept.has(token));
}

/** Tokens at least p times as likely as the most likely one (Nguyen et al. 2024). */
export function minP(probabilities: Float64Array, p: number): Float64Array {
  const floor = p * probabilities.reduce((a, b) => Math.max(a, b), 0);
  return restrict(probabilities, (token) => probabilities[token] >= floor);
}
