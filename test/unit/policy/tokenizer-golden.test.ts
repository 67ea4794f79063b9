/** Equality with the Rust tokenizers on 10,000 strings; the data comes from test/golden/tokenization.py. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Tokenizer } from '../../../src/policy/tokenizer';

const DATA = join(__dirname, '../../golden/data/tokenizers');
const FIXTURES = join(__dirname, '../../fixtures/tokenizers');

const lines = (file: string) => readFileSync(join(DATA, file), 'utf8').trimEnd().split('\n');
const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 6);

const texts = lines('strings.jsonl').map((line) => JSON.parse(line) as string);

test('there are 10,000 strings', () => {
  expect(texts).toHaveLength(10_000);
});

describe.each(['qwen2', 'llama3', 'smollm'])('%s', (name) => {
  const expected = lines(`${name}.txt`).map((line) => line.split(' '));
  let tokenizer: Tokenizer;

  beforeAll(async () => {
    tokenizer = (await Tokenizer.load(join(FIXTURES, name)))!;
  });

  test('encodes the first 300 strings to the ids of the Rust library', () => {
    for (let i = 0; i < 300; i += 1) {
      expect({ text: texts[i], ids: tokenizer.encode(texts[i]).join(',') }).toEqual({
        text: texts[i],
        ids: expected[i][3],
      });
    }
  });

  test('encodes and decodes all strings like the Rust library, whole and cut inside characters', () => {
    const different = texts.filter((text, i) => {
      const ids = tokenizer.encode(text);
      const got = [
        ids.join(','),
        tokenizer.decode(ids),
        tokenizer.decode(ids.subarray(1, -1), { skipSpecialTokens: true }),
      ].map(digest);
      return got.some((hash, part) => hash !== expected[i][part]);
    });
    expect(different).toEqual([]);
  });
});
