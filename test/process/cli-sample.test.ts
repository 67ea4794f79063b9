/** `zero-rl sample` and `zero-rl logprobs` as a user runs them. */
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Policy } from '../../src';
import { temporaryFolder } from '../support/fixture-model';
import { runCli } from '../support/run-cli';
import { createTinyPolicy, TOKENIZER_FOLDER } from '../support/tiny-policy';

let folder: string;
let model: string;
let silent: string;
beforeAll(async () => {
  folder = temporaryFolder();
  model = join(folder, 'model');
  silent = join(folder, 'no-tokenizer');
  using policy = await createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER, endTokens: [7, 8, 9] });
  await policy.save(model);
  cpSync(model, silent, { recursive: true });
  rmSync(join(silent, 'tokenizer.json'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Result {
  id: unknown;
  sample: number;
  tokens: number[];
  logProbs: number[];
  logMass?: number[];
  text: string | null;
  finishReason: string;
}
const parse = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Result);
const lines = (values: unknown[]) => values.map((value) => JSON.stringify(value)).join('\n');
const write = (name: string, text: string) => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

test('sample gives what Policy.sample gives, in order, ids echoed, log-probs exact in float32', async () => {
  const prompts = [[1, 2, 3], [4], [5, 6]];
  const input = write(
    'prompts.jsonl',
    lines(prompts.map((tokens, i) => ({ id: i === 1 ? { any: 'json' } : i, tokens }))),
  );
  const output = join(folder, 'out.jsonl');
  const options = ['--n', '3', '--max-tokens', '12', '--temperature', '0.9', '--top-k', '800', '--seed', '11'];
  const { code, stdout, stderr } = await runCli([
    'sample',
    '--model',
    model,
    '--input',
    input,
    '--output',
    output,
    ...options,
  ]);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });

  using policy = await Policy.load(model, { device: 'cpu' });
  const expected = await policy.sample(prompts, { n: 3, maxTokens: 12, temperature: 0.9, topK: 800, seed: 11 });
  const results = parse(readFileSync(output, 'utf8'));
  expect(results.map(({ id, sample }) => [id, sample])).toEqual(
    expected.map(({ prompt, sample }) => [prompt === 1 ? { any: 'json' } : prompt, sample]),
  );
  results.forEach((result, i) => {
    const { tokens, logProbs, logMass, finishReason } = expected[i];
    expect(result.tokens).toEqual(Array.from(tokens));
    expect(Array.from(Float32Array.from(result.logMass ?? []))).toEqual(Array.from(logMass ?? [NaN]));
    expect(Array.from(Float32Array.from(result.logProbs))).toEqual(Array.from(logProbs));
    expect(result.finishReason).toBe(finishReason);
    expect(typeof result.text).toBe('string');
  });
});

test('the text leaves out the end token, which the tokens keep', async () => {
  const input = lines(Array.from({ length: 64 }, (_, i) => ({ id: i, prompt: `${i} +` })));
  const stop = Array.from({ length: 300 }, (_, i) => ['--stop-token', String(i)]).flat();
  const { code, stdout } = await runCli(['sample', '--model', model, '--input', '-', ...stop], { input });
  expect(code).toBe(0);
  using policy = await Policy.load(model, { device: 'cpu' });
  const stopped = parse(stdout).filter(({ finishReason }) => finishReason === 'stop');
  expect(stopped.length).toBeGreaterThan(10);
  for (const { tokens, text } of stopped) {
    expect(tokens[tokens.length - 1]).toBeLessThan(300);
    expect(text).toBe(policy.tokenizer!.decode(tokens.slice(0, -1), { skipSpecialTokens: true }));
  }
});

const mixed = [
  '{"id":"a","tokens":[1,2]}',
  'nonsense',
  '',
  '{"id":"b","tokens":[99999]}',
  '{"id":"c","tokens":[]}',
  '{"id":"d"}',
  '{"id":"e","prompt":"x","tokens":[1]}',
  '{"id":"f","tokens":[3]}',
].join('\n');

test('bad lines are named on stderr, the rest is done, and the exit code is 1', async () => {
  const output = join(folder, 'mixed-out.jsonl');
  const input = write('mixed.jsonl', mixed);
  const parameters = ['sample', '--model', silent, '--input', input, '--output', output, '--max-tokens', '4', '--json'];
  const { code, stdout, stderr } = await runCli(parameters);
  expect(code).toBe(1);
  expect(parse(readFileSync(output, 'utf8')).map(({ id, text }) => [id, text])).toEqual([
    ['a', null],
    ['f', null],
  ]);
  const reported = stderr.trim().split('\n');
  expect(reported.pop()).toBe('zero-rl: 5 of 7 lines were skipped and the others done, hence exit code 1.');
  expect(reported.map((line) => /^zero-rl: Line (\d+) of .* cannot be used: /.exec(line)?.[1])).toEqual([
    '2',
    '4',
    '5',
    '6',
    '7',
  ]);
  expect(JSON.parse(stdout)).toMatchObject({ prompts: 2, badLines: 5, completions: 2, newTokens: 8 });
});

