/** What of the page needs no browser. */
import { charts } from '../../../../src/observe/dashboard/charts';
import { dashes } from '../../../../src/observe/dashboard/page/dashes';
import { ordered } from '../../../../src/observe/dashboard/page/event-order';
import type { EventRow } from '../../../../src/observe/dashboard/protocol';

const event = (run: string, time: string | null, step: number, message: string): EventRow => {
  return { run, time, step, type: 'warning', message, rule: null, file: null };
};

test('every series of a chart has dashes of its own', () => {
  expect(Math.max(...charts.map(({ series }) => series.length))).toBeLessThanOrEqual(dashes.length);
  expect(new Set(dashes.map((dash) => dash.join())).size).toBe(dashes.length);
});

test('events come newest first, those of one millisecond against the order of the file, those without a time last', () => {
  const rows = [
    event('a', '2026-01-01T00:00:00.001Z', 4, 'alarm'),
    event('a', '2026-01-01T00:00:00.002Z', 5, 'rollback'),
    event('a', '2026-01-01T00:00:00.002Z', 3, 'going on'),
    event('a', null, 1, 'early'),
    event('a', null, 2, 'late'),
    event('b', '2026-01-01T00:00:00.003Z', 1, 'other'),
  ];
  const messages = ordered(rows).map(({ message }) => message);
  expect(messages).toEqual(['other', 'going on', 'rollback', 'alarm', 'late', 'early']);
});
