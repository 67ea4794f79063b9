/** Which files of a dataset's repository a subset and a split are. */
import { selectDataFiles } from '../../../src/hub/dataset';

describe('the files of a dataset', () => {
  test.each<[string, string[], Parameters<typeof selectDataFiles>[1], string[]]>([
    [
      'parquet wins',
      ['a.jsonl', 'data/train-0-of-1.parquet', 'data/test-0-of-1.parquet'],
      { split: 'train', splitIsDefault: true },
      ['data/train-0-of-1.parquet'],
    ],
    [
      'shards',
      ['data/train-00000-of-00002.parquet', 'data/train-00001-of-00002.parquet'],
      { split: 'train', splitIsDefault: true },
      ['data/train-00000-of-00002.parquet', 'data/train-00001-of-00002.parquet'],
    ],
    [
      'a subset by folder',
      ['main/train-0.parquet', 'socratic/train-0.parquet'],
      { subset: 'main', split: 'train', splitIsDefault: true },
      ['main/train-0.parquet'],
    ],
    [
      'a subset by name',
      ['algebra_train.jsonl', 'geometry_train.jsonl'],
      { subset: 'algebra', split: 'train', splitIsDefault: true },
      ['algebra_train.jsonl'],
    ],
    [
      'split folders',
      ['default/train/0000.parquet', 'default/test/0000.parquet'],
      { split: 'test', splitIsDefault: true },
      ['default/test/0000.parquet'],
    ],
    [
      'a folder named like a split',
      ['math_test/train.parquet', 'math_test/test.parquet'],
      { split: 'test', splitIsDefault: true },
      ['math_test/test.parquet'],
    ],
    [
      'other names of a split',
      ['dev.jsonl', 'train.jsonl'],
      { split: 'validation', splitIsDefault: false },
      ['dev.jsonl'],
    ],
    [
      'no splits at all',
      ['problems.jsonl', 'dataset_info.json'],
      { split: 'train', splitIsDefault: true },
      ['problems.jsonl'],
    ],
    [
      'patterns',
      ['a/x.jsonl', 'a/b/x.jsonl', 'y.txt'],
      { split: 'train', splitIsDefault: true, files: ['**/x.json?'] },
      ['a/x.jsonl', 'a/b/x.jsonl'],
    ],
  ])('%s', (_, files, request, chosen) => {
    expect(selectDataFiles(files, request, 'The dataset d')).toEqual(chosen);
  });

  const own = { splitIsDefault: true, local: true } as const;
  test.each<[string, string[], Parameters<typeof selectDataFiles>[1], string[]]>([
    ['the split alone', ['test.jsonl', 'train.jsonl'], { ...own, split: 'train' }, ['train.jsonl']],
    [
      'of any folder',
      ['a/train.jsonl', 'b/train.parquet'],
      { ...own, split: 'train' },
      ['a/train.jsonl', 'b/train.parquet'],
    ],
    ['those of no split are for training', ['more.jsonl', 'test.jsonl'], { ...own, split: 'train' }, ['more.jsonl']],
    ['and not for evaluation', ['more.jsonl', 'test.jsonl'], { ...own, split: 'test' }, ['test.jsonl']],
    ['all where none says a split', ['a.jsonl', 'b/c.json'], { ...own, split: 'test' }, ['a.jsonl', 'b/c.json']],
    ['no descriptions', ['dataset_infos.json', 'x/a.json'], { ...own, split: 'train' }, ['x/a.json']],
  ])('of a folder of one’s own: %s', (_, files, request, chosen) => {
    expect(selectDataFiles(files, request, 'The folder f')).toEqual(chosen);
  });

  test.each<[string[], Parameters<typeof selectDataFiles>[1], RegExp]>([
    [
      ['main/train-0.parquet', 'socratic/train-0.parquet'],
      { split: 'train', splitIsDefault: true },
      /several subsets; set subset to one of main, socratic/,
    ],
    [
      ['main/train-0.parquet', 'socratic/train-0.parquet'],
      { subset: 'mian', split: 'train', splitIsDefault: true },
      /no subset mian \(did you mean "main"\?\)/,
    ],
    [['train.jsonl'], { split: 'test', splitIsDefault: true }, /no split test; .* train\.jsonl/],
    [['README.md'], { split: 'train', splitIsDefault: true }, /no \.parquet or \.jsonl file; it has README\.md/],
    [
      ['train.jsonl'],
      { split: 'train', splitIsDefault: true, files: ['*.parquet'] },
      /No data file of The dataset d matches/,
    ],
  ])('%j with %j is refused', (files, request, message) => {
    expect(() => selectDataFiles(files, request, 'The dataset d')).toThrow(message);
  });
});
