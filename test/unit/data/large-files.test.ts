/** Files of many rows, of large row groups and of wide columns: what is read of them, and that all of it arrives. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadProblems, type Problem } from '../../../src/data/dataset';
import { writeParquet } from '../../../src/export/parquet-file';
import { greatest, least } from '../../../src/extremes';

const folder = mkdtempSync(join(tmpdir(), 'zero-rl-large-'));
afterAll(() => rmSync(folder, { recursive: true }));

const load = async (source: string): Promise<Problem[]> =>
  (await loadProblems([{ source }], { count: 1, split: 'train', wholeRows: false })).problems;

/** Bytes that this process has read from files. */
const bytesRead = (): number => Number(/^rchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);

async function parquet(name: string, rows: number, wide: number): Promise<string> {
  const file = join(folder, name);
  const indices = Array.from({ length: rows }, (_, i) => i);
  const columns = [
    { name: 'question', type: 'STRING', value: (i: number) => `What is ${i}?` },
    { name: 'answer', type: 'INT64', value: (i: number) => i },
    { name: 'trace', type: 'STRING', value: () => randomBytes(wide).toString('base64') },
  ] as const;
  await writeParquet(file, columns, indices);
  return file;
}

test('more rows than a call takes arguments', async () => {
  const rows = Array.from({ length: 130_000 }, (_, i) => `{"problem":"p${i}","answer":${i}}`);
  const lines = join(folder, 'rows.jsonl');
  writeFileSync(lines, rows.join('\n'));
  const problems = await load(lines);
  expect(problems).toHaveLength(rows.length);
  expect(problems.at(-1)).toMatchObject({ problem: 'p129999', answer: '129999' });
});

test('a large row group is read once', async () => {
  const file = await parquet('group.parquet', 40_000, 0);
  await load(file);
  const before = bytesRead();
  expect((await load(file)).map(({ answer }) => Number(answer))).toEqual(Array.from({ length: 40_000 }, (_, i) => i));
  expect(bytesRead() - before).toBeLessThan(3 * statSync(file).size);
});

test('wide columns that are not used are not read', async () => {
  const file = await parquet('wide.parquet', 400, 20_000);
  expect(statSync(file).size).toBeGreaterThan(8_000_000);
  await load(await parquet('first.parquet', 1, 0));
  const before = bytesRead();
  expect(await load(file)).toHaveLength(400);
  expect(bytesRead() - before).toBeLessThan(statSync(file).size / 4);
});

test('least and greatest of more numbers than a call takes arguments', () => {
  const values = Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 300_007);
  expect([least(values), greatest(values), least([]), greatest([], 0)]).toEqual([0, 300_006, Infinity, 0]);
});
