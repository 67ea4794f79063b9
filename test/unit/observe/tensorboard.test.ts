import { appendFileSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventLog, eventFiles } from '../../../src/observe/tensorboard/event-log';
import { readEventHead, scalarsEvent, sessionStartEvent, versionEvent } from '../../../src/observe/tensorboard/events';
import { crc32c, frameRecord, readRecords } from '../../../src/observe/tensorboard/records';
import type { MetricsRow } from '../../../src/training/run-folder';

interface Golden {
  version: string;
  start: string;
  scalars: string;
}
const golden = JSON.parse(
  readFileSync(join(__dirname, '..', '..', 'golden', 'data', 'event-records.json'), 'utf8'),
) as Golden;

test("records have the bytes of TensorBoard's own writer", () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(frameRecord(versionEvent(1764264000.5)).toString('hex')).toBe(golden.version);
  expect(frameRecord(sessionStartEvent(1764264001.25, 300)).toString('hex')).toBe(golden.start);
  const scalars = [
    { name: 'train/rewardMean', value: -0.25 },
    { name: 'evaluation/pass@4', value: 0.5 },
    { name: 'seconds/näher', value: NaN },
  ];
  expect(frameRecord(scalarsEvent(1764264002, 70000, scalars)).toString('hex')).toBe(golden.scalars);
});

test('reading ends at a torn record and at a damaged one', () => {
  const records = [Buffer.from('one'), Buffer.from('two')].map(frameRecord);
  const whole = Buffer.concat(records);
  const read = (bytes: Buffer): string[] => [...readRecords(bytes)].map(({ data }) => data.toString());
  expect(read(whole)).toEqual(['one', 'two']);
  for (let end = records[0].length; end < whole.length; end++) expect(read(whole.subarray(0, end))).toEqual(['one']);
  const damaged = Buffer.from(whole);
  damaged[records[0].length + 13] ^= 1;
  expect(read(damaged)).toEqual(['one']);
});

const row = (step: number): MetricsRow => ({ step, rewardMean: step / 10 }) as MetricsRow;
const rows = (last: number): MetricsRow[] => Array.from({ length: last }, (_, i) => row(i + 1));

function steps(folder: string): number[] {
  return eventFiles(folder).flatMap((name) =>
    [...readRecords(readFileSync(join(folder, name)))].flatMap(({ data }) => {
      const { step, summary } = readEventHead(data);
      return summary ? [step] : [];
    }),
  );
}

async function session(folder: string, behind: number, last: number): Promise<void> {
  const log = await EventLog.open(folder, rows(behind));
  for (let step = behind + 1; step <= last; step++) await log.write(row(step));
}

test.each([
  ['cleanly', 4, () => undefined],
  ['ahead of its checkpoint', 2, () => undefined],
  ['within a record', 4, (file: string) => truncateSync(file, readFileSync(file).length - 5)],
  ['before it wrote a step that metrics.jsonl has', 6, () => undefined],
  ['before its first checkpoint', 0, () => undefined],
  ['with rubbish at the end', 4, (file: string) => appendFileSync(file, 'rubbish')],
])('a run that ended %s goes on without doubles and gaps', async (_, behind, damage) => {
  const folder = mkdtempSync(join(tmpdir(), 'zero-rl-events-'));
  await session(folder, 0, 4);
  damage(join(folder, eventFiles(folder)[0]));
  await session(folder, behind, 8);
  expect(steps(folder).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  await session(folder, 8, 9);
  expect(steps(folder)).toHaveLength(9);
});

test('files sort in the order of their sessions', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zero-rl-events-'));
  writeFileSync(join(folder, 'events.out.tfevents.9999999990.elsewhere.1.0'), frameRecord(scalarsEvent(1, 1, [])));
  await session(folder, 1, 2);
  expect(eventFiles(folder).map((name) => name.split('.')[3])).toEqual(['9999999990', '9999999991']);
});
