import { recordSpans, timed, timedSync } from '../../../src/profile/spans';

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

test('spans nest, and idle time belongs to the innermost', async () => {
  const { spans, stop } = recordSpans();
  await timed('outer', async () => {
    await timed('inner', () => pause(30));
    timedSync('busy', () => undefined);
  });
  await expect(timed('failing', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  stop();
  await timed('later', () => undefined);
  expect(spans.map(({ name }) => name)).toEqual(['inner', 'busy', 'outer', 'failing']);
  const [inner, , outer] = spans;
  expect(outer.start).toBeLessThanOrEqual(inner.start);
  expect(outer.end).toBeGreaterThanOrEqual(inner.end);
  expect(inner.idle).toBeGreaterThan(outer.idle);
});
