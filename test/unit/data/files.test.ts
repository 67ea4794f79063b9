import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadProblems } from '../../../src/data/dataset';
import type { JsonObject } from '../../../src/json-object';
import { readParquet } from '../../../src/data/parquet';
import type { DataSource } from '../../../src/data/source';

const golden = join(__dirname, '..', '..', 'golden', 'data');
const rows = JSON.parse(readFileSync(join(golden, 'rows.json'), 'utf8')) as JsonObject[];
const folder = mkdtempSync(join(tmpdir(), 'zero-rl-files-'));
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const load = async (...sources: DataSource[]) => loadProblems(sources, { count: 10, split: 'train' });
const pairs = async (source: DataSource): Promise<string[][]> =>
  (await load(source)).problems.map(({ id, problem, answer }) => [id, problem, answer]);

describe('Parquet', () => {
  test.each(['snappy', 'zstd', 'gzip', 'none'])('%s gives the rows that pyarrow wrote', async (codec) => {
    const read: JsonObject[] = [];
    for await (const row of readParquet(join(golden, `rows-${codec}.parquet`))) read.push(row);
    expect(read).toEqual(rows);
  });

  test('is a source like any other', async () => {
    const source = join(golden, 'rows-snappy.parquet');
    const { problems } = await load({ source });
    expect(problems).toHaveLength(40);
    expect(problems[30]).toEqual({ id: '31', problem: rows[30].question, answer: '#### 60', row: rows[30], source });
  });

  test('what is no Parquet file, or is missing, is named', async () => {
    await expect(load({ source: file('bad.parquet', 'PAR1 but no more') })).rejects.toMatchObject({
      code: 'ERR_ZERO_RL_DATA',
      message: expect.stringContaining('bad.parquet cannot be read as Parquet'),
    });
    await expect(load({ source: join(folder, 'none.parquet') })).rejects.toThrow('there is no such file');
  });
});

describe('columns', () => {
  const parquet = join(golden, 'rows-snappy.parquet');

  test('nested ones, conversations and ids are mapped', async () => {
    const source = {
      source: parquet,
      idKey: 'extra_info.index',
      problemKey: 'extra_info.question',
      answerKey: 'level',
    };
    expect((await pairs(source))[7]).toEqual(['7', 'nested 7', '2']);
    expect((await pairs({ source: parquet, problemKey: 'prompt' }))[7][1]).toBe('asked 7');
  });

  test('the layout of verl is known', async () => {
    const line = { prompt: [{ role: 'user', content: 'Q?' }], reward_model: { ground_truth: '5', style: 'rule' } };
    expect(await pairs({ source: file('verl.jsonl', JSON.stringify(line)) })).toEqual([['1', 'Q?', '5']]);
  });

  test('countdown rows become questions', async () => {
    const source = { source: file('countdown.jsonl', '{"target":98,"nums":[44,19,35]}\n'), task: 'countdown' } as const;
    const [[id, problem, answer]] = await pairs(source);
    expect([id, answer]).toEqual(['1', '98']);
    expect(problem).toMatch(/98.*44, 19, 35/);
    await expect(load({ ...source, source: file('no.jsonl', '{"nums":[1]}\n{"target":1}\n') })).rejects.toThrow(
      /line 1: it has no number in "target"; line 2: it has no list of numbers/,
    );
  });
});

