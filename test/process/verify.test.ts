/** `zero-rl verify` as a user runs it. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { verify, type Verdict } from '../../src';
import { temporaryFolder } from '../support/fixture-model';
import { runCli } from '../support/run-cli';

let folder: string;
beforeAll(() => (folder = temporaryFolder()));
afterAll(() => rmSync(folder, { recursive: true }));

type Row = Omit<Verdict, 'extracted'> & { id: unknown; extracted: string | null };
const lines = (values: unknown[]) => values.map((value) => JSON.stringify(value)).join('\n');
const parse = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
const write = (name: string, text: string) => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const cases = (count: number, working = 'so ') =>
  Array.from({ length: count }, (_, i) => ({
    id: i % 3 === 0 ? { any: ['json', i] } : i,
    gold: i % 50 === 0 ? '' : String(i % 7),
    completion: `${working.repeat(i % 20)}${['\\boxed{3}', 'The answer is 4.', 'nothing', '#### 5'][i % 4]}`,
  }));

test.each(['any', 'boxed'] as const)('--statement %s: verdicts of verify in order, ids echoed', async (statement) => {
  const all = cases(3000);
  const input = write('cases.jsonl', lines(all));
  const output = join(folder, 'verdicts.jsonl');
  const rest = ['--statement', statement, '--workers', '2', '--json'];
  const { code, stdout, stderr } = await runCli(['verify', '--input', input, '--output', output, ...rest]);
  expect(code).toBe(0);
  const rows = parse(readFileSync(output, 'utf8'));
  const expected = all.map(({ id, gold, completion }) => {
    const { correct, reason, extracted } = verify(gold, completion, { statement });
    return { id, correct, reason, extracted: extracted ?? null };
  });
  expect(rows.map(({ id, correct, reason, extracted }) => ({ id, correct, reason, extracted }))).toEqual(expected);
  expect(rows.every(({ ms }) => ms >= 0)).toBe(true);

  const count = (by: (row: Row) => boolean) => rows.filter(by).length;
  const reasons = Object.fromEntries(
    [...new Set(rows.map(({ reason }) => reason))].map((reason) => [reason, count((row) => row.reason === reason)]),
  );
  expect(JSON.parse(stdout)).toEqual({
    cases: 3000,
    badLines: 0,
    correct: count(({ correct }) => correct === true),
    wrong: count(({ correct }) => correct === false),
    unscored: 60,
    reasons,
    seconds: expect.any(Number),
    perSecond: expect.any(Number),
    output,
  });
  expect(stderr).toMatch(/^zero-rl: 3000 verdicts in .*, 60 without a verdict\nzero-rl: .*unparsable-gold 60.*\n$/);
});

test('more than fits into one batch passes through standard input and output with little memory', async () => {
  const all = cases(9000, 'a long working of many words, '.repeat(10));
  const { code, stdout } = await runCli(['verify', '--input', '-', '--workers', '1'], {
    input: lines(all),
    env: { NODE_OPTIONS: '--max-old-space-size=64' },
  });
  expect(code).toBe(0);
  expect(parse(stdout).map(({ id }) => id)).toEqual(all.map(({ id }) => id));
});

const mixed = [
  '{"id":"a","gold":"1","completion":"#### 1"}',
  'nonsense',
  '',
  '{"id":"b","gold":1,"completion":"1"}',
  '{"id":"c","gold":"1"}',
  '{"id":"d","answer":"1","completion":"1"}',
  '{"gold":"2","completion":"#### 3"}',
].join('\n');

test('bad lines are named on stderr, the rest is done, and the exit code is 1', async () => {
  const { code, stdout, stderr } = await runCli(['verify', '--input', '-'], { input: mixed });
  expect(code).toBe(1);
  expect(parse(stdout)).toEqual([
    { id: 'a', correct: true, reason: 'equal', extracted: '1', ms: expect.any(Number) },
    { id: null, correct: false, reason: 'different', extracted: '3', ms: expect.any(Number) },
  ]);
  const reported = [...stderr.matchAll(/^zero-rl: Line (\d+) of standard input cannot be used: (.*)$/gm)];
  expect(reported.map(([, line]) => line)).toEqual(['2', '4', '5', '6']);
  expect(reported[1][2]).toBe('expected a string for "gold".');
});

test('with --strict the first bad line ends it before an older output is touched', async () => {
  const output = write('older.jsonl', 'older\n');
  const input = write('strict.jsonl', mixed);
  const { code, stderr } = await runCli(['verify', '--input', input, '--output', output, '--strict']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^zero-rl: Line 2 of [^\n]*\n$/);
  expect(readFileSync(output, 'utf8')).toBe('older\n');
});

test('an empty input gives an empty output', async () => {
  const output = join(folder, 'empty.jsonl');
  const { code, stdout } = await runCli(['verify', '--input', '-', '--output', output, '--json'], { input: '\n' });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ cases: 0, reasons: {}, perSecond: 0 });
  expect(readFileSync(output, 'utf8')).toBe('');
});

test('an interrupted run keeps its verdicts', async () => {
  const input = lines(cases(60_000, 'a long working of many words, '.repeat(10)));
  let interrupted = false;
  const { code, stdout, stderr } = await runCli(['verify', '--input', '-'], {
    input,
    onOutput: (_, kill) => {
      if (!interrupted) kill('SIGINT');
      interrupted = true;
    },
  });
  expect(code).toBe(1);
  const rows = parse(stdout);
  expect(rows.length).toBeLessThan(60_000);
  expect(rows.map(({ id }) => id)).toEqual(cases(rows.length).map(({ id }) => id));
  expect(stderr).toContain(`Interrupted: ${rows.length} verdicts are written`);
});

describe('wrong usage and failures are one sentence with their exit code', () => {
  const usage: [string, () => string[], number, RegExp][] = [
    ['no input', () => [], 2, /--input/],
    ['an unknown statement', () => ['--input', '-', '--statement', 'tag'], 2, /any, boxed/],
    ['no workers', () => ['--input', '-', '--workers', '0'], 2, /at least 1/],
    ['--json without --output', () => ['--input', '-', '--json'], 2, /--output/],
    ['no such input', () => ['--input', join(folder, 'none.jsonl')], 1, /there is no such file/],
    ['no such folder', () => ['--input', '-', '--output', join(folder, 'none', 'x')], 1, /cannot be written/],
  ];
  test.each(usage)('%s', async (_, parameters, expected, message) => {
    const { code, stdout, stderr } = await runCli(['verify', ...parameters()], { input: '' });
    expect(code).toBe(expected);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stdout).toBe('');
  });

  test('a failure leaves no output', () => {
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});
