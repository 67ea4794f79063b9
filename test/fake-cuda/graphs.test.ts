/** Graphs of CUDA's runtime on a device that is none (see fake_device.h): what they hold, and which steps a device refuses. */
import { loadNative } from '../../src/libtorch/load';

const run = (step: string) => loadNative().runRecordedStep('cuda:0', step);

test('a step is not run while it is captured; a graph can follow another that is gone', async () => {
  expect(await run('sums')).toEqual([1, 2, 3, 1, 6, 9, 1, 6, 9, 1, 18, 27]);
});

test('memory of a graph that nothing wrote holds no values', async () => {
  expect(await run('what nothing wrote')).toEqual([1, 2, 3, ...Array<number>(9).fill(NaN)]);
});

test.each([
  ['a value', 'cudaStreamSynchronize is called while a stream is captured'],
  ['a copy to the host', 'a copy to the host waits while a stream is captured'],
  ['a copy from the host', 'a copy from the host waits while a stream is captured'],
  ['what is gone', 'work uses memory that was freed'],
])('a step that needs %s is refused, and another can be captured', async (step, reason) => {
  await expect(run(step)).rejects.toThrow(`fake CUDA: ${reason}`);
});
