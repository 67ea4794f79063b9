import fc from 'fast-check';

test('properties are checked with the same inputs in every run', () => {
  const first = (): unknown => fc.check(fc.property(fc.integer(), () => false)).counterexample;
  expect(first()).toEqual(first());
  expect(fc.readConfigureGlobal().seed).toBe(Number(process.env.ZERO_RL_TEST_SEED || 20_260_731) | 0);
});
