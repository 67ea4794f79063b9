/**
 * Every CPU kernel against its ATen twin, in every instruction set that this processor runs, both dtypes, one to three
 * threads, at sizes that no vector and no tile divides.
 */
import path from 'node:path';
import { checkSizes, kernelSizes } from '../../src/bench/kernel-sizes';
import { loadNative } from '../../src/libtorch/load';
import { repository, runChild } from '../support/child';

const heads = { heads: 4, kv_heads: 2, head_dim: 18 };
const oneGroup = { heads: 3, kv_heads: 3, head_dim: 16 };
const wideGroup = { heads: 7, kv_heads: 1, head_dim: 32 };
const wideHeads = { heads: 4, kv_heads: 2, head_dim: 64 };

const cases: Record<string, Record<string, number>[]> = {
  gemm: [
    { m: 37, n: 53, k: 61 },
    { m: 1, n: 70, k: 300, bias: 1 },
    { m: 13, n: 40, k: 513, accumulate: 1 },
    { m: 20, n: 33, k: 70, accumulate: 1, bias: 1 },
    { m: 9, n: 129, k: 64, float_out: 1 },
    { m: 211, n: 17, k: 40 },
    { m: 3, n: 1000, k: 257 },
    { m: 29, n: 31, k: 100, layout: 1 },
    { m: 130, n: 300, k: 260, layout: 1 },
    { m: 45, n: 67, k: 300, layout: 2 },
    { m: 67, n: 45, k: 301, layout: 2 },
    { m: 300, n: 81, k: 700, layout: 2, accumulate: 0 },
    { m: 530, n: 400, k: 90, layout: 2 },
    { m: 1050, n: 35, k: 530, layout: 2 },
    { m: 40, n: 1090, k: 1040, layout: 1, accumulate: 1 },
    { m: 270, n: 600, k: 515 },
    { m: 1, n: 1, k: 1 },
  ],
  packed_gemm: [
    { m: 37, n: 53, k: 61 },
    { m: 1, n: 70, k: 300, bias: 1 },
    { m: 13, n: 40, k: 1100, accumulate: 1 },
    { m: 20, n: 33, k: 70, accumulate: 1, bias: 1 },
    { m: 9, n: 129, k: 64, float_out: 1 },
    { m: 211, n: 17, k: 40 },
    { m: 300, n: 90, k: 513, bias: 1 },
    { m: 3, n: 1000, k: 257 },
    { m: 200, n: 700, k: 1030, accumulate: 1 },
    { m: 29, n: 70, k: 100, swiglu: 1, bias: 1 },
    { m: 5, n: 6, k: 600, swiglu: 1 },
    { m: 1, n: 1, k: 1 },
  ],
  rms_norm: [
    { outer: 7, dim: 48 },
    { outer: 5, inner: 3, dim: 18, padding: 11 },
    { outer: 300, dim: 257 },
  ],
  rms_norm_backward: [
    { outer: 7, dim: 48 },
    { outer: 5, inner: 3, dim: 18, accumulate: 0 },
    { outer: 300, dim: 257 },
  ],
  rope: [
    { tokens: 9, heads: 3, head_dim: 18, width: 90 },
    { tokens: 200, heads: 5, head_dim: 64, backward: 1 },
  ],
  swiglu_backward: [
    { tokens: 5, width: 37 },
    { tokens: 90, width: 203 },
  ],
  column_sums: [
    { rows: 5, width: 37 },
    { rows: 700, width: 203 },
  ],
  attention: [
    { sequences: 3, length: 37, ragged: 9, ...heads },
    { sequences: 2, length: 130, ...oneGroup },
    { sequences: 5, length: 4, ragged: 1, ...wideGroup },
    { sequences: 4, length: 70, ragged: 23, prefix: 45, ...heads },
    { sequences: 3, length: 1, prefix: 130, ...wideGroup },
    { sequences: 2, length: 530, ragged: 4, prefix: 40, ...heads },
    { sequences: 3, length: 21, context: 45, ...heads },
    { sequences: 2, length: 33, prefix: 7, context: 1050, ...oneGroup },
  ],
  attention_backward: [
    { sequences: 3, length: 37, ragged: 9, ...heads },
    { sequences: 2, length: 130, ...oneGroup },
    { sequences: 5, length: 4, ragged: 1, ...wideGroup },
    { sequences: 4, length: 70, ragged: 23, prefix: 45, ...heads },
    { sequences: 3, length: 1, prefix: 130, ...wideGroup },
    { sequences: 2, length: 97, ...wideHeads },
    { sequences: 3, length: 64, ragged: 1, prefix: 33, ...wideHeads },
    { sequences: 1, length: 530, ...heads },
  ],
  one_thread_attention: [
    { sequences: 1, length: 1300, ...heads },
    { sequences: 3, length: 300, ragged: 90, prefix: 530, ...oneGroup },
    { sequences: 9, length: 12, prefix: 20, ...wideGroup },
  ],
  paged_decode_attention: [
    { batch: 5, group: 2, prefix: 13, suffix: 9, ragged: 2, ...heads },
    { batch: 19, group: 4, prefix: 70, suffix: 0, idle: 5, ...oneGroup },
    { batch: 3, group: 3, prefix: 1, suffix: 141, ragged: 70, ...wideGroup },
    { batch: 12, group: 6, prefix: 600, suffix: 500, ragged: 41, ...heads },
  ],
  store_pages: [
    { length: 13, ...heads },
    { length: 75, ...wideGroup },
  ],
  cached_attention: [
    { length: 90, chunk: 7, decoded: 41, ...heads },
    { length: 1100, chunk: 300, decoded: 12, ...heads },
    { length: 1062, chunk: 1025, decoded: 36, ...wideGroup },
    { length: 530, chunk: 64, decoded: 20, ...wideHeads },
  ],
  softmax: [
    { rows: 5, vocab: 1031 },
    { rows: 40, vocab: 3 },
  ],
  log_prob_gradient: [
    { rows: 5, vocab: 1031 },
    { rows: 40, vocab: 3 },
    { rows: 9, vocab: 523, in_place: 1 },
  ],
  entropy_gradient: [
    { rows: 5, vocab: 1031 },
    { rows: 40, vocab: 3 },
    { rows: 9, vocab: 523, in_place: 1 },
  ],
  sampler: [
    { rows: 300, vocab: 97 },
    { rows: 20, vocab: 5003 },
    { rows: 300, vocab: 97, top_k: 7 },
    { rows: 300, vocab: 97, top_p: 800 },
    { rows: 300, vocab: 97, top_p: 700, top_k: 20, min_p: 50 },
    { rows: 300, vocab: 97, min_p: 300 },
    { rows: 60, vocab: 5003, top_k: 400, top_p: 950 },
    { rows: 20, vocab: 30011, top_p: 990, min_p: 2 },
    { rows: 30, vocab: 11, top_k: 1 },
  ],
  embedding: [{ vocab: 61, count: 20, width: 18 }],
  embedding_backward: [
    { vocab: 11, count: 40, width: 45 },
    { vocab: 11, count: 40, width: 45, narrow: 1 },
  ],
  adamw: [
    { count: 1001 },
    { count: 50_001, decay: 1, scale: 300, step: 40 },
    { count: 50_001, decay: 1, scale: 300, step: 40, masters: 0 },
  ],
  squared_norm: [{ count: 10_001 }],
};

