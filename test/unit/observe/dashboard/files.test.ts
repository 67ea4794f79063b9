/** Files that grow, are replaced, or are not what they should be. */
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MetricTable } from '../../../../src/observe/dashboard/metric-table';
import { readLines } from '../../../../src/observe/dashboard/read-lines';
import { RolloutIndex } from '../../../../src/observe/dashboard/rollout-index';
import { findRollout, listRollouts, rolloutQuery } from '../../../../src/observe/dashboard/rollout-query';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'dashboard-files-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const line = (row: object): string => `${JSON.stringify(row)}\n`;

test('lines are given once they are whole, also those longer than a chunk and with characters across its border', async () => {
  const file = join(folder, 'lines');
  const long = 'é'.repeat(2 ** 20);
  writeFileSync(file, `a\n${long}\n\nhalf`);
  const lines: string[] = [];
  const places: [number, number][] = [];
  const read = (from: number, last = false) =>
    readLines(file, from, (text, offset, bytes) => void (lines.push(text), places.push([offset, bytes])), { last });
  const offset = await read(0);
  expect(lines).toEqual(['a', long]);
  expect(places).toEqual([
    [0, 1],
    [2, 2 ** 21],
  ]);
  appendFileSync(file, ' and the rest\n');
  await read(offset);
  expect(lines[2]).toBe('half and the rest');
});

test('metrics are followed by offset, torn lines are counted, and a file put in the place of the old one is read anew', async () => {
  const file = join(folder, 'metrics.jsonl');
  const table = new MetricTable(file);
  await table.update();
  expect(table.count).toBe(0);
  writeFileSync(
    file,
    line({ step: 1, rewardMean: 0.5, seconds: { total: 2 }, sampledTokens: 10 }) + 'torn\n{"step":2,',
  );
  await table.update();
  expect([...table.column('rewardMean')!]).toEqual([0.5]);
  expect(table.damaged).toBe(1);
  appendFileSync(file, '"rewardMean":1,"seconds":{"total":3},"sampledTokens":20}\n');
  await table.update();
  expect([...table.column('#time')!]).toEqual([2, 5]);
  expect([...table.column('#tokens')!]).toEqual([10, 30]);
  writeFileSync(`${file}.new`, line({ step: 1, rewardMean: 7 }));
  renameSync(`${file}.new`, file);
  await table.update();
  expect([...table.column('rewardMean')!]).toEqual([7]);
  expect(table.column('#time')).toHaveLength(1);
});

test('columns grow past their first size, have gaps where a row has no value, and a step written again replaces later ones', async () => {
  const file = join(folder, 'metrics.jsonl');
  const rows = Array.from({ length: 1000 }, (_, i) =>
    line({ step: i, ...(i % 10 ? {} : { evaluation: { accuracy: i } }) }),
  );
  writeFileSync(file, rows.join('') + line({ step: 500, evaluation: { accuracy: -1 } }));
  const table = new MetricTable(file);
  await table.update();
  expect(table.count).toBe(501);
  const accuracy = table.column('evaluation.accuracy')!;
  expect([accuracy[490], accuracy[491], accuracy[500]]).toEqual([490, NaN, -1]);
});

const row = (step: number, uid: number, sample: number, more: object = {}) =>
  line({
    step,
    uid,
    sample,
    id: `p${uid}`,
    prompt: 'Q',
    completion: `<b>${sample}`,
    reward: sample,
    length: 10 * sample,
    correct: sample > 1,
    finishReason: 'stop',
    ...more,
  });

test('rollouts are found by reward, length, end, verdict, spread and text, and read back whole with their group', async () => {
  const path = join(folder, 'rollouts');
  mkdirSync(path);
  writeFileSync(join(path, 'step-000001.jsonl'), [0, 1, 2].map((sample) => row(1, 5, sample)).join('') + 'torn\n[1]\n');
  const same = [0, 1].map((sample) => row(2, 6, sample, { reward: 1, finishReason: 'length', completion: 'Straße' }));
  writeFileSync(join(path, 'step-000002.jsonl'), same.join('') + row(2, 7, 0, { reward: null }));
  const index = new RolloutIndex(path);
  await index.update();
  expect(index.damaged).toBe(2);
  const found = async (query: object): Promise<string[]> => {
    const { rows } = await listRollouts(index, rolloutQuery.parse({ sort: 'oldest', ...query }));
    return rows.map(({ step, id, sample }) => `${step} ${id} ${sample}`);
  };
  expect(await found({})).toHaveLength(6);
  expect(await found({ minReward: 2 })).toEqual(['1 p5 2']);
  expect(await found({ maxReward: 0 })).toEqual(['1 p5 0']);
  expect(await found({ minLength: 10, maxLength: 10, finish: 'stop' })).toEqual(['1 p5 1']);
  expect(await found({ spread: 'no', finish: 'length' })).toEqual(['2 p6 0', '2 p6 1']);
  expect(await found({ spread: 'yes', verdict: 'wrong' })).toEqual(['1 p5 0', '1 p5 1']);
  expect(await found({ text: 'STRASSE' })).toEqual([]);
  expect(await found({ text: 'STRAß' })).toEqual(['2 p6 0', '2 p6 1']);
  expect((await found({ sort: 'reward' })).at(-1)).toBe('2 p7 0');
  expect(await found({ step: 2, limit: 1, offset: 1 })).toEqual(['2 p6 1']);
  const detail = await findRollout(index, { step: 1, id: 'p5', sample: 1 });
  expect(detail?.row).toMatchObject({ completion: '<b>1' });
  expect(detail?.group.map(({ sample }) => sample)).toEqual([0, 1, 2]);
  expect(await findRollout(index, { step: 2, id: 'p5', sample: 1 })).toBeNull();
  expect(await findRollout(index, { step: 1, id: 'p5', sample: 1, group: 6 })).toBeNull();
  writeFileSync(join(path, 'step-000003.jsonl'), row(3, 8, 0));
  await index.update();
  expect(index.count).toBe(7);
  rmSync(join(path, 'step-000002.jsonl'));
  await index.update();
  expect(index.count).toBe(4);
});

test('rows are read back in the order asked for, in stretches or alone; what a cut file no longer has is null', async () => {
  const path = join(folder, 'rollouts');
  mkdirSync(path);
  const completions = Array.from({ length: 40 }, (_, i) => `${i} é`.repeat(1 + (i % 3)));
  const file = join(path, 'step-000001.jsonl');
  const lines = completions.map((completion, i) => row(1, i, 0, { completion }));
  writeFileSync(file, lines.join(''));
  writeFileSync(join(path, 'step-000002.jsonl'), row(2, 0, 0, { completion: 'second' }));
  const index = new RolloutIndex(path);
  await index.update();
  const read = async (places: number[]) => (await index.rows(places)).map((found) => found?.completion ?? null);
  const places = [40, 0, 1, 2, 4, 30, 29, 39, 39, 40];
  expect(await read(places)).toEqual(places.map((place) => completions[place] ?? 'second'));
  expect((await listRollouts(index, rolloutQuery.parse({ text: '39 É' }))).total).toBe(1);
  writeFileSync(file, lines.slice(0, 2).join(''));
  expect(await read([1, 2, 3, 40])).toEqual([completions[1], null, null, 'second']);
});
