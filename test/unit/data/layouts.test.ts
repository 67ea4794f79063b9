/** Rows as frameworks write them, and columns whose values lose digits easily. */
import { join } from 'node:path';
import { loadProblems, type Problem } from '../../../src/data/dataset';
import { readParquet } from '../../../src/data/parquet';
import { rewards } from '../../../src/rewards';
import type { JsonObject } from '../../../src/json-object';

const layout = (name: string): string => join(__dirname, '..', '..', 'golden', 'data', 'layouts', `${name}.parquet`);
const load = async (name: string, wholeRows = false): Promise<Problem[]> =>
  (await loadProblems([{ source: layout(name) }], { count: 1, split: 'train', wholeRows })).problems;

const user = (content: string) => ({ role: 'user', content });
const asked = user('What is 1 + 1?');

test.each([
  ['verl', { answer: '2', messages: [{ role: 'system', content: 'Be brief.' }, asked] }],
  ['simplerl', { answer: '2' }],
  ['trl', { answer: '$\\boxed{2}$', messages: [{ role: 'system', content: 'Think first.' }, asked] }],
  ['openrlhf', { id: 'p-1', answer: '2', messages: [user('Hello'), { role: 'assistant', content: 'Hi' }, asked] }],
  // Its second row has no short answer, but a solution.
  ['open-r1', { answer: 'Adding gives 2.' }],
  ['messages', { answer: 'It is \\boxed{2}.', messages: [asked] }],
])('the layout of %s', async (name, expected) => {
  const [, problem] = await load(name);
  expect(problem).toMatchObject({ id: '2', problem: asked.content, ...expected });
  if (!('messages' in expected)) expect(problem.messages).toBeUndefined();
});

test('the layout of TinyZero has all that the countdown reward needs', async () => {
  const [problem] = await load('tinyzero');
  expect(problem.problem).toBe('<|im_start|>user\nReach 7 with [3, 4].<|im_end|>\n<|im_start|>assistant\n<think>');
  const completion = 'sum</think><answer>3 + 4</answer>';
  const sample = { problem, prompt: problem.problem, completion, answer: problem.answer, tokens: new Int32Array(1) };
  expect(rewards.countdown()({ ...sample, finishReason: 'stop' })).toMatchObject({ reward: 1, reason: 'equal' });
});

const types = [
  {
    decimal: '12345678901234567.89',
    decimal9: 1.25,
    decimal18: '123456789012345678',
    decimal256: `${'9'.repeat(60)}.5`,
    float32: 0.1,
    float16: 0.1,
    float64: 0.1,
    floats: [0.1, null],
    int64: '9007199254740993',
    uint64: '18446744073709551615',
    nested: [[{ x: 0.1, n: ['9007199254740993'] }], []],
    map: { a: 0.1 },
    category: 'a',
    large: 'x',
    binary: 'text',
    bool: true,
    date: '2025-07-01T00:00:00.000Z',
    nothing: null,
  },
  {
    decimal: -0.05,
    decimal9: -1.25,
    decimal18: -7,
    decimal256: -0.5,
    float32: -3.14,
    float64: 1 / 3,
    floats: [],
    int64: '-9223372036854775808',
    uint64: 7,
    nested: [],
    map: {},
    large: '',
    binary: '/wA=',
    bool: false,
  },
  { decimal: null, decimal9: 0, float32: null, floats: null, int64: null, nested: null, map: null, binary: null },
];

test.each(['types', 'types-old'])('%s keep every digit', async (name) => {
  const rows: JsonObject[] = [];
  for await (const row of readParquet(layout(name))) rows.push(row);
  expect(rows).toMatchObject(types);
});

describe('of a Parquet file', () => {
  const columnsOf = async (more: object, wholeRows: boolean): Promise<string[]> => {
    const options = { count: 1, split: 'train', wholeRows } as const;
    const { problems } = await loadProblems([{ source: layout('open-r1'), ...more }], options);
    return Object.keys(problems[0].row ?? {}).sort();
  };

  test('only the columns that are used are read', async () => {
    const read: string[][] = [];
    const select = (columns: readonly { name: string }[]): string[] => {
      read.push(columns.map(({ name }) => name));
      return ['answer', 'problem'];
    };
    const rows: JsonObject[] = [];
    for await (const row of readParquet(layout('open-r1'), { select })) rows.push(row);
    expect(read).toEqual([expect.arrayContaining(['generations', 'messages', 'solution'])]);
    expect(rows).toEqual([
      { problem: 'What is 0 + 1?', answer: '1' },
      { problem: 'What is 1 + 1?', answer: null },
    ]);
  });

  test('code of one’s own sees all columns, or those that are named', async () => {
    expect(await columnsOf({}, false)).toEqual([]);
    expect(await columnsOf({}, true)).toContain('generations');
    expect(await columnsOf({ columns: ['uuid'] }, true)).toEqual(['answer', 'problem', 'uuid']);
  });
});
