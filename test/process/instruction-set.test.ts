/** The kernels of every instruction set compute the same, in both dtypes, also at sizes that no vector divides. */
import { childProgram, runChild } from '../support/child';

interface Outcome {
  name: string;
  before: number[];
  after: number[];
}

async function run(set: string, dtype: string): Promise<Outcome> {
  const ended = await runChild([childProgram('instruction-set.cjs'), dtype], { env: { ZERO_RL_ISA: set } });
  expect(ended.stderr).toBe('');
  return JSON.parse(ended.stdout) as Outcome;
}

const largest = (a: number[], b: number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i])));

// bfloat16 rounds activations to 8 bits; sums in another order move some of them to the neighbour.
describe.each([
  ['float32', 2e-5],
  ['bfloat16', 0.1],
])('%s', (dtype, tolerance) => {
  let portable: Outcome;
  beforeAll(async () => {
    portable = await run('portable', dtype);
  });

  test('portable is what was asked for, and training changes the log-probs', () => {
    expect(portable.name).toBe('portable');
    expect(portable.before.every(Number.isFinite)).toBe(true);
    expect(largest(portable.before, portable.after)).toBeGreaterThan(10 * tolerance);
  });

  // A set that this processor lacks falls back to the best one below it.
  test.each(['avx2', 'avx512', 'avx512bf16', 'amx'])('%s agrees with it', async (set) => {
    const other = await run(set, dtype);
    expect(largest(other.before, portable.before)).toBeLessThan(tolerance);
    expect(largest(other.after, portable.after)).toBeLessThan(tolerance);
  });
});
