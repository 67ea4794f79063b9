/** What the rules say of rows of figures; the runs that provoke them are in test/native/watchdog-runs.test.ts. */
import type { StepMetrics } from '../../../src/observe/metrics';
import { resolveConfig } from '../../../src/training/load-config';
import { checkRules } from '../../../src/training/watchdog';

const config = resolveConfig({ model: '/m', data: { train: 'arithmetic' } });
const usual = {
  applied: true,
  loss: 0,
  entropy: 1,
  repetition: 0,
  responseLength: 10,
  groups: 4,
  usableGroups: 3,
  samples: 16,
  klPerToken: null,
  gradNorm: 1,
};
const rowsOf = (count: number, at: (step: number) => Partial<StepMetrics>): StepMetrics[] =>
  Array.from({ length: count }, (_, i) => ({ ...usual, step: i + 1, ...at(i + 1) }) as StepMetrics);
/** Every alarm of a run of these rows. */
const alarmsOf = (rows: readonly StepMetrics[]): string[] =>
  rows.flatMap((_, i) => checkRules(config, rows.slice(0, i + 1)).map(({ rule, step }) => `${rule} ${step}`));

test('a trouble is told once, when it has lasted its steps', () => {
  expect(alarmsOf(rowsOf(12, (step) => (step > 4 ? { usableGroups: 0 } : {})))).toEqual(['deadGroups 9']);
});

test('groups of one sample are not dead', () => {
  expect(alarmsOf(rowsOf(12, () => ({ usableGroups: 0, samples: 4 })))).toEqual([]);
});

test('a KL that grows from 0 with the learning rate is no jump; one that leaps is', () => {
  const growing = rowsOf(30, (step) => ({ klPerToken: 1e-6 * (step - 1) ** 4 }));
  expect(alarmsOf(growing)).toEqual([]);
  const late = rowsOf(12, (step) => (step > 5 ? { klPerToken: 0.1 } : { klPerToken: 0, gradNorm: 0 }));
  expect(alarmsOf(late)).toEqual([]);
  const leaping = rowsOf(20, (step) => ({ klPerToken: step > 15 ? 2 : 0.01 * step }));
  expect(alarmsOf(leaping)).toEqual(['kl 18']);
});
