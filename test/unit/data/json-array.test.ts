import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readJsonArray, startsWithArray } from '../../../src/data/json-array';

const folder = mkdtempSync(join(tmpdir(), 'zero-rl-array-'));
const written = (text: string): string => {
  const file = join(folder, 'array.json');
  writeFileSync(file, text);
  return file;
};
const read = async (text: string): Promise<unknown[]> => {
  const items: unknown[] = [];
  for await (const item of readJsonArray(written(text))) items.push(item);
  return items;
};

/** Whole numbers beyond 2^53 become text. */
const asText = (_: string, value: unknown): unknown =>
  Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(String(value)) ? String(value) : value;

test('any array comes out as JSON.parse has it, however it is laid out', async () => {
  const property = fc.asyncProperty(fc.array(fc.jsonValue()), fc.constantFrom(0, 2, '\t'), async (items, space) => {
    expect(await read(JSON.stringify(items, null, space))).toEqual(JSON.parse(JSON.stringify(items), asText));
  });
  await fc.assert(property, { numRuns: 50 });
});

test('items and characters may lie across the pieces that a file is read in', async () => {
  const items = Array.from({ length: 30 }, (_, i) => ({ text: `${'é"\\]{'.repeat(4000)}${i}`, list: [[i], {}] }));
  expect(await read(`\uFEFF \n${JSON.stringify(items)}\n`)).toEqual(items);
});

test.each(['[', '[1, 2', '[1,]', '[,1]', '[1 2]', '[1] 2', '[{"a":1}]]', '["a]', '[1}'])(
  'what is no JSON is an error: %s',
  async (text) => {
    await expect(read(text)).rejects.toThrow(SyntaxError);
  },
);

test('an array is told by its first character', () => {
  expect(startsWithArray(written('\uFEFF\n [1]'))).toBe(true);
  expect(startsWithArray(written('{"a":[1]}'))).toBe(false);
  expect(startsWithArray(join(folder, 'none.json'))).toBe(false);
});
