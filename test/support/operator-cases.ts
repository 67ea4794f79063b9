/** Sizes for the comparisons of operators with their twins: none that packs, warps and splits divide, and some that they do. */
const heads = { heads: 4, kv_heads: 2, head_dim: 18 };
const grouped = { heads: 14, kv_heads: 2, head_dim: 64 };
const single = { heads: 3, kv_heads: 3, head_dim: 40 };
const wide = { heads: 9, kv_heads: 1, head_dim: 256 };
const large = { heads: 4, kv_heads: 2, head_dim: 128 };
const quads = { heads: 4, kv_heads: 1, head_dim: 96 };
const pairs = { heads: 2, kv_heads: 2, head_dim: 64 };

export const operatorCases: Record<string, Record<string, number>[]> = {
  embedding: [
    { vocab: 61, count: 20, width: 18 },
    { vocab: 7, count: 33, width: 64 },
  ],
  embedding_backward: [
    { vocab: 11, count: 40, width: 45 },
    { vocab: 11, count: 40, width: 48, narrow: 1 },
    { vocab: 3, count: 1, width: 8 },
  ],
  rms_norm: [
    { rows: 7, width: 48 },
    { rows: 5, width: 18, padding: 11 },
    { rows: 3, width: 4200, padding: 8 },
  ],
  rms_norm_backward: [
    { rows: 7, width: 48 },
    { rows: 45, width: 257, padding: 3, accumulate: 1 },
    { rows: 19, width: 1064, padding: 8, accumulate: 1 },
  ],
  rotate: [
    { tokens: 9, norm: 1, append: 1, ...heads },
    { tokens: 5, append: 1, ...grouped },
    { tokens: 6, norm: 1, ...wide },
    { tokens: 13, norm: 1, append: 1, rows: 3, heads: 2, kv_heads: 1, head_dim: 6 },
    { tokens: 7, norm: 1, append: 1, unrotated: 1, rows: 2, ...single },
    { tokens: 3, append: 1, unrotated: 1, ...heads },
  ],
  rotate_backward: [
    { tokens: 29, norm: 1, ...heads },
    { tokens: 5, ...grouped },
    { tokens: 17, norm: 1, ...wide },
    { tokens: 17, norm: 1, unrotated: 1, ...heads },
    { tokens: 3, unrotated: 1, ...heads },
  ],
  attention: [
    { sequences: 3, length: 37, ragged: 9, empty: 1, ...heads },
    { sequences: 2, length: 70, ...single },
    { sequences: 4, length: 3, ragged: 1, ...wide },
    { sequences: 3, length: 9, ragged: 2, prefix: 11, empty: 1, ...heads },
    { sequences: 3, length: 9, ragged: 2, context: 40, ...single },
    { sequences: 2, length: 7, prefix: 6, context: 33, ...grouped },
    { flash: 1, sequences: 3, length: 37, ragged: 9, empty: 1, ...pairs },
    { flash: 1, sequences: 3, length: 9, ragged: 2, prefix: 11, empty: 1, ...single },
    { flash: 1, sequences: 4, length: 9, ragged: 2, context: 40, ...large },
    { flash: 1, sequences: 2, length: 7, prefix: 6, context: 33, ...grouped },
  ],
  attention_backward: [
    { sequences: 3, length: 37, ragged: 9, empty: 1, ...heads },
    { sequences: 2, length: 40, ...single },
    { sequences: 4, length: 3, ragged: 1, ...wide },
    { sequences: 3, length: 9, ragged: 2, prefix: 11, empty: 1, ...heads },
    { sequences: 2, length: 7, prefix: 6, ...grouped },
    { flash: 1, sequences: 3, length: 37, ragged: 9, empty: 1, ...pairs },
    { flash: 1, sequences: 3, length: 9, ragged: 2, prefix: 11, empty: 1, ...single },
    { flash: 1, sequences: 2, length: 7, prefix: 6, ...grouped },
  ],
  varlen_attention: [
    { sequences: 3, length: 19, ragged: 5, ...single },
    { sequences: 3, length: 7, ragged: 2, keys: 21, ...grouped },
  ],
  varlen_attention_backward: [
    { sequences: 3, length: 19, ragged: 5, ...single },
    { sequences: 3, length: 7, ragged: 2, keys: 21, ...grouped },
  ],
  merge_attention: [
    { tokens: 9, queries: 6, ...heads },
    { tokens: 5, queries: 5, ...grouped },
  ],
  gather_context: [
    { rows: 3, length: 40, ...heads },
    { rows: 2, length: 97, ...large },
  ],
  decode_attention: [
    { rows: 5, length: 40, ...heads },
    { rows: 6, length: 830, spare: 3, ...grouped },
    { rows: 3, length: 65, spare: 9, ...single },
    { rows: 3, length: 288, ...wide },
    { rows: 3, length: 513, ...large },
    { rows: 4, length: 256, spare: 1, ...quads },
    { rows: 3, length: 1, ...pairs },
    { rows: 4, length: 300, ...pairs },
  ],
  swiglu: [
    { rows: 5, width: 37 },
    { rows: 9, width: 208 },
  ],
  swiglu_backward: [
    { rows: 5, width: 37 },
    { rows: 9, width: 208 },
  ],
  column_sums: [
    { rows: 5, width: 37 },
    { rows: 70, width: 203, padding: 5 },
    { rows: 9, width: 2200 },
  ],
  sample: [
    { rows: 60, vocab: 97 },
    { rows: 9, vocab: 5003 },
    { rows: 9, vocab: 5004, temperature: 0 },
    { rows: 20, vocab: 97, top_k: 7 },
    { rows: 20, vocab: 97, top_p: 800 },
    { rows: 20, vocab: 97, min_p: 50, temperature: 3000 },
    { rows: 9, vocab: 2300, top_p: 700, top_k: 200, min_p: 10, temperature: 4000 },
    { rows: 20, vocab: 331, ties: 1, top_p: 900 },
    { rows: 20, vocab: 331, ties: 1, top_k: 5 },
    { rows: 20, vocab: 331, ties: 1, temperature: 0 },
    { rows: 20, vocab: 97, top_k: 7, ring: 3 },
    { rows: 20, vocab: 96, top_p: 800, ring: 1 },
    { rows: 20, vocab: 97, min_p: 50, temperature: 3000, ring: 5 },
    { rows: 9, vocab: 2300, top_p: 700, top_k: 200, min_p: 10, temperature: 4000, ring: 2 },
    { rows: 20, vocab: 331, ties: 1, top_p: 900, ring: 2 },
    { rows: 20, vocab: 331, ties: 1, top_k: 5, ring: 2 },
    { rows: 60, vocab: 97, mixed: 1, top_p: 800, top_k: 30, ring: 2 },
    { rows: 11, vocab: 3001, mixed: 1, min_p: 10, temperature: 2000 },
  ],
  keep_tokens: [
    { rows: 7, vocab: 97 },
    { rows: 3, vocab: 1024 },
  ],
  advance: [
    { rows: 40, capacity: 6, stops: 2 },
    { rows: 3, capacity: 1, stops: 0 },
    { rows: 40, capacity: 6, stops: 2, broken: 1 },
  ],
  log_probs: [
    { rows: 5, vocab: 1031 },
    { rows: 3, vocab: 2600, masked: 1 },
    { rows: 3, vocab: 5005, masked: 1 },
    { rows: 40, vocab: 3 },
  ],
  head_loss: [
    { rows: 9, vocab: 1031 },
    { rows: 9, vocab: 1032, kind: 1, kl: 1, dual: 1 },
    { rows: 9, vocab: 515, kind: 1, kl: 2, corrected: 1, entropy: 1 },
    { rows: 9, vocab: 97, kind: 2, product: 1 },
    { rows: 9, vocab: 97, kind: 3, entropy: 1 },
    { rows: 9, vocab: 97, kind: 4 },
  ],
  squared_norm: [{ count: 10_001 }, { count: 200_000 }],
  adamw: [
    { count: 1001 },
    { count: 5008, decay: 1, scale: 300, step: 40 },
    { count: 5008, decay: 1, scale: 300, step: 40, masters: 0 },
  ],
  follow: [
    { count: 1001, rate: 250 },
    { count: 1004, rate: 1000 },
    { count: 1004, rate: 10, masters: 0 },
  ],
  join_masters: [{ count: 1001 }, { count: 1004, masters: 0 }],
  split_masters: [{ count: 1001 }, { count: 1004, masters: 0 }],
};

