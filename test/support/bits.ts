/** Comparing floats bit for bit. */

const words = (values: Float32Array): Uint32Array =>
  new Uint32Array(values.buffer, values.byteOffset, values.byteLength / 4);

/** The number of values whose bits differ; unequal lengths count as all of the longer one. */
export function differingBits(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return Math.max(actual.length, expected.length);
  const [left, right] = [words(actual), words(expected)];
  return left.reduce((count, word, i) => count + (word === right[i] ? 0 : 1), 0);
}

/** Says which rows have values whose bits differ; an empty text where all are equal. */
export function differingRows(actual: readonly Float32Array[], expected: readonly Float32Array[]): string {
  if (actual.length !== expected.length) return `${actual.length} rows, not ${expected.length}`;
  const counts = actual.map((row, i) => differingBits(row, expected[i]));
  const rows = [...counts.keys()].filter((i) => counts[i] > 0);
  if (rows.length === 0) return '';
  const values = counts.reduce((sum, count) => sum + count, 0);
  return `${rows.length} of ${actual.length} rows differ, in ${values} values; the first are ${rows.slice(0, 5).join(', ')}`;
}

/**
 * As {@link differingRows}; with the operators of devices, which sum in another order in passes than in steps, values may differ
 * by rounding.
 */
export function differingResults(actual: readonly Float32Array[], expected: readonly Float32Array[]): string {
  if (!process.env.ZERO_RL_TEST_DEVICE_ENGINE) return differingRows(actual, expected);
  const near = (row: Float32Array, i: number): boolean =>
    row.length === expected[i].length && row.every((value, t) => Math.abs(value - expected[i][t]) < 1e-4);
  return actual.length === expected.length && actual.every(near) ? '' : 'values differ by more than rounding';
}
