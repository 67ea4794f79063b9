/** What is compared: the workloads, and the settings among which each side's best is looked for. */

/** `quick` replaces sizes; tuning uses those too, so that a bad setting costs little. */
export const rows = [
  {
    name: 'small/sample',
    model: 'small',
    workload: { task: 'sample', batch: 256, group: 8, prompt: 32, tokens: 128 },
    quick: { batch: 64, tokens: 32 },
  },
  {
    name: 'small/logprobs',
    model: 'small',
    workload: { task: 'logprobs', batch: 256, group: 8, prompt: 32, tokens: 128 },
    quick: { batch: 64 },
  },
  {
    name: 'small/step',
    model: 'small',
    workload: { task: 'step', batch: 64, group: 8, prompt: 32, tokens: 128 },
    quick: { batch: 16 },
  },
  {
    name: 'large/sample',
    model: 'large',
    workload: { task: 'sample', batch: 32, group: 8, prompt: 64, tokens: 64 },
    quick: { batch: 8, group: 4, prompt: 16, tokens: 6 },
  },
  {
    name: 'large/logprobs',
    model: 'large',
    workload: { task: 'logprobs', batch: 8, group: 8, prompt: 64, tokens: 192 },
    quick: { batch: 2, group: 2, prompt: 16, tokens: 48 },
  },
  {
    name: 'large/step',
    model: 'large',
    workload: { task: 'step', batch: 4, group: 4, prompt: 64, tokens: 192 },
    quick: { batch: 2, group: 2, prompt: 16, tokens: 48 },
  },
];

/** Tokens that a run is credited with, the same for every side. */
export function creditedTokens({ task, batch, prompt, tokens }) {
  return batch * (task === 'sample' ? tokens : prompt + tokens);
}

const dtypes = ['float32', 'bfloat16'];
// OpenMP's threads spin at barriers unless told otherwise: better on an idle machine, ruinous on one that is not.
const spins = [{ GOMP_SPINCOUNT: '1000' }, {}];

function transformersCandidates({ task, batch }) {
  const base = { dtype: 'float32', attention: 'sdpa', chunk: batch, cache: 'dynamic', environment: spins[0] };
  const micro = [4, 16, 64].filter((chunk) => chunk < batch);
  const variants = {
    sample: [{ attention: 'eager' }, { cache: 'static' }],
    logprobs: micro.map((chunk) => ({ chunk })),
    step: micro.map((chunk) => ({ chunk })),
  }[task];
  return { first: dtypes.map((dtype) => ({ ...base, dtype })), then: [...variants, { environment: spins[1] }] };
}

function llamaCandidates() {
  const base = { type: 'f32', flashAttention: true, cacheType: 'F16', environment: { UV_THREADPOOL_SIZE: '1' } };
  return {
    first: ['f32', 'f16', 'bf16'].map((type) => ({ ...base, type })),
    then: [{ flashAttention: false }, { cacheType: 'F32' }],
  };
}

/**
 * Settings to try on a side: the best of `first`, then each change of `then` that makes it better. Settings that change
 * the model (quantised weights) are none.
 */
export function candidates(side, workload) {
  if (side === 'zero-rl') return { first: dtypes.map((dtype) => ({ dtype, environment: {} })), then: [] };
  return side === 'transformers' ? transformersCandidates(workload) : llamaCandidates();
}