const names = Object.keys(cases);

/** float32 sums in another order; bfloat16 rounds results, and between steps where ATen does, to 8 bits. */
const tolerance: Record<string, number> = { float32: 4e-6, bfloat16: 2 ** -7 };
/** Probabilities and the gradients of scores are rounded before they are multiplied, which the twin does in float32. */
const toleranceOfSquares = 2 ** -5;

/** Held against other calls of the same kernels instead: the same bits. */
const same = ['cached_attention', 'one_thread_attention'];

const requests = names.flatMap((kernel) =>
  ['float32', 'bfloat16'].flatMap((dtype) =>
    cases[kernel].flatMap((sizes) => [1, 3].map((threads) => ({ kernel, dtype, sizes, threads }))),
  ),
);

interface Compared {
  instructionSet: string;
  results: Record<string, number>[];
}

test('bench kernels asks for the sizes that the cases need, and takes those that they read', async () => {
  expect(Object.keys(kernelSizes).sort()).toEqual([...names].sort());
  const native = loadNative();
  const tiny = { dtype: 'float32', seed: 1, threads: 1, samples: 1, seconds: 0, compare: false } as const;
  for (const kernel of names) {
    for (const sizes of cases[kernel]) expect(() => checkSizes(kernel, sizes)).not.toThrow();
    for (const left of kernelSizes[kernel].needs) {
      const sizes = Object.fromEntries(kernelSizes[kernel].needs.flatMap((name) => (name === left ? [] : [[name, 2]])));
      await expect(native.runKernel({ ...tiny, kernel, sizes })).rejects.toThrow(`needs the size ${left}`);
      expect(() => checkSizes(kernel, sizes)).toThrow(`Expected ${left} too for the sizes of ${kernel}`);
    }
  }
});

// A set that this processor lacks falls back to the best one below it.
describe.each(['portable', 'avx2', 'avx512', 'avx512bf16', 'amx'])('%s', (set) => {
  let compared: Compared;
  beforeAll(async () => {
    const child = path.join(repository, 'test', 'native', 'kernels-child.cjs');
    const ended = await runChild([child], { env: { ZERO_RL_ISA: set }, input: JSON.stringify(requests) });
    expect(ended.stderr).toBe('');
    compared = JSON.parse(ended.stdout) as Compared;
  });

  test.each(names)('%s does what its twin does', (kernel) => {
    if (set === 'portable') expect(compared.instructionSet).toBe('portable');
    let checked = 0;
    requests.forEach((request, i) => {
      if (request.kernel !== kernel) return;
      for (const [output, difference] of Object.entries(compared.results[i])) {
        // NaN is null in JSON: a result that one side left unwritten.
        const rounded =
          request.dtype === 'bfloat16' && request.kernel === 'attention_backward' && compared.instructionSet === 'amx';
        const most = same.includes(kernel) ? 0 : rounded ? toleranceOfSquares : tolerance[request.dtype];
        const within = typeof difference === 'number' && difference <= most;
        if (!within) throw new Error(`${output} of ${JSON.stringify(request)} differs by ${String(difference)}`);
        checked++;
      }
    });
    expect(checked).toBeGreaterThan(0);
  });
});
