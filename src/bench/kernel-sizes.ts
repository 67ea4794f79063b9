/** The sizes by which a case of a kernel is described, and what is wrong with those given. */
import { invalidRange } from '../errors';
import type { Dtype } from '../policy/types';

interface KernelSizes {
  needs: readonly string[];
  takes?: readonly string[];
  /** Default both. */
  dtypes?: readonly Dtype[];
}

const product = ['m', 'n', 'k'];
const epilogue = ['bias', 'accumulate', 'float_out'];
const heads = ['heads', 'kv_heads', 'head_dim'];
const packed = { needs: ['sequences', 'length', ...heads], takes: ['prefix', 'ragged'] };
const logits = ['rows', 'vocab'];
/** The kernel has one form for both compute dtypes. */
const dtypes = ['float32'] as const;

/** As native/bench/cases_*.cc read them. */
export const kernelSizes: Readonly<Record<string, KernelSizes>> = {
  gemm: { needs: product, takes: [...epilogue, 'layout'] },
  packed_gemm: { needs: product, takes: [...epilogue, 'swiglu'] },
  rms_norm: { needs: ['outer', 'dim'], takes: ['inner', 'padding'] },
  rms_norm_backward: { needs: ['outer', 'dim'], takes: ['inner', 'accumulate'] },
  rope: { needs: ['tokens', 'heads', 'head_dim'], takes: ['width', 'positions', 'backward'] },
  swiglu_backward: { needs: ['tokens', 'width'] },
  column_sums: { needs: ['rows', 'width'] },
  attention: { ...packed, takes: [...packed.takes, 'context'] },
  attention_backward: packed,
  one_thread_attention: packed,
  paged_decode_attention: { needs: ['batch', 'group', 'prefix', 'suffix', ...heads], takes: ['ragged', 'idle'] },
  store_pages: { needs: ['length', ...heads] },
  cached_attention: { needs: ['length', 'chunk', 'decoded', ...heads] },
  softmax: { needs: logits, dtypes },
  log_prob_gradient: { needs: logits, takes: ['in_place'] },
  entropy_gradient: { needs: logits, takes: ['in_place'] },
  sampler: { needs: logits, takes: ['top_p', 'top_k', 'min_p'], dtypes },
  embedding: { needs: ['count', 'width', 'vocab'] },
  embedding_backward: { needs: ['count', 'width', 'vocab'], takes: ['narrow'] },
  adamw: { needs: ['count'], takes: ['step', 'decay', 'scale', 'masters'] },
  squared_norm: { needs: ['count'], dtypes },
};

/** Sizes that may be 0. */
const MAY_BE_ZERO = ['prefix', 'suffix'];

/** Compute dtypes in which a kernel has a form of its own. */
export function dtypesOf(kernel: string): readonly Dtype[] {
  return kernelSizes[kernel].dtypes ?? ['float32', 'bfloat16'];
}

/**
 * Checks a kernel's name and sizes.
 * @throws RangeError for an unknown kernel, and for sizes that are missing, unknown or 0
 */
export function checkSizes(kernel: string, sizes: Readonly<Record<string, number>>): void {
  if (!Object.hasOwn(kernelSizes, kernel))
    throw invalidRange('the kernel of shape', `one of ${Object.keys(kernelSizes).join(', ')}`, kernel);
  const { needs, takes = [] } = kernelSizes[kernel];
  const missing = needs.filter((name) => !Object.hasOwn(sizes, name));
  if (missing.length > 0)
    throw invalidRange(`the sizes of ${kernel}`, `${missing.join(', ')} too`, Object.keys(sizes).join(', '));
  for (const [name, value] of Object.entries(sizes)) {
    if (!needs.includes(name) && !takes.includes(name))
      throw invalidRange(`a size of ${kernel}`, `one of ${[...needs, ...takes].join(', ')}`, name);
    if (value === 0 && needs.includes(name) && !MAY_BE_ZERO.includes(name))
      throw invalidRange(`${name} of ${kernel}`, 'integer of at least 1', value);
  }
}
