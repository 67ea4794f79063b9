/** Truncated rollouts in a run: said what becomes of them, scored over what was drawn from. */
import { resolveConfig } from '../../../src/training/load-config';
import { evaluationOptions, greedyOptions, samplingOptions } from '../../../src/training/phase-options';
import { behaviourLogProbs, wholeSequence, type Sample } from '../../../src/training/rollouts';
import { truncationWarning } from '../../../src/training/truncation';

const configOf = (rollout: object) => resolveConfig({ model: '/m', data: { train: 'arithmetic' }, rollout });

test.each([{ topP: 0.9 }, { topK: 50 }, { minP: 0.05 }])('%j is refused without a word on it', (rollout) => {
  expect(() => configOf(rollout)).toThrow(/Expected "replay" or "ignore" .*bias every ratio.* for rollout\.truncation/);
});

test.each([{ topP: 0.9 }, { topK: 50 }, { minP: 0.05 }])(
  '%j: replay records what is drawn from, ignore warns',
  (rollout) => {
    const replayed = configOf({ ...rollout, truncation: 'replay' });
    expect(samplingOptions(replayed)).toMatchObject({ ...rollout, keptTokens: true });
    expect(truncationWarning(replayed.rollout)).toBeNull();
    for (const options of [evaluationOptions(replayed), greedyOptions(replayed)])
      expect(options).toMatchObject({ topP: 1, topK: 0, minP: 0, keptTokens: false });
    const ignored = configOf({ ...rollout, truncation: 'ignore' });
    expect(samplingOptions(ignored)).not.toHaveProperty('keptTokens');
    expect(truncationWarning(ignored.rollout)).toMatch(/every ratio is off/);
  },
);

test('nothing is recorded or said where nothing is truncated', () => {
  for (const truncation of ['replay', 'ignore'] as const) {
    const config = configOf({ truncation });
    expect(samplingOptions(config)).not.toHaveProperty('keptTokens');
    expect(truncationWarning(config.rollout)).toBeNull();
  }
});

const sample = (rollout: object): Sample =>
  ({
    prompt: { tokens: Int32Array.of(1, 2) },
    rollout: { tokens: Int32Array.of(3, 4), ...rollout },
  }) as unknown as Sample;

test('log-probs at sampling and the sequence go together', () => {
  const logProbs = Float32Array.of(-1, -2);
  const logMass = Float32Array.of(-0.5, 0);
  const keptTokens = Uint8Array.of(3, 3, 0);
  const replayed = sample({ logProbs, logMass, keptTokens });
  expect([...behaviourLogProbs(replayed)]).toEqual([-0.5, -2]);
  expect(wholeSequence(replayed)).toEqual({ tokens: Int32Array.of(1, 2, 3, 4), promptLength: 2, keptTokens });
  const ignored = sample({ logProbs, logMass });
  expect([...behaviourLogProbs(ignored)]).toEqual([-1, -2]);
  expect(wholeSequence(ignored)).not.toHaveProperty('keptTokens');
});
