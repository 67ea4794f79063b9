import type { TrainConfigInput } from '../../../src/training/config';
import { resolveConfig } from '../../../src/training/load-config';
import { adviceFor, factsOf } from '../../../src/training/preview';
import type { Sample } from '../../../src/training/rollouts';

function config(changes: Partial<TrainConfigInput> = {}) {
  return resolveConfig(
    { model: 'm', data: { train: 'arithmetic' }, rollout: { samplesPerPrompt: 2, maxTokens: 9 }, ...changes },
    'the config',
    () => undefined,
  );
}

interface Outcome {
  reward: number | null;
  correct?: boolean | null;
  formatted?: boolean | null;
  completion?: string;
  length?: number;
  cut?: boolean;
}

/** Samples of prompts, two of each. */
function samplesOf(...groups: Outcome[][]): Sample[] {
  return groups.flatMap((outcomes, group) =>
    outcomes.map(({ reward, correct = null, formatted = null, completion = '', length = 4, cut = false }, index) => ({
      group,
      index,
      completion,
      prompt: { problem: { id: 'p', problem: '', answer: '' }, text: '', tokens: new Int32Array(1), uid: 0 },
      rollout: {
        prompt: group,
        sample: index,
        tokens: new Int32Array(length),
        logProbs: new Float32Array(length),
        finishReason: cut ? 'length' : 'stop',
        text: null,
      },
      score: { reward, correct, formatted, reason: '', answer: null },
    })),
  );
}

const right: Outcome = { reward: 1, correct: true, formatted: true, completion: '\\boxed{1}' };
const wrong: Outcome = { reward: 0, correct: false, formatted: true, completion: '\\boxed{2}' };

test('counts what a reader wants to know of a base model', () => {
  const facts = factsOf(
    samplesOf(
      [right, { ...wrong, formatted: false, completion: 'so 2', length: 9, cut: true }],
      [wrong, wrong],
      [{ reward: null }, { ...wrong, completion: 'done.\n###', length: 6 }],
    ),
    config({ rollout: { samplesPerPrompt: 2, maxTokens: 9, stopStrings: ['###'] } }),
  );
  expect(facts).toMatchObject({
    prompts: 3,
    samples: 2,
    // Means over prompts of the share of right samples whose verdict is known.
    passAt1: { value: (0.5 + 0 + 0) / 3 },
    // The third prompt has one known verdict only.
    passAtN: { value: 0.5 },
    formatRate: 4 / 5,
    boxedRate: 3 / 6,
    stopReasons: { endToken: 4 / 6, stopString: 1 / 6, length: 1 / 6 },
    responseLength: { mean: (4 + 9 + 4 + 4 + 4 + 6) / 6, longest: 9 },
    usableGroups: 1,
    unscoredRate: 1 / 6,
    rewardMean: 1 / 5,
  });
});

test.each([
  ['none', [[right, wrong]], null],
  [
    'a limit that cuts everything',
    [
      [
        { ...right, cut: true },
        { ...wrong, cut: true },
      ],
    ],
    'rollout.stopTokens',
  ],
  [
    'a limit that cuts much',
    [
      [right, { ...wrong, cut: true }],
      [right, { ...wrong, cut: true }],
      [{ ...right, cut: true }, wrong],
    ],
    null,
  ],
  [
    'a limit that cuts most',
    [
      [
        { ...right, cut: true },
        { ...wrong, cut: true },
      ],
      [right, { ...wrong, cut: true }],
    ],
    '75 % of the samples are cut off',
  ],
  ['no answer right', [[{ ...wrong, reward: 0.1 }, wrong]], 'None of 2 samples is right for any of 1 prompts'],
  ['all answers right', [[right, right]], 'nothing left to learn'],
  [
    'no format',
    [
      [
        { ...right, formatted: false, completion: 'x' },
        { ...wrong, formatted: false, completion: 'x' },
      ],
    ],
    'ask for it in data.template',
  ],
  [
    'another format',
    [
      [
        { ...right, formatted: false },
        { ...wrong, formatted: false },
      ],
    ],
    'check reward.format',
  ],
  [
    'dead groups',
    [
      [right, right],
      [wrong, wrong],
    ],
    'nothing is learnt',
  ],
  ['rare signal', [[right, wrong], ...Array.from({ length: 10 }, () => [wrong, wrong])], 'Only 1 of 11 prompts'],
  ['no score', [[{ reward: null }, { reward: null }]], '100 % of the samples cannot be scored'],
  [
    'empty responses',
    [
      [
        { ...right, length: 1 },
        { ...wrong, length: 1 },
      ],
    ],
    'Responses are empty',
  ],
] as [string, Outcome[][], string | null][])('advice for %s', (_, groups, expected) => {
  const advice = adviceFor(factsOf(samplesOf(...groups), config()), config());
  if (expected === null) expect(advice).toEqual([]);
  else expect(advice.join('\n')).toContain(expected);
});

test('groups alike are no obstacle where the baseline is not the group', () => {
  const facts = factsOf(samplesOf([right, right], [wrong, wrong]), config());
  expect(adviceFor(facts, config({ algorithm: { name: 'reinforce++' } }))).toEqual([]);
});