describe('several files', () => {
  test('.json holds an array or lines', async () => {
    const two = [
      { question: 'a', answer: 1 },
      { question: 'b', answer: 2 },
    ];
    expect(await pairs({ source: file('array.json', JSON.stringify(two)) })).toEqual([
      ['1', 'a', '1'],
      ['2', 'b', '2'],
    ]);
    expect(await pairs({ source: file('lines.json', two.map((row) => JSON.stringify(row)).join('\n')) })).toHaveLength(
      2,
    );
    await expect(load({ source: file('odd.json', '[{"question":"a","answer":1}, 3]') })).rejects.toThrow(
      'row 2 is no object',
    );
    await expect(load({ source: file('cut.json', '[{"question":') })).rejects.toThrow('is not valid JSON');
  });

  test('a folder is the files in it, by name, with ids that stay apart', async () => {
    const many = join(folder, 'many');
    mkdirSync(join(many, 'deeper'), { recursive: true });
    writeFileSync(join(many, 'b.jsonl'), '{"question":"2","answer":"b"}\n{"id":"own","question":"3","answer":"c"}\n');
    writeFileSync(join(many, 'a.jsonl'), '{"question":"1","answer":"a"}\n');
    writeFileSync(join(many, 'deeper', 'c.jsonl'), '{"question":"4","answer":"d"}\n');
    writeFileSync(join(many, 'notes.txt'), 'no data');
    expect(await pairs({ source: many })).toEqual([
      ['1:1', '1', 'a'],
      ['2:1', '2', 'b'],
      ['own', '3', 'c'],
      ['3:1', '4', 'd'],
    ]);
    mkdirSync(join(folder, 'empty'));
    await expect(load({ source: join(folder, 'empty') })).rejects.toThrow('holds no data file');
  });

  test('a folder with splits: each set has its own, and files that describe it are no rows', async () => {
    const splits = join(folder, 'splits');
    mkdirSync(splits);
    writeFileSync(join(splits, 'train.jsonl'), '{"question":"1","answer":"a"}\n');
    writeFileSync(join(splits, 'test.jsonl'), '{"question":"2","answer":"b"}\n');
    writeFileSync(join(splits, 'dataset_infos.json'), '{"default":{"splits":{}}}');
    const problems = async (more: object, split: 'train' | 'heldOut') =>
      (await loadProblems([{ source: splits, ...more }], { count: 1, split })).problems.map(({ problem }) => problem);
    expect(await problems({}, 'train')).toEqual(['1']);
    expect(await problems({}, 'heldOut')).toEqual(['2']);
    expect(await problems({ split: 'test' }, 'train')).toEqual(['2']);
    expect(await problems({ files: ['*.jsonl'] }, 'train')).toEqual(['2', '1']);
    await expect(problems({ split: 'dev' }, 'train')).rejects.toThrow(/no split dev; set split or files/);
  });

  test.each([
    ['rows.csv', 'question,answer\n1,2\n', /rows\.csv is a \.csv file, .*read_csv/],
    ['rows.jsonl.gz', 'x', /rows\.jsonl\.gz is a \.gz file, .*gunzip/],
    ['rows.txt', 'x', /rows\.txt is no data file/],
    ['saved/data-00000-of-00001.arrow', 'x', /load_from_disk/],
  ])('%s is named with what to do', async (name, content, message) => {
    mkdirSync(join(folder, 'saved'), { recursive: true });
    const path = file(name, content);
    writeFileSync(join(folder, 'saved', 'dataset_info.json'), '{}');
    writeFileSync(join(folder, 'saved', 'state.json'), '{}');
    await expect(load({ source: name.startsWith('saved') ? join(folder, 'saved') : path })).rejects.toMatchObject({
      code: 'ERR_ZERO_RL_DATA',
      message: expect.stringMatching(message),
    });
  });

  test('nulls, lists and objects in the place of an answer are named; rows that cannot be used may be left out', async () => {
    const rows = [null, ['2', '3'], { value: 1 }, true, ['5'], NaN].map((answer) =>
      JSON.stringify({ problem: 'p', answer }),
    );
    const source = file('odd-answers.jsonl', rows.join('\n'));
    await expect(load({ source })).rejects.toThrow(
      /line 1: "answer" is null .*line 2: "answer" is a list of 2 values .*line 3: "answer" is an object .* answer\.value .*line 4: "answer" is boolean/,
    );
    const warnings: string[] = [];
    const options = {
      count: 1,
      split: 'train',
      badRows: 'skip',
      warn: (text: string) => void warnings.push(text),
    } as const;
    const { problems } = await loadProblems([{ source }], options);
    expect(problems.map(({ id, answer }) => [id, answer])).toEqual([['5', '5']]);
    expect(warnings).toEqual([expect.stringMatching(/line 1: .*they are left out$/)]);
  });

  test('what is not text is left out and said once', async () => {
    const content = [{ type: 'image' }, { type: 'text', text: 'How many?' }];
    const row = { prompt: [{ role: 'user', content }], answer: '3', images: ['…'] };
    const source = file('images.jsonl', [row, row].map((each) => JSON.stringify(each)).join('\n'));
    const warnings: string[] = [];
    const warn = (text: string): void => void warnings.push(text);
    const { problems } = await loadProblems([{ source }], { count: 1, split: 'train', warn });
    expect(problems[0].problem).toBe('How many?');
    expect(warnings).toEqual([
      expect.stringContaining('the column images (in 2 of 2 rows)'),
      expect.stringContaining('parts of the type image in "prompt" (in 2 of 2 rows)'),
    ]);
  });

  test('several sources are one pool, or a mixture of weighted parts', async () => {
    const a = file('a.jsonl', '{"question":"1","answer":"a"}\n{"question":"2","answer":"b"}\n');
    const b = file('b.jsonl', '{"id":"x","problem":"3","gold":"c"}\n');
    const pool = await load({ source: a }, { source: b });
    expect(pool.problems.map(({ id }) => id)).toEqual(['1/1', '1/2', '2/x']);
    expect(pool.parts).toEqual([{ count: 3, weight: 1 }]);
    const mixture = await load({ source: a, weight: 1 }, { source: b, weight: 3 });
    expect(mixture.parts).toEqual([
      { count: 2, weight: 1 },
      { count: 1, weight: 3 },
    ]);
  });
});
