import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { JsonObject } from '../../../src/json-object';
import { readJsonObject } from '../../../src/policy/checkpoint-file';
import { tokenBytes } from '../../../src/policy/token-bytes';
import { Tokenizer } from '../../../src/policy/tokenizer';
import { foldCase } from '../../../src/policy/tokenizer-rules';
import { expectFailure, useTemporaryFolder } from './model-folder';

const FIXTURES = join(__dirname, '../../fixtures/tokenizers');
const folder = useTemporaryFolder();
const load = async (name: string) => (await Tokenizer.load(join(FIXTURES, name)))!;
const source = async (name: string) => (await readJsonObject(join(FIXTURES, name, 'tokenizer.json')))!;

describe('special tokens', () => {
  test('the template adds its own, written ones are recognised either way', async () => {
    const tokenizer = await load('llama3');
    const begin = tokenizer.specialTokens.get('<|begin_of_text|>')!;
    expect(tokenizer.encode('')).toEqual(Int32Array.of(begin));
    expect(tokenizer.encode('', { addSpecialTokens: false })).toEqual(new Int32Array());
    const plain = [...tokenizer.encode('the<|eot_id|>', { addSpecialTokens: false })];
    expect([...tokenizer.encode('the<|eot_id|>')]).toEqual([begin, ...plain]);
    expect(plain.at(-1)).toBe(tokenizer.tokenToId('<|eot_id|>'));
    expect(tokenizer.decode(plain)).toBe('the<|eot_id|>');
    expect(tokenizer.decode(plain, { skipSpecialTokens: true })).toBe('the');
  });

  test('an added token that is not special stays when special ones are skipped', async () => {
    const tokenizer = await load('qwen2');
    const ids = tokenizer.encode('<think>a<|im_end|>');
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe('<think>a');
    expect([...tokenizer.specialTokens.keys()]).toEqual(['<|endoftext|>', '<|im_start|>', '<|im_end|>']);
  });

  test.each([
    [
      'Sequence around the text',
      { type: 'Sequence', processors: [template(['7'], []), template([], ['8'])] },
      [7],
      [8],
    ],
    [
      'outer tokens outside',
      { type: 'Sequence', processors: [template(['7'], ['8']), template(['9'], ['10'])] },
      [9, 7],
      [8, 10],
    ],
    ['Bert', { type: 'BertProcessing', cls: ['[CLS]', 7], sep: ['[SEP]', 8] }, [7], [8]],
    ['none', null, [], []],
  ])('post-processor: %s', async (_, postProcessor, before, after) => {
    const tokenizer = await Tokenizer.fromJson({ ...(await source('qwen2')), post_processor: postProcessor });
    const plain = tokenizer.encode('the sum', { addSpecialTokens: false });
    expect([...tokenizer.encode('the sum')]).toEqual([...before, ...plain, ...after]);
  });

  test('single_word matches only between non-word characters', async () => {
    const base = await source('qwen2');
    const word = { id: 2000, content: 'sum', single_word: true, special: false, normalized: false };
    const tokenizer = await Tokenizer.fromJson({ ...base, added_tokens: [word] });
    const found = (text: string) => tokenizer.encode(text).includes(2000);
    expect(['sum', 'a sum.', '(sum)', 'sums', 'xsum', 'sum_', 'é\u0301sum'].map(found)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('decoding', () => {
  test('half a character becomes the replacement character, ids without a token nothing', async () => {
    const tokenizer = await load('llama3');
    const ids = tokenizer.encode('𝔘', { addSpecialTokens: false });
    expect(ids.length).toBeGreaterThan(1);
    expect(tokenizer.decode(ids)).toBe('𝔘');
    expect(tokenizer.decode(ids.subarray(0, -1))).toMatch(/^\ufffd+$/);
    expect(tokenizer.decode([tokenizer.vocabSize, 1e6, -1, ...ids])).toBe('𝔘');
    expect(tokenizer.decode([])).toBe('');
  });

  test('a byte order mark is text', async () => {
    const tokenizer = await load('qwen2');
    expect(tokenizer.decode(tokenizer.encode('\ufeffa'))).toBe('\ufeffa');
  });
});

describe('tokenBytes', () => {
  test.each(['qwen2', 'llama3'])('%s: the bytes of the ids joined are the UTF-8 of the text', async (name) => {
    const tokenizer = await load(name);
    const bytes = await tokenBytes(tokenizer);
    expect(bytes).toHaveLength(tokenizer.vocabSize);
    const text = 'x = 12\n\u0000\u00a0\u00ad naïve 日本語 👩‍👩‍👧‍👦<|im_end|><tool call>\r\n';
    const ids = tokenizer.encode(text, { addSpecialTokens: false });
    expect(Buffer.concat([...ids].map((id) => bytes[id])).toString()).toBe(text);
  });

  test('all 256 bytes occur as tokens of one byte', async () => {
    const single = (await tokenBytes(await load('qwen2'))).filter((bytes) => bytes.length === 1);
    expect(new Set(single.map(([byte]) => byte)).size).toBe(256);
  });
});

test('bytes without a token are dropped before merging, and every number of Unicode is a digit', async () => {
  const tokenizer = await load('smollm');
  const tokens = (text: string) => [...tokenizer.encode(text)].map((id) => tokenizer.idToToken(id));
  expect(tokens('$\u0004$')).toEqual(['$$']);
  expect(tokens('\u0004')).toEqual([]);
  expect(tokens('a12')).toEqual(['a', '1', '2']);
  expect(tokens('1²٣')).toEqual(['1', 'Â', '²', 'Ù£']);
});

test('a token that stands before a text already is said once', async () => {
  const written: string[] = [];
  const write = jest.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  const tokenizer = await load('llama3');
  tokenizer.encode('the<|begin_of_text|>');
  tokenizer.encode('<|begin_of_text|>the', { addSpecialTokens: false });
  expect(written).toEqual([]);
  for (let i = 0; i < 2; i++) tokenizer.encode('<|begin_of_text|>the');
  write.mockRestore();
  expect(written).toEqual([expect.stringMatching(/<\|begin_of_text\|>.*twice.*addSpecialTokens to false/)]);
});

test('the split of ByteLevel itself treats U+0085 as white space and U+FEFF as none', async () => {
  const merges = ['Â ħ', '» ¿', 'ï »¿', 'Ġ ï»¿', 'Ġ Âħ', 'ĠÂħ Ġ'].map((pair) => pair.split(' '));
  const tokens = [...Array.from('Âħï»¿Ġab'), ...merges.map((pair) => pair.join(''))];
  const tokenizer = await Tokenizer.fromJson({
    model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges },
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
    decoder: { type: 'ByteLevel' },
  });
  const split = (text: string) => [...tokenizer.encode(text)].map((id) => tokenizer.idToToken(id));
  expect(split(' \ufeffa')).toEqual(['Ġï»¿', 'a']);
  expect(split('a \u0085 \u0085b')).toEqual(['a', 'ĠÂħĠ', 'Âħ', 'b']);
});

test('letters inside (?i:…) match what Unicode folds to them', () => {
  expect(foldCase("(?i:'s|'t|'lk)|s[s]\\s")).toBe("(?i:'[sS\u017f]|'t|'l[kK\u212a])|s[s]\\s");
  expect(foldCase('(?i:[sdmt]|(?:ss))(s)')).toBe('(?i:[s\u017fdmt]|(?:[sS\u017f][sS\u017f]))(s)');
});

describe('broken files', () => {
  test('none at all is null', async () => {
    expect(await Tokenizer.load(folder())).toBeNull();
  });

  test.each<[string, (good: JsonObject) => unknown, RegExp]>([
    ['no JSON', () => '{"model":', /tokenizer\.json is not valid JSON/],
    ['no object', () => [], /does not hold a JSON object/],
    ['no model', () => ({}), /has no model/],
    ['no merges', () => ({ model: { type: 'BPE', vocab: {} } }), /no vocab or no merges/],
    ['an id that is no number', (good) => withModel(good, { vocab: { a: 'x' } }), /its token "a" has the id "x"/],
    ['an id beyond memory', (good) => withModel(good, { vocab: { a: 1e9 } }), /has the id 1000000000/],
    ['merges that are no pairs', (good) => withModel(good, { merges: [1] }), /broken or of a kind/],
    [
      'a normalizer of another kind',
      (good) => ({ ...good, normalizer: { type: 'Lowercase' } }),
      /normalizer "Lowercase"/,
    ],
    ...(['WordLevel', 'WordPiece', 'Unigram'] as const).map((type): [string, () => unknown, RegExp] => [
      type,
      () => ({ model: { type, vocab: { a: 0 }, unk_token: 'a' }, pre_tokenizer: { type: 'Whitespace' } }),
      new RegExp(`is a tokenizer of the kind "${type}", and only byte-level BPE is implemented`),
    ]),
    [
      'BPE of characters',
      (good) => ({
        ...good,
        pre_tokenizer: null,
        decoder: { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      }),
      /of the kind of SentencePiece/,
    ],
    ['byte fallback', (good) => withModel(good, { byte_fallback: true }), /a tokenizer with byte_fallback/],
    [
      'a suffix of words',
      (good) => withModel(good, { end_of_word_suffix: '</w>' }),
      /a tokenizer with end_of_word_suffix/,
    ],
    [
      'another pre-tokenizer beside',
      (good) => ({ ...good, pre_tokenizer: sequence({ type: 'Punctuation' }) }),
      /with the pre_tokenizer "Punctuation"/,
    ],
    [
      'a space before each text',
      (good) => ({ ...good, pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true } }),
      /puts a space before each text/,
    ],
    ['an unknown post-processor', (good) => ({ ...good, post_processor: { type: 'Magic' } }), /post_processor "Magic"/],
    [
      'a template without its tokens',
      (good) => ({ ...good, post_processor: { type: 'TemplateProcessing', single: [{ SpecialToken: { id: 'x' } }] } }),
      /broken or of a kind/,
    ],
    [
      'a template without the text',
      (good) => ({ ...good, post_processor: { type: 'TemplateProcessing', single: [], special_tokens: {} } }),
      /a text used 0 times/,
    ],
    [
      'another split',
      (good) => ({
        ...good,
        pre_tokenizer: sequence({ type: 'Split', pattern: { String: 'a' }, behavior: 'Contiguous' }),
      }),
      /behavior "Contiguous"/,
    ],
    [
      'an added token without an id',
      (good) => ({ ...good, added_tokens: [{ content: 'a' }] }),
      /added_tokens has no content or id/,
    ],
  ])('%s', async (_, change, pattern) => {
    const value = change(await source('qwen2'));
    writeFileSync(join(folder(), 'tokenizer.json'), typeof value === 'string' ? value : JSON.stringify(value));
    await expectFailure(() => Tokenizer.load(folder()), pattern);
  });

  test('a text that is no string is a TypeError', async () => {
    const tokenizer = await load('qwen2');
    expect(() => tokenizer.encode(5 as unknown as string)).toThrow(
      /Expected a string for text but received 5 of type number/,
    );
  });
});

function sequence(split: JsonObject): JsonObject {
  return { type: 'Sequence', pretokenizers: [split, { type: 'ByteLevel', add_prefix_space: false, use_regex: false }] };
}

function withModel(good: JsonObject, change: JsonObject): JsonObject {
  return { ...good, model: { ...(good.model as JsonObject), ...change } };
}

function template(before: string[], after: string[]): JsonObject {
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const names = [...before, ...after];
  return {
    type: 'TemplateProcessing',
    single: [...before.map(special), { Sequence: { id: 'A', type_id: 0 } }, ...after.map(special)],
    special_tokens: Object.fromEntries(names.map((id) => [id, { id, ids: [Number(id)], tokens: [id] }])),
  };
}
