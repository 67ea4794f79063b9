/** What the engine records while a profile is taken. */
import type { NativeKernelTotal } from '../../binding/native';
import { kernelShapes } from '../../src/bench/kernel-list';
import { loadNative } from '../../src/libtorch/load';
import { createTinyPolicy } from '../support/tiny-policy';

const native = loadNative();
const { profile } = native;
const prompts = [Int32Array.of(1, 2, 3), Int32Array.of(4, 5)];

async function record(work: () => Promise<unknown>, kernelsPerJob = 1000) {
  profile.start(kernelsPerJob);
  await work();
  profile.stop();
  const { kernels } = await profile.totals();
  return { threads: profile.drain(), kernels };
}

test('sections and kernels of sampling and training, and nothing when off', async () => {
  using policy = await createTinyPolicy({ endTokens: [1] });
  const sample = () => policy.sample(prompts, { n: 3, maxTokens: 6, stopTokens: [] });
  const { threads, kernels } = await record(async () => {
    const rollouts = await sample();
    await policy.step(
      rollouts.map(({ prompt, tokens }) => ({
        tokens: Int32Array.from([...prompts[prompt], ...tokens]),
        promptLength: prompts[prompt].length,
        advantages: 1,
      })),
      { learningRate: 1e-3 },
    );
  });
  const sections = new Set(
    threads.flatMap(({ events }) =>
      Array.from({ length: events.length / 7 }, (_, i) => i * 7).flatMap((at) =>
        events[at] === 0 ? [profile.sections[events[at + 1]]] : [],
      ),
    ),
  );
  for (const name of [
    'engine',
    'sample',
    'prefill',
    'decode step',
    'draw',
    'step',
    'forward',
    'head',
    'backward',
    'optimizer',
  ])
    expect(sections).toContain(name);
  const calls = (kernel: string, section: string): number =>
    kernels.filter((row) => row.kernel === kernel && row.section === section).reduce((sum, row) => sum + row.calls, 0);
  expect(calls('adamw', 'optimizer')).toBe(1);
  expect(calls('attention_backward', 'backward')).toBeGreaterThan(0);
  expect(calls('paged_decode_attention', 'decode layers')).toBeGreaterThan(0);

  await sample();
  expect(profile.drain().flatMap(({ events }) => [...events])).toEqual([]);
  expect((await profile.totals()).kernels).toEqual(kernels);
});

test('each job fills the trace with no more kernels than asked for; the sums count all', async () => {
  using policy = await createTinyPolicy({ endTokens: [1] });
  const { threads, kernels } = await record(
    () => policy.logProbs([{ tokens: Int32Array.of(1, 2, 3), promptLength: 1 }]),
    3,
  );
  const traced = threads.map(({ events }) => events.filter((value, i) => i % 7 === 0 && value === 1).length);
  expect(Math.max(...traced)).toBe(3);
  expect(kernels.reduce((sum, { calls }) => sum + calls, 0)).toBeGreaterThan(3);
});

/** Rows of a table that several tokens share: the benchmark counts them once, which arguments do not tell. */
const apart = new Set(['embedding_backward', 'rope', 'sampler']);

test.each(
  kernelShapes
    .filter(({ kernel, sizes }) => !apart.has(kernel) && !('vocab' in sizes && sizes.vocab > 1000))
    .filter(({ sizes: { m = 1, n = 1, k = 1, count = 1 } }) => m * n * k < 1e9 && count < 1e7)
    .map(({ kernel, use, sizes }) => [kernel, use, sizes] as const),
)('%s (%s): bytes and FLOPs from the arguments are those of the benchmark', async (kernel, _, sizes) => {
  for (const dtype of ['float32', 'bfloat16'] as const) {
    let run: { bytes: number; flops: number } = { bytes: 0, flops: 0 };
    const request = { kernel, dtype, sizes, seed: 1, threads: 1, samples: 0, seconds: 0, compare: true };
    const { kernels } = await record(async () => (run = await native.runKernel(request)));
    const total = kernels.find((row: NativeKernelTotal) => row.kernel === kernel) as NativeKernelTotal;
    expect(total.bytes / total.calls).toBeCloseTo(run.bytes, -1);
    expect(total.flops / total.calls).toBeCloseTo(run.flops, -1);
  }
});
