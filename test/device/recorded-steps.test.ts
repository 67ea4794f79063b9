/** Graphs where the operators of devices run on the CPU: what they replay, and which steps they refuse. */
import { loadNative } from '../../src/libtorch/load';

const run = (step: string) => loadNative().runRecordedStep('cpu', step);

test('a step is not run while it is recorded, and each replay works on the values that are there', async () => {
  expect(await run('sums')).toEqual([1, 2, 3, 1, 6, 9, 1, 6, 9, 1, 18, 27]);
});

test('memory that a step makes holds nothing of a replay before', async () => {
  expect(await run('what nothing wrote')).toEqual([1, 2, 3, ...Array<number>(9).fill(NaN)]);
});

test.each([
  ['a value', 'aten::item'],
  ['a copy to the host', 'aten::to'],
])('a step that needs %s is refused', async (step, operator) => {
  await expect(run(step)).rejects.toThrow(new RegExp(`Expected a step .* ${operator}`));
});

test.each(['a copy from the host', 'what is gone'])('a step that needs %s does not run again', async (step) => {
  await expect(run(step)).rejects.toThrow('is gone');
});