/** float32 sums in another order; bfloat16 rounds results, and between steps where twins do, to 8 bits. */
export const operatorTolerance: Record<string, number> = { float32: 5e-6, bfloat16: 2 ** -7 };

export interface OperatorRequest {
  kernel: string;
  dtype: 'float32' | 'bfloat16';
  sizes: Record<string, number>;
  runner: 'serial' | 'emulation' | 'cuda';
  threads: number;
}

/** Operators on logits, which are float32. */
const onLogits = new Set(['sample', 'keep_tokens', 'advance', 'log_probs']);

function runs(kernel: string, sizes: Record<string, number>, dtype: string, runner: string): boolean {
  if (dtype === 'bfloat16') return !onLogits.has(kernel);
  // Flash attention takes bfloat16 alone on a device; what stands in for it on the CPU takes both.
  return runner !== 'cuda' || !(kernel.startsWith('varlen') || sizes.flash === 1);
}

/** Flash attention rounds the gradients of the parts of a sequence before they are added. */
function toleranceOf({ kernel, dtype, sizes }: OperatorRequest): number {
  const parts = kernel === 'attention_backward' && sizes.flash === 1 && dtype === 'bfloat16';
  return operatorTolerance[dtype] * (parts ? 4 : 1);
}

/** Every case in both dtypes for every runner. */
export function operatorRequests(runners: OperatorRequest['runner'][]): OperatorRequest[] {
  return Object.entries(operatorCases).flatMap(([kernel, all]) =>
    (['float32', 'bfloat16'] as const).flatMap((dtype) =>
      all.flatMap((sizes) =>
        runners
          .filter((runner) => runs(kernel, sizes, dtype, runner))
          .map((runner) => ({ kernel, dtype, sizes, runner, threads: 2 })),
      ),
    ),
  );
}

/** Throws for the first result of the operator that differs by more than rounding; returns how many there were. */
export function checkOperator(
  kernel: string,
  requests: OperatorRequest[],
  results: Record<string, number | null>[],
): number {
  let checked = 0;
  requests.forEach((request, i) => {
    if (request.kernel !== kernel) return;
    for (const [output, difference] of Object.entries(results[i])) {
      // NaN is null in JSON: a result that one side left unwritten.
      const within = difference !== null && difference <= toleranceOf(request);
      if (!within) throw new Error(`${output} of ${JSON.stringify(request)} differs by ${String(difference)}`);
      checked++;
    }
  });
  return checked;
}
