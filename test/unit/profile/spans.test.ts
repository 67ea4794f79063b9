import { recordSpans, timed, timedSync } from '../../../src/profile/spans';

/** Until the event loop had nothing to do for a while: where other work takes the processor a timer may be due at once. */
async function idle(): Promise<void> {
  const before = performance.eventLoopUtilization();
  do await new Promise((resolve) => setTimeout(resolve, 5));
  while (performance.eventLoopUtilization(before).idle === 0);
}

test('spans nest, and idle time belongs to the innermost', async () => {
  const { spans, stop } = recordSpans();
  await timed('outer', async () => {
    await timed('inner', idle);
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
