import { bandCurve, smooth, type Curve } from '../../../../src/observe/dashboard/curves';
import { downsample } from '../../../../src/observe/dashboard/downsample';

const curve = (x: number[], y: number[]): Curve & { step: Float64Array } => {
  const xs = Float64Array.from(x);
  return { x: xs, step: xs, y: Float64Array.from(y) };
};

test('smoothing begins at the first value, keeps a constant and follows a jump', () => {
  expect([...smooth(Float64Array.of(3, 3, 3), 0.9)]).toEqual(
    [3, 3, 3].map((value) => expect.closeTo(value, 12) as number),
  );
  const [first, second] = smooth(Float64Array.of(0, 1), 0.5);
  expect(first).toBe(0);
  expect(second).toBeCloseTo(0.5 / 0.75, 12);
});

test('a band is the mean and the range of the seeds that have the step', () => {
  const band = bandCurve([curve([1, 2, 3], [0, 2, 4]), curve([1, 3], [2, 8])]);
  expect([...band.x]).toEqual([1, 2, 3]);
  expect([...band.y]).toEqual([1, 2, 6]);
  expect([...band.low!]).toEqual([0, 2, 4]);
  expect([...band.high!]).toEqual([2, 2, 8]);
});

test('few points stay as they are, on the union of x', () => {
  const { x, curves } = downsample([curve([1, 2], [5, 6]), curve([2, 3], [7, 8])], 1, 3, 100);
  expect(x).toEqual([1, 2, 3]);
  expect(curves.map(({ y }) => y)).toEqual([
    [5, 6, null],
    [null, 7, 8],
  ]);
});

test('many points keep every spike, in the order of x, within twice the pixels', () => {
  const n = 100_000;
  const y = Array.from({ length: n }, (_, i) => (i === 77_777 ? 1e6 : i === 12_345 ? -1e6 : Math.sin(i)));
  const sampled = downsample(
    [
      curve(
        Array.from({ length: n }, (_, i) => i),
        y,
      ),
    ],
    0,
    n - 1,
    300,
  );
  expect(sampled.x).toHaveLength(600);
  expect(sampled.x).toEqual([...sampled.x].sort((a, b) => a - b));
  expect(sampled.curves[0].y).toEqual(expect.arrayContaining([1e6, -1e6]));
  expect(sampled.curves[0].y.indexOf(-1e6)).toBeLessThan(sampled.curves[0].y.indexOf(1e6));
});

test('a range gets its points and one beyond each end', () => {
  const { x } = downsample([curve([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6])], 3, 4, 100);
  expect(x).toEqual([2, 3, 4, 5]);
});
