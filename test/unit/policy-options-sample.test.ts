/** Arguments of Policy.sample: what the engine is handed, and the sentence for what it must never see. */
import { buildSampleRequest, encodePrompt, type Prompt, type SampleContext } from '../../src/policy/sample-request';
import type { SampleOptions } from '../../src/policy/types';

const context: SampleContext = { vocabSize: 10, maxPositions: 8, endTokens: [9], encode: null };
const withText: SampleContext = {
  ...context,
  encode: (text, addSpecialTokens) => [...(addSpecialTokens ? [1] : []), ...Array.from(text, Number)],
};
const wrongly = (value: unknown) => value as SampleOptions;

describe('the request', () => {
  test('packs prompts, keeps their order and numbers them as uids', () => {
    const request = buildSampleRequest([Int32Array.of(1, 2, 3), [4]], undefined, context);
    expect(Array.from(request.tokens)).toEqual([1, 2, 3, 4]);
    expect(Array.from(request.offsets)).toEqual([0, 3, 4]);
    expect(Array.from(request.uids)).toEqual([0, 1]);
    expect(Array.from(request.stopTokens)).toEqual([9]);
    expect(request).toMatchObject({ n: 1, temperature: 1, topP: 1, topK: 0, minP: 0, seed: 0, maxBatch: 0 });
  });

  test('maxTokens is cut at the room that the shortest prompt leaves', () => {
    expect(buildSampleRequest([[1, 2, 3], [4]], { maxTokens: 100 }, context).maxTokens).toBe(7);
    expect(buildSampleRequest([[1, 2, 3]], { maxTokens: 3 }, context).maxTokens).toBe(3);
  });

  test('copies its arrays', () => {
    const prompt = Int32Array.of(1, 2);
    const request = buildSampleRequest([prompt], undefined, context);
    prompt[0] = 7;
    expect(request.tokens[0]).toBe(1);
  });

  test('text is encoded with special tokens unless asked otherwise; stop strings become UTF-8', () => {
    expect(Array.from(buildSampleRequest(['23'], undefined, withText).tokens)).toEqual([1, 2, 3]);
    const request = buildSampleRequest(['23'], { addSpecialTokens: false, stopStrings: ['é'] }, withText);
    expect(Array.from(request.tokens)).toEqual([2, 3]);
    expect(request.stopStrings.map((bytes) => Array.from(bytes))).toEqual([[0xc3, 0xa9]]);
  });

  test('stopTokens replace the end tokens; topK is cut at the vocabulary', () => {
    const request = buildSampleRequest([[1]], { stopTokens: [], topK: 5000 }, context);
    expect(request.stopTokens).toHaveLength(0);
    expect(request.topK).toBe(10);
  });

  test('no prompts are no work, not an error', () => {
    expect(buildSampleRequest([], undefined, context).offsets).toHaveLength(1);
  });
});

const type = TypeError;
const range = RangeError;
const bad: [string, unknown, unknown, typeof TypeError, string][] = [
  [
    'prompts that are no array',
    'abc',
    {},
    type,
    'Expected array of prompts (one Int32Array or string each) for prompts',
  ],
  ['one prompt instead of a list', Int32Array.of(1), {}, type, 'for prompts but received'],
  ['a prompt that is a number', [1], {}, type, 'prompts[0] but received 1 of type number'],
  ['an empty prompt', [[1], []], {}, range, 'Expected prompt of at least one token for prompts[1]'],
  [
    'a token beyond the vocabulary',
    [[1, 10]],
    {},
    range,
    'Expected token id between 0 and 9 for prompts[0][1] but received 10 of type number',
  ],
  ['a negative token', [[-1]], {}, range, 'prompts[0][0]'],
  ['a fractional token', [[1.5]], {}, range, 'prompts[0][0]'],
  ['a bigint token', [BigInt64Array.of(1n)], {}, type, 'prompts[0][0]'],
  [
    'a prompt that fills the context',
    [[1, 1, 1, 1, 1, 1, 1, 1]],
    {},
    range,
    'Expected at most 7 tokens (the context less one new token) for prompts[0].length but received 8',
  ],
  ['text without a tokenizer', ['1'], {}, type, 'tokenizer.json'],
  ['stop strings without a tokenizer', [[1]], { stopStrings: ['a'] }, range, 'tokenizer.json'],
  ['n = 0', [[1]], { n: 0 }, range, 'for n but received 0 of type number'],
  ['n as text', [[1]], { n: '2' }, type, 'for n but received "2" of type string'],
  ['maxTokens = 0', [[1]], { maxTokens: 0 }, range, 'maxTokens'],
  [
    'a negative temperature',
    [[1]],
    { temperature: -1 },
    range,
    'Expected 0 or number between 0.001 and 1000 for temperature',
  ],
  ['a temperature of NaN', [[1]], { temperature: NaN }, range, 'temperature'],
  ['topP = 0', [[1]], { topP: 0 }, range, 'topP'],
  ['topP above 1', [[1]], { topP: 1.01 }, range, 'topP'],
  ['a negative topK', [[1]], { topK: -1 }, range, 'topK'],
  ['minP above 1', [[1]], { minP: 2 }, range, 'minP'],
  ['a stop token beyond the vocabulary', [[1]], { stopTokens: [10] }, range, 'stopTokens[0]'],
  ['a negative seed', [[1]], { seed: -1 }, range, 'seed'],
  ['a seed beyond the safe integers', [[1]], { seed: 2 ** 53 }, range, 'seed'],
  ['too few uids', [[1], [2]], { uids: [1] }, range, 'uids'],
  ['a negative uid', [[1]], { uids: [-1] }, range, 'uids[0]'],
  ['maxBatch = 0', [[1]], { maxBatch: 0 }, range, 'maxBatch'],
  [
    'a misspelt option',
    [[1]],
    { max_token: 5 },
    range,
    'did you mean "maxTokens"?) for options but received "max_token"',
  ],
  ['an unknown option', [[1]], { frequencyPenalty: 5 }, range, 'Expected only the keys n, maxTokens'],
  ['options that are no object', [[1]], 5, type, 'for options but received 5'],
];

test.each(bad)('%s', (_, prompts, options, error, says) => {
  const build = () => buildSampleRequest(prompts as Prompt[], wrongly(options), context);
  expect(build).toThrow(error);
  expect(build).toThrow(says);
  expect(build).toThrow(/^Expected .* for .* but received .* of type \w+$/);
});

test('text that the tokenizer turns into ids beyond the vocabulary is refused', () => {
  const larger: SampleContext = { ...context, encode: () => [3, 12] };
  expect(() => encodePrompt('prompt', 'x', larger, true)).toThrow('tokens of prompt[1]');
});

test('an empty stop string is refused', () => {
  expect(() => buildSampleRequest(['1'], { stopStrings: [''] }, withText)).toThrow('stopStrings[0]');
});

test('a text far beyond the context is refused at its beginning; one of few tokens is not', () => {
  const encoded: number[] = [];
  const reader: SampleContext = {
    ...context,
    encode: (text) => {
      encoded.push(text.length);
      return Array.from(text.replaceAll(' ', ''), Number);
    },
  };
  expect(() => buildSampleRequest(['1', '2'.repeat(1e6)], undefined, reader)).toThrow(
    'Expected at most 7 tokens (the context less one new token) for prompts[1].length but received more than 16',
  );
  expect(Math.max(...encoded)).toBeLessThan(1000);
  expect(Array.from(encodePrompt('prompt', `3${' '.repeat(1e5)}4`, reader, true))).toEqual([3, 4]);
});
