import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documentSequences } from '../../../src/training/pretrain';
import { resolvePretrainConfig } from '../../../src/training/load-pretrain-config';
import { pretrainLearningRate, pretrainSchema, type PretrainConfigInput } from '../../../src/training/pretrain-config';
import { documentCorpus, openCorpus } from '../../../src/training/pretrain-corpus';
import { ASCII_BYTES, bytesOf, byteTokenizer, SEPARATOR_ID } from '../../../src/training/pretrain-tokenizer';
import { Tokenizer } from '../../../src/policy/tokenizer';
import type { JsonObject } from '../../../src/json-object';

const base = {
  output: 'x',
  corpus: { generator: 'arithmetic' },
  model: { hiddenSize: 32, intermediateSize: 64, layers: 1, heads: 2 },
  steps: 100,
};

describe('documentSequences', () => {
  const predicted = (ids: number[], maxPositions: number) =>
    documentSequences(Int32Array.from(ids), 0, maxPositions).flatMap(({ tokens, promptLength }) =>
      [...tokens].slice(promptLength),
    );

  test('predicts every token of a long document and its end once, in pieces that fit the context', () => {
    const ids = Array.from({ length: 100 }, (_, i) => i + 1);
    for (const maxPositions of [2, 3, 16, 50, 51, 102, 103]) {
      expect(predicted(ids, maxPositions)).toEqual([...ids, 0]);
      for (const { tokens } of documentSequences(Int32Array.from(ids), 0, maxPositions)) {
        expect(tokens.length).toBeLessThanOrEqual(maxPositions);
        expect(tokens.length).toBeGreaterThan(1);
      }
    }
    expect(predicted([], 8)).toEqual([0]);
  });
});

describe('documentCorpus', () => {
  const texts = Array.from({ length: 300 }, (_, i) => `document ${i}`);

  test('goes through every training document once an epoch, in another order each epoch and for each seed', () => {
    const corpus = documentCorpus(texts, 1, 16);
    const heldOut = corpus.heldOut(1000);
    const size = texts.length - heldOut.length;
    const epoch = (from: typeof corpus, n: number) =>
      Array.from({ length: size }, (_, i) => from.document(n * size + i));
    const first = epoch(corpus, 0);
    const second = epoch(corpus, 1);
    expect([...first, ...heldOut].sort()).toEqual([...texts].sort());
    expect([...second].sort()).toEqual([...first].sort());
    expect(second).not.toEqual(first);
    expect(epoch(documentCorpus(texts, 2, 16), 0)).not.toEqual(first);
    // Going back, as a resumed run does.
    expect(epoch(corpus, 0)).toEqual(first);
  });

  test('holds the same documents out whatever else is in the corpus', () => {
    const heldOut = documentCorpus(texts, 1, 16).heldOut(1000);
    expect(heldOut.length).toBeGreaterThan(5);
    expect(heldOut.length).toBeLessThan(40);
    expect(documentCorpus(texts.slice(0, 150), 9, 16).heldOut(1000)).toEqual(
      heldOut.filter((text) => texts.indexOf(text) < 150),
    );
  });

  test('refuses a corpus without text', () => {
    expect(() => documentCorpus(['  ', ''], 0, 16)).toThrow('The corpus has no document to train on');
  });
});

describe('openCorpus', () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'zero-rl-corpus-'))));
  afterAll(() => rm(folder, { recursive: true }));
  const open = async (name: string, content: string, extra = {}) => {
    const file = join(folder, name);
    await writeFile(file, content);
    const { corpus } = pretrainSchema.parse({ ...base, corpus: { files: [file], heldOutEvery: 1000, ...extra } });
    return openCorpus(corpus, 0);
  };

  test('reads JSON Lines and plain text with separator lines', async () => {
    const jsonl = await open('a.jsonl', '{"text":"one\\ntwo"}\n\n{"text":"three"}\n');
    expect([...(jsonl.texts ?? [])]).toEqual(['one\ntwo', 'three']);
    const text = await open(
      'b.txt',
      'first\n\nstill first\n<|endoftext|>\nsecond <|endoftext|> inline\n<|endoftext|>\n',
    );
    expect([...(text.texts ?? [])]).toEqual(['first\n\nstill first', 'second <|endoftext|> inline']);
  });

  test('names the line that has no text, and a missing file', async () => {
    await expect(open('c.jsonl', '{"text":"a"}\n{"body":"b"}\n')).rejects.toThrow(
      /Line 2 of .*c\.jsonl has no text under "text"/,
    );
    const { corpus } = pretrainSchema.parse({ ...base, corpus: { files: [join(folder, 'none.txt')] } });
    await expect(openCorpus(corpus, 0)).rejects.toMatchObject({ code: 'ERR_ZERO_RL_DATA' });
  });
});

describe('the byte tokenizer', () => {
  test('encodes every byte as one token behind the separator, and decodes exactly', async () => {
    const foreign = 'naïve 数 🙂 é';
    const alphabet = bytesOf([foreign]);
    const tokenizer = await Tokenizer.fromJson(byteTokenizer(alphabet) as JsonObject);
    const text = `  a  ,b .\n\n${foreign} ${Buffer.from(ASCII_BYTES).toString()} end `;
    const ids = tokenizer.encode(text);
    expect(ids.length).toBe(Buffer.byteLength(text) + 1);
    expect(ids[0]).toBe(SEPARATOR_ID);
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe(text);
    expect(tokenizer.vocabSize).toBe(alphabet.length + 2);
  });

  test('takes a byte outside its alphabet as unknown', async () => {
    const tokenizer = await Tokenizer.fromJson(byteTokenizer(ASCII_BYTES) as JsonObject);
    expect([...tokenizer.encode('1é2', { addSpecialTokens: false })]).toEqual([20, 1, 1, 21]);
  });
});

describe('pretrainLearningRate', () => {
  const config = pretrainSchema.parse({ ...base, learningRate: { peak: 1, finalShare: 0.1, warmupSteps: 10 } });

  test('rises linearly, then falls by a cosine to the final share', () => {
    const rates = Array.from({ length: 100 }, (_, i) => pretrainLearningRate(config, i + 1));
    expect(rates.slice(0, 10)).toEqual(
      [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1].map((rate) => expect.closeTo(rate, 12) as number),
    );
    expect(rates[54]).toBeCloseTo(0.55, 12);
    expect(rates[99]).toBeCloseTo(0.1, 12);
    expect(rates.slice(10).every((rate, i) => i === 0 || rate < rates[9 + i])).toBe(true);
  });
});

describe('resolvePretrainConfig', () => {
  const resolveWith = (extra: object) => () => resolvePretrainConfig({ ...base, ...extra } as PretrainConfigInput);

  test('names a misspelt key and the nearest valid one', () => {
    expect(resolveWith({ learningRate: { warmup_step: 3 } })).toThrow(
      /"learningRate\.warmup_step" \(did you mean "learningRate\.warmupSteps"\?\)/,
    );
    expect(resolveWith({ document_per_step: 3 })).toThrow(/did you mean "documentsPerStep"/);
  });

  test('wants exactly one source of documents', () => {
    expect(resolveWith({ corpus: {} })).toThrow(/either generator or files/);
    expect(resolveWith({ corpus: { generator: 'arithmetic', files: ['a.txt'] } })).toThrow(/either generator or files/);
  });
});