test('with --strict the first bad line ends it before an older output is touched', async () => {
  const input = write('strict.jsonl', mixed);
  const output = write('older.jsonl', 'older\n');
  const { code, stderr } = await runCli([
    'sample',
    '--model',
    silent,
    '--input',
    input,
    '--output',
    output,
    '--strict',
  ]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^zero-rl: Line 2 of [^\n]*\n$/);
  expect(readFileSync(output, 'utf8')).toBe('older\n');
});

test('an interrupted run keeps its results', async () => {
  const input = lines(Array.from({ length: 20_000 }, (_, i) => ({ id: i, tokens: [i % 1000] })));
  let interrupted = false;
  const { code, stdout, stderr } = await runCli(['sample', '--model', silent, '--input', '-', '--no-end-tokens'], {
    input,
    onOutput: (_, kill) => {
      if (!interrupted) kill('SIGINT');
      interrupted = true;
    },
  });
  expect(code).toBe(1);
  const ids = parse(stdout).map(({ id }) => id as number);
  expect(ids.length).toBeGreaterThan(0);
  expect(ids.length).toBeLessThan(20_000);
  expect(ids).toEqual([...ids].sort((a, b) => a - b));
  expect(stderr).toContain(`Interrupted: ${ids.length} completions are written`);
});

test('logprobs scores what follows the prompt, as Policy.logProbs does', async () => {
  const sequences = [
    { tokens: [1, 2, 3, 4, 5], promptLength: 2 },
    { tokens: [9, 8], promptLength: 1 },
  ];
  const input = lines([
    { id: 'x', ...sequences[0] },
    { id: 'bad', tokens: [1, 2], promptLength: 2 },
    { id: 'y', ...sequences[1] },
  ]);
  const { code, stdout, stderr } = await runCli(
    ['logprobs', '--model', silent, '--input', '-', '--temperature', '0.7'],
    { input },
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(/Line 2 of standard input .*sequence\.promptLength/);
  using policy = await Policy.load(silent, { device: 'cpu' });
  const expected = await policy.logProbs(sequences, { temperature: 0.7 });
  const results = parse(stdout);
  expect(results.map(({ id }) => id)).toEqual(['x', 'y']);
  results.forEach(({ logProbs }, i) => {
    expect(Array.from(Float32Array.from(logProbs))).toEqual(Array.from(expected[i]));
  });
});

describe('wrong usage and failures are one sentence with their exit code', () => {
  const base = (...rest: string[]) => ['sample', '--model', silent, '--input', join(folder, 'one.jsonl'), ...rest];
  beforeAll(() => write('one.jsonl', '{"id":1,"tokens":[1]}\n'));
  const cases: [string, () => string[], number, RegExp][] = [
    ['no model', () => ['sample', '--input', '-'], 2, /--model/],
    ['n = 0', () => base('--n', '0'), 2, /--n .*at least 1/],
    ['an unknown option', () => base('--max-token', '3'), 2, /--max-tokens/],
    ['an unknown device', () => base('--device', 'gpu'), 2, /auto, cpu, cuda or cuda:N/],
    ['topP = 0', () => base('--top-p', '0'), 2, /topP but received 0/],
    ['output over input', () => base('--output', join(folder, 'one.jsonl')), 2, /--input/],
    ['--json without --output', () => base('--json'), 2, /--output/],
    ['text stops without a tokenizer', () => base('--stop-string', 'a'), 2, /tokenizer\.json/],
    [
      'a device that is not there',
      () => base('--device', 'cuda:999'),
      1,
      /^zero-rl: (CUDA cannot be used because|The device cuda:999 does not exist)/,
    ],
    ['no such model', () => ['sample', '--model', join(folder, 'none'), '--input', '-'], 1, /none is not a folder/],
    ['no such input', () => ['sample', '--model', silent, '--input', join(folder, 'none')], 1, /no such file/],
    ['an output without a folder', () => base('--output', join(folder, 'none', 'x')), 1, /cannot be written/],
  ];
  test.each(cases)('%s', async (_, parameters, expected, says) => {
    const { code, stdout, stderr } = await runCli(parameters(), { input: '' });
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stdout).toBe('');
    expect(code).toBe(expected);
  });

  test('a missing input leaves an older output as it is', async () => {
    const output = write('kept.jsonl', 'kept\n');
    await runCli(['sample', '--model', silent, '--input', join(folder, 'none'), '--output', output]);
    expect(readFileSync(output, 'utf8')).toBe('kept\n');
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });

  test('ZERO_RL_LOG=debug shows the stack', async () => {
    const { stderr } = await runCli(base('--device', 'cuda'), { env: { ZERO_RL_LOG: 'debug' } });
    expect(stderr).toMatch(/\n\s+at /);
  });
});
