import { knownShare, stepMetrics, type StepRecord } from '../../../src/observe/metrics';
import { stepTable } from '../../../src/observe/train-output';
import { wilsonInterval } from '../../../src/evaluation/statistics';
import { resolveConfig } from '../../../src/training/load-config';
import type { Sample } from '../../../src/training/rollouts';

function sample(group: number, reward: number | null, length: number, correct: boolean | null = null): Sample {
  return {
    group,
    index: 0,
    completion: '',
    prompt: { problem: { id: '1', problem: '', answer: '' }, text: '', tokens: new Int32Array(2), uid: 0 },
    rollout: {
      prompt: group,
      sample: 0,
      tokens: new Int32Array(length),
      logProbs: new Float32Array(length),
      finishReason: length > 3 ? 'length' : 'stop',
    },
    score: { reward, reason: '', correct, formatted: correct, answer: null },
  };
}

const record = (changes: Partial<StepRecord> = {}): StepRecord => ({
  step: 3,
  samples: [sample(0, 1, 2, true), sample(0, -1, 4, false), sample(1, 0.5, 3), sample(1, 0.5, 3), sample(2, null, 8)],
  kl: null,
  temperature: 1,
  sampled: { groups: 3, tokens: 20 },
  stats: {
    loss: 0.1,
    gradNorm: 2,
    entropy: 0.7,
    kl: 0,
    logProbDifference: 1e-8,
    clipFraction: 0,
    tokens: 12,
    measuredTokens: 12,
    totalTokens: 40,
    microBatches: 1,
    applied: true,
    optimizerSteps: 1,
    seconds: 1,
  },
  learningRate: 1e-4,
  critic: null,
  klCoefficient: 0,
  entropyCoefficient: 0,
  seconds: { sample: 2, verify: 0.5, reference: 0, critic: 0, step: 4 },
  total: 7,
  ...changes,
});

test('the figures of a step', () => {
  expect(stepMetrics(record())).toMatchObject({
    rewardMean: 0.25,
    rewardStd: Math.sqrt((0.75 ** 2 + 1.25 ** 2 + 2 * 0.25 ** 2) / 3),
    accuracy: 0.5,
    formatRate: 0.5,
    truncatedRate: 0.4,
    responseLength: 4,
    groups: 3,
    usableGroups: 1,
    samples: 5,
    excludedSamples: 1,
    klPerToken: null,
    tokensPerSecond: { sample: 10, verify: 40, reference: null, step: 10 },
    seconds: { total: 7 },
  });
});

test('the entropy is that of the tokens as they were sampled, also of those that the step left out; with a term in the loss, the loss has it', () => {
  const known = sample(0, 1, 3);
  known.rollout.entropies = Float32Array.of(0.5, 9, 1);
  known.rollout.mask = Uint8Array.of(1, 0, 1);
  const estimated = sample(1, 0, 2);
  estimated.rollout.logProbs = Float32Array.of(-2, -0.5);
  const unscored = sample(2, null, 1);
  unscored.rollout.entropies = Float32Array.of(100);
  const samples = [known, estimated, unscored];
  expect(stepMetrics(record({ samples })).entropy).toBeCloseTo((0.5 + 1 + 2 + 0.5) / 4, 12);
  expect(stepMetrics(record({ samples, stats: null, entropyCoefficient: 0.1 })).entropy).toBeCloseTo(1, 12);
  expect(stepMetrics(record({ samples, entropyCoefficient: 0.1 })).entropy).toBe(0.7);
});

test('tokens that the step left out count in the rate of the reference and not in that of the step', () => {
  const { stats, seconds } = record();
  const metrics = stepMetrics(
    record({ stats: { ...stats!, totalTokens: 6 }, seconds: { ...seconds, reference: 2, critic: 1 } }),
  );
  // 12 tokens of the scored samples, and 2 of the prompt of each.
  expect(metrics.tokensPerSecond).toMatchObject({ reference: 10, critic: 20, step: 1.5 });
});

test('samples without a reward are counted, those that took too long also by themselves', () => {
  const late = sample(0, null, 3);
  late.score.reason = 'timeout';
  const zero = sample(0, 0, 3);
  zero.score.reason = 'timeout';
  const metrics = stepMetrics(record({ samples: [...record().samples, late, zero] }));
  expect(metrics).toMatchObject({ samples: 7, excludedSamples: 2, timedOutSamples: 1 });
});

test('the KL per token weighs tokens, the KL per sequence sequences', () => {
  const metrics = stepMetrics(record({ kl: [Float32Array.of(1, 2), Float32Array.of(-1, 0, 0)] }));
  expect(metrics.klPerToken).toBeCloseTo(0.4, 12);
  expect(metrics.klPerSequence).toBe(1);
});

test('what is not known stays out of shares', () => {
  expect(knownShare([true, null, false, null, true])).toBeCloseTo(2 / 3, 12);
  expect(knownShare([null])).toBeNull();
});

test('Wilson intervals: published values, and both ends within 0 and 1', () => {
  const [low, high] = wilsonInterval(81, 263);
  expect(low).toBeCloseTo(0.2553, 4);
  expect(high).toBeCloseTo(0.3662, 4);
  expect(wilsonInterval(0, 20)[0]).toBe(0);
  expect(wilsonInterval(0, 20)[1]).toBeCloseTo(0.1611, 4);
  expect(wilsonInterval(20, 20)[1]).toBe(1);
});

test('step lines fall under their heads, with KL columns where there is a reference', () => {
  const config = resolveConfig({ model: '/m', data: { train: 'arithmetic' }, steps: 120 });
  const print = stepTable(config);
  const [head, row] = print(stepMetrics(record()));
  expect(row).toHaveLength(head.length);
  expect(head).not.toContain('KL');
  expect(print(stepMetrics(record()))).toHaveLength(1);
  const measured = { ...config, kl: { ...config.kl, measure: true } };
  const [klHead, klRow] = stepTable(measured)(stepMetrics(record({ kl: [Float32Array.of(0.25, 0.25)] })));
  expect(klHead).toContain('KL/token');
  expect(klRow).toContain('0.2500');
  expect(klRow).toHaveLength(klHead.length);
});
