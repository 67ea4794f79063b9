import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJsonLines, type JsonLine, type JsonLinesOptions } from '../../../src/data/jsonl';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'zero-rl-jsonl-'))));
afterAll(() => rmSync(folder, { recursive: true }));

async function read(content: string | Buffer, options?: JsonLinesOptions): Promise<JsonLine[]> {
  const file = join(folder, 'data.jsonl');
  writeFileSync(file, content);
  const lines: JsonLine[] = [];
  for await (const line of readJsonLines(file, options)) lines.push(line);
  return lines;
}
const shown = (lines: JsonLine[]) =>
  lines.map(({ line, value, error }) => [line, error === undefined ? value : error.code]);

test('objects with their line numbers; blank lines count but give nothing', async () => {
  expect(shown(await read('{"a":1}\n\n  \n{"a":2}\n'))).toEqual([
    [1, { a: 1 }],
    [4, { a: 2 }],
  ]);
});

test('a byte order mark, CRLF, text beyond ASCII and a last line without its end', async () => {
  expect(shown(await read('\uFEFF{"a":"é😀"}\r\n{"b":"x"}'))).toEqual([
    [1, { a: 'é😀' }],
    [2, { b: 'x' }],
  ]);
});

test('an empty file has no lines', async () => expect(await read('')).toEqual([]));

test('bad lines are errors in their place and reading goes on', async () => {
  const content = Buffer.concat([
    Buffer.from('{"a":1}\n{"a":\n[1]\n"text"\nnull\n{"a":"'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('"}\n{"a":2}\n'),
  ]);
  const lines = await read(content);
  const bad = 'ERR_ZERO_RL_DATA';
  expect(shown(lines)).toEqual([
    [1, { a: 1 }],
    [2, bad],
    [3, bad],
    [4, bad],
    [5, bad],
    [6, bad],
    [7, { a: 2 }],
  ]);
  expect(lines[2].error?.message).toMatch(/^Line 3 of .*data\.jsonl cannot be used: .*array/);
  expect(lines[5].error?.message).toContain('UTF-8');
});

test('a line over the limit is skipped without being kept; one at the limit is read', async () => {
  const fits = JSON.stringify({ a: 'x'.repeat(1000) });
  const lines = await read(`${fits}\n${JSON.stringify({ a: 'x'.repeat(1001) })}\n{"b":1}\n`, {
    maxLineBytes: fits.length,
  });
  expect(lines.map(({ line, error }) => [line, error === undefined])).toEqual([
    [1, true],
    [2, false],
    [3, true],
  ]);
  expect(lines[1].error?.message).toContain(`longer than ${fits.length} bytes`);
});

test('lines that cross the chunks of the stream are whole', async () => {
  const objects = Array.from({ length: 40 }, (_, i) => ({ i, text: 'é'.repeat(i * 1571) }));
  const lines = await read(objects.map((value) => JSON.stringify(value)).join('\n'));
  expect(lines.map(({ value }) => value)).toEqual(objects);
});

test('a file that cannot be read is one error that says why', async () => {
  const first = (path: string) => readJsonLines(path).next();
  await expect(first(join(folder, 'absent.jsonl'))).rejects.toMatchObject({
    code: 'ERR_ZERO_RL_DATA',
    message: expect.stringMatching(/absent\.jsonl cannot be read: there is no such file/) as string,
  });
  await expect(first(folder)).rejects.toMatchObject({ code: 'ERR_ZERO_RL_DATA' });
});
