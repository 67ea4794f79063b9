import { resolveConfig } from '../../../src/training/load-config';
import type { Sample } from '../../../src/training/rollouts';
import { penalizeTruncated } from '../../../src/training/stop-properly';

const sample = (reward: number | null, finishReason: 'stop' | 'length'): Sample => ({
  prompt: { problem: { id: 'p', problem: '1+1', answer: '2' }, text: '1+1', tokens: new Int32Array(1), uid: 0 },
  group: 0,
  index: 0,
  rollout: { prompt: 0, sample: 0, tokens: new Int32Array(3), logProbs: new Float32Array(3), finishReason },
  completion: '2',
  score: { reward, reason: 'equal', correct: true, formatted: true, answer: '2' },
});
const samples = [sample(0.5, 'stop'), sample(0.5, 'length'), sample(-1, 'length'), sample(null, 'length')];

test.each([
  [null, [0.5, 0.5, -1, null]],
  [0, [0.5, 0, -0, null]],
  [0.5, [0.5, 0.25, -0.5, null]],
  [-2, [0.5, -2, -2, null]],
])('stopProperly %p', (stopProperly, rewards) => {
  const rollout = { lengthPenalty: { stopProperly } };
  const config = resolveConfig({ model: '/m', data: { train: 'arithmetic' }, rollout });
  expect(penalizeTruncated(samples, config).map(({ score }) => score.reward)).toEqual(rewards);
});
