/** The terms of the loss that replay shows are those that the engine adds up. */
import type { Policy, StepOptions, TrainingSequence } from '../../src';
import { lossTerms } from '../../src/training/loss-terms';
import { createTinyPolicy } from '../support/tiny-policy';

let policy: Policy;
let sequences: TrainingSequence[];
let logProbs: Float32Array[];

/** Uneven lengths, one advantage per response or per token, two turns in one response and one that does not train at all. */
beforeAll(async () => {
  policy = await createTinyPolicy();
  const lengths = [7, 1, 12, 4, 9];
  const plain = lengths.map((length, i) => ({
    tokens: Array.from({ length: length + 3 }, (_, t) => (37 * i + 11 * t * t + 5) % 1300),
    promptLength: 3,
  }));
  logProbs = await policy.logProbs(plain);
  const wave = (i: number, t: number, scale: number): number => scale * Math.sin(3 * i + 1.7 * t + scale);
  const near = (i: number, scale: number): Float32Array => logProbs[i].map((value, t) => value + wave(i, t, scale));
  sequences = plain.map((sequence, i) => ({
    ...sequence,
    advantages: i === 1 ? -1.5 : Float32Array.from(logProbs[i], (_, t) => wave(t, i, 2)),
    oldLogProbs: near(i, 0.9),
    referenceLogProbs: near(i, 0.6),
    ...(i === 2 ? { mask: Uint8Array.from(logProbs[i], (_, t) => (t > 3 && t < 7 ? 0 : 1)) } : {}),
    ...(i === 3 ? { mask: new Uint8Array(logProbs[i].length) } : {}),
  }));
});
afterAll(() => policy.dispose());

const objectives: Record<string, StepOptions> = {
  reinforce: { objective: 'reinforce' },
  ppo: { objective: 'ppo', clip: { low: 0.2, high: 0.28 } },
  'ppo, dual clip': { objective: 'ppo', clip: { low: 0.2, high: 0.2, dual: 1.5 } },
  'gspo, geometric mean': { objective: 'gspo', clip: { low: 0.03, high: 0.04 } },
  'gspo, product': { objective: 'gspo', sequenceRatio: 'product', clip: { low: 0.2, high: 0.2, dual: 3 } },
  cispo: { objective: 'cispo', clip: { low: 0.5, high: 0.3 } },
};
const kls: Record<string, StepOptions['kl']> = {
  'no KL': { coefficient: 0 },
  k2: { coefficient: 0.3, estimator: 'k2' },
  'k2 corrected': { coefficient: 0.3, estimator: 'k2', corrected: true },
  k3: { coefficient: 0.3, estimator: 'k3' },
  'k3 corrected': { coefficient: 0.3, estimator: 'k3', corrected: true },
};
const aggregations: StepOptions[] = [
  { aggregation: 'token-mean' },
  { aggregation: 'seq-mean-token-mean' },
  { aggregation: 'seq-mean-token-sum' },
  { aggregation: 'constant', aggregationConstant: 12 },
];
const cases = Object.entries(objectives).flatMap(([name, objective]) =>
  Object.entries(kls).flatMap(([kl, options]) =>
    aggregations.map((aggregation): [string, StepOptions] => [
      `${name}, ${kl}, ${aggregation.aggregation}`,
      { ...objective, kl: options, ...aggregation },
    ]),
  ),
);

test.each(cases)('%s', async (_, options) => {
  const terms = lossTerms(
    sequences.map((sequence, i) => ({ ...sequence, logProbs: logProbs[i] })),
    options,
  ).flat();
  const trained = terms.filter(({ weight }) => weight !== 0);
  const sum = terms.reduce((total, term) => total + term.sum, 0);
  const stats = await policy.step(sequences, { ...options, learningRate: 0 });
  expect(stats.tokens).toBe(trained.length);
  expect(Math.abs(sum - stats.loss) / Math.max(1, Math.abs(stats.loss))).toBeLessThan(1e-5);
  expect(trained.filter(({ clipped }) => clipped).length / trained.length).toBeCloseTo(stats.clipFraction, 6);
  expect(trained.reduce((total, { k1 }) => total + k1!, 0) / trained.length).toBeCloseTo(stats.kl, 5);
});

test('what does not train adds nothing, and every objective but reinforce bounds some tokens here', () => {
  for (const [name, options] of Object.entries(objectives)) {
    const terms = lossTerms(
      sequences.map((sequence, i) => ({ ...sequence, logProbs: logProbs[i] })),
      options,
    );
    for (const { weight, sum, clipped } of [...terms[3], ...terms[2].slice(4, 7)])
      expect({ weight, sum, clipped }).toEqual({ weight: 0, sum: 0, clipped: false });
    expect([name, terms.flat().some(({ clipped }) => clipped)]).toEqual([name, name !== 'reinforce']);
  }
});
