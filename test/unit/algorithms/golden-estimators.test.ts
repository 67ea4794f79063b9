/** Every estimator and numeric mode against the formulas as test/golden/estimators.py writes them down. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { algorithms, type AlgorithmName, type EstimatorInput, type EstimatorOptions } from '../../../src/algorithms';
import { maxDifference } from '../../support/golden';

interface Golden {
  batches: Record<string, EstimatorInput>;
  /** `advantages` null: refused. */
  cases: { batch: string; name: AlgorithmName; options: EstimatorOptions; advantages: number[][] | null }[];
}

const file = join(__dirname, '..', '..', 'golden', 'data', 'estimators.json');
const golden = JSON.parse(readFileSync(file, 'utf8')) as Golden;
const names = [...new Set(golden.cases.map(({ name }) => name))];

describe.each(names)('%s', (name) => {
  const cases = golden.cases.filter((entry) => entry.name === name);
  test.each(cases)('$batch, $options', ({ batch, options, advantages }) => {
    const run = () => algorithms[name](golden.batches[batch], options);
    if (advantages === null) {
      expect(run).toThrow(RangeError);
      return;
    }
    const actual = run();
    expect(actual).toHaveLength(advantages.length);
    advantages.forEach((row, i) => {
      const scale = Math.max(1, ...row.map(Math.abs));
      expect(maxDifference(actual[i], row)).toBeLessThan(1e-6 * scale);
    });
  });
});

test('every estimator has golden values', () => {
  expect(names.sort()).toEqual([
    'dr-grpo',
    'grpo',
    'opo',
    'pass-at-k',
    'ppo',
    'reinforce',
    'reinforce++',
    'reinforce++-baseline',
    'remax',
    'rloo',
  ]);
});
