/**
 * What `zero-rl bench kernels` runs: the kernels at the shapes of two models, one that fits the caches (hidden 256,
 * intermediate 704, 4 and 2 heads of 64, vocabulary 256) and one that does not (896, 4864, 14 and 2, 151,936). Decoding
 * has 256 and 32 sequences, training 2048 and 256 tokens.
 */
import { invalidRange } from '../errors';
import { checkSizes } from './kernel-sizes';

/** `gemm:m=32,n=64,k=128` as a shape. @throws RangeError for a text of another form, an unknown kernel and wrong sizes */
export function parseShape(text: string): KernelShape {
  const [, kernel = '', list = ''] = /^(\w+):(.*)$/.exec(text) ?? [];
  const pairs = list.split(',').map((pair) => /^(\w+)=(\d+)$/.exec(pair.trim()));
  if (kernel === '' || pairs.some((pair) => pair === null))
    throw invalidRange('shape', 'a kernel and its sizes such as gemm:m=32,n=64,k=128', text);
  const sizes = Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', Number(pair?.[2])]));
  checkSizes(kernel, sizes);
  return { kernel, use: '', sizes };
}

export interface KernelShape {
  /** As native/bench/kernel_case.cc names it. */
  kernel: string;
  /** What it is in the decoder. */
  use: string;
  sizes: Record<string, number>;
}

const small = { heads: 4, kv_heads: 2, head_dim: 64 };
const large = { heads: 14, kv_heads: 2, head_dim: 64 };

export const kernelShapes: readonly KernelShape[] = [
  { kernel: 'packed_gemm', use: 'small decode gate|up', sizes: { m: 256, n: 1408, k: 256, swiglu: 1 } },
  { kernel: 'packed_gemm', use: 'small decode down', sizes: { m: 256, n: 256, k: 704, accumulate: 1 } },
  { kernel: 'packed_gemm', use: 'small train gate|up', sizes: { m: 2048, n: 1408, k: 256 } },
  { kernel: 'gemm', use: 'small train d(gate|up) input', sizes: { m: 2048, n: 256, k: 1408, layout: 1 } },
  { kernel: 'gemm', use: 'small train d(gate|up) weight', sizes: { m: 1408, n: 256, k: 2048, layout: 2 } },
  { kernel: 'packed_gemm', use: 'large decode gate|up', sizes: { m: 32, n: 9728, k: 896 } },
  { kernel: 'packed_gemm', use: 'large decode head', sizes: { m: 32, n: 151936, k: 896, float_out: 1 } },
  { kernel: 'packed_gemm', use: 'large train gate|up', sizes: { m: 256, n: 9728, k: 896 } },
  { kernel: 'gemm', use: 'large train d(gate|up) weight', sizes: { m: 9728, n: 896, k: 256, layout: 2 } },
  { kernel: 'rms_norm', use: 'small decode', sizes: { outer: 256, dim: 256 } },
  { kernel: 'rms_norm', use: 'large train', sizes: { outer: 256, dim: 896 } },
  { kernel: 'rms_norm_backward', use: 'small train', sizes: { outer: 2048, dim: 256 } },
  { kernel: 'rope', use: 'small decode', sizes: { tokens: 256, heads: 6, head_dim: 64, width: 512 } },
  { kernel: 'rope', use: 'large train', sizes: { tokens: 256, heads: 16, head_dim: 64, width: 1152 } },
  { kernel: 'swiglu_backward', use: 'small train', sizes: { tokens: 2048, width: 704 } },
  { kernel: 'swiglu_backward', use: 'large train', sizes: { tokens: 256, width: 4864 } },
  { kernel: 'column_sums', use: 'small train', sizes: { rows: 2048, width: 512 } },
  { kernel: 'attention', use: 'small train', sizes: { sequences: 12, length: 160, ...small } },
  { kernel: 'attention', use: 'large train', sizes: { sequences: 1, length: 256, ...large } },
  { kernel: 'attention_backward', use: 'small train', sizes: { sequences: 12, length: 160, ...small } },
  { kernel: 'attention_backward', use: 'large train', sizes: { sequences: 1, length: 256, ...large } },
  { kernel: 'paged_decode_attention', use: 'small', sizes: { batch: 256, group: 8, prefix: 32, suffix: 64, ...small } },
  { kernel: 'paged_decode_attention', use: 'large', sizes: { batch: 32, group: 8, prefix: 64, suffix: 32, ...large } },
  {
    kernel: 'paged_decode_attention',
    use: 'large, long',
    sizes: { batch: 4, group: 1, prefix: 64, suffix: 2048, ...large },
  },
  { kernel: 'store_pages', use: 'large', sizes: { length: 256, ...large } },
  { kernel: 'softmax', use: 'small', sizes: { rows: 2048, vocab: 256 } },
  { kernel: 'softmax', use: 'large', sizes: { rows: 55, vocab: 151936 } },
  { kernel: 'log_prob_gradient', use: 'small', sizes: { rows: 2048, vocab: 256 } },
  { kernel: 'log_prob_gradient', use: 'large', sizes: { rows: 55, vocab: 151936 } },
  { kernel: 'entropy_gradient', use: 'small', sizes: { rows: 2048, vocab: 256 } },
  { kernel: 'entropy_gradient', use: 'large', sizes: { rows: 55, vocab: 151936 } },
  { kernel: 'sampler', use: 'small', sizes: { rows: 256, vocab: 256 } },
  { kernel: 'sampler', use: 'large', sizes: { rows: 32, vocab: 151936 } },
  { kernel: 'sampler', use: 'large, top-p 0.9', sizes: { rows: 4, vocab: 151936, top_p: 900 } },
  { kernel: 'embedding', use: 'small', sizes: { count: 2048, width: 256, vocab: 256 } },
  { kernel: 'embedding', use: 'large', sizes: { count: 256, width: 896, vocab: 20000 } },
  { kernel: 'embedding_backward', use: 'small', sizes: { count: 2048, width: 256, vocab: 256 } },
  { kernel: 'adamw', use: 'small', sizes: { count: 4_500_000 } },
  { kernel: 'adamw', use: 'large', sizes: { count: 40_000_000 } },
  { kernel: 'squared_norm', use: 'small', sizes: { count: 4_500_000 } },
];
