/** `zero-rl profile` as a user runs it. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ProfileSummary } from '../../src/profile/summary';
import { temporaryFolder } from '../support/fixture-model';
import { runCli } from '../support/run-cli';
import { createTinyPolicy, TOKENIZER_FOLDER } from '../support/tiny-policy';

let folder: string;
let model: string;
const file = (name: string): string => join(folder, name);
const read = (name: string): unknown => JSON.parse(readFileSync(file(name), 'utf8'));

beforeAll(async () => {
  folder = temporaryFolder();
  model = file('model');
  using policy = await createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER, endTokens: [7, 8, 9] });
  await policy.save(model);
  // The entropy term gives every step a gradient, whatever the samples are worth.
  writeFileSync(
    file('tiny.yaml'),
    `name: tiny
model: ${model}
data: { train: arithmetic, count: 20 }
rollout: { promptsPerStep: 4, samplesPerPrompt: 2, maxTokens: 8 }
evaluation: { problems: 5 }
optimizer: { entropy: { coefficient: 0.01 } }
steps: 3
threads: 2
output: ${file('runs')}
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const microseconds = z.number().min(0);
const place = { pid: z.number().int(), tid: z.number().int() };
/** The JSON object form of the Trace Event Format, with the kinds of events that we write. */
const traceFormat = z.strictObject({
  displayTimeUnit: z.enum(['ms', 'ns']),
  otherData: z.record(z.string(), z.unknown()),
  traceEvents: z.array(
    z.discriminatedUnion('ph', [
      z.strictObject({
        ph: z.literal('X'),
        name: z.string().min(1),
        cat: z.enum(['phase', 'section', 'kernel']),
        ...place,
        ts: microseconds,
        dur: microseconds,
        args: z.record(z.string(), z.unknown()).optional(),
      }),
      z.strictObject({
        ph: z.literal('C'),
        name: z.string().min(1),
        ...place,
        ts: microseconds,
        args: z.record(z.string(), z.number()),
      }),
      z.strictObject({
        ph: z.literal('M'),
        name: z.enum(['process_name', 'thread_name', 'thread_sort_index']),
        ...place,
        args: z.record(z.string(), z.union([z.string(), z.number()])),
      }),
    ]),
  ),
});

test('a profile of training: the trace has its format, complete events nest, and phases and kernels are named', async () => {
  const output = ['--output', file('trace.json'), '--summary', file('first.json')];
  const { code, stdout, stderr } = await runCli(['profile', ...output, '--', 'train', file('tiny.yaml'), '--json']);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  // Standard output is train's own.
  expect(JSON.parse(stdout)).toHaveProperty('heldOut');
  expect(stderr).toMatch(/in named phases and kernels/);

  const { traceEvents } = traceFormat.parse(read('trace.json'));
  const complete = traceEvents.filter((event) => event.ph === 'X');
  const names = (category: string): string[] => complete.filter(({ cat }) => cat === category).map(({ name }) => name);
  for (const name of ['load', 'data', 'sample', 'verify', 'advantages', 'step', 'checkpoint', 'evaluation', 'report'])
    expect(names('phase')).toContain(name);
  expect(names('section')).toEqual(
    expect.arrayContaining(['prefill', 'decode step', 'forward', 'backward', 'optimizer']),
  );
  expect(names('kernel')).toContain('packed_gemm');
  expect(traceEvents.filter(({ ph }) => ph === 'C').length).toBeGreaterThan(0);
  for (const tid of new Set(complete.map((event) => event.tid))) {
    const ends: number[] = [];
    const own = complete.filter((event) => event.tid === tid).sort((a, b) => a.ts - b.ts || b.dur - a.dur);
    for (const { ts, dur } of own) {
      while (ends.length > 0 && ends[ends.length - 1] <= ts + 0.001) ends.pop();
      if (ends.length > 0) expect(ts + dur).toBeLessThanOrEqual(ends[ends.length - 1] + 0.002);
      ends.push(ts + dur);
    }
  }

  const summary = read('first.json') as ProfileSummary & { memory: { timeline: unknown[] } };
  const { accounted, idle, other } = summary.wall;
  expect(accounted + idle + other).toBeCloseTo(1, 6);
  expect(other).toBeLessThan(0.1);
  expect(summary.memory.timeline.length).toBeGreaterThan(0);
  const optimizer = summary.kernels.find(({ kernel }) => kernel === 'adamw');
  expect(optimizer).toMatchObject({ section: 'optimizer', dtype: 'float32', calls: 3, bound: 'bandwidth' });
});

test('the command keeps its exit code and its own options; two summaries are compared', async () => {
  const output = ['--output', file('trace.json'), '--summary', file('second.json')];
  const wrong = await runCli(['profile', ...output, 'train', file('none.yaml'), '--set', 'steps=1']);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain('none.yaml');
  const compared = await runCli(['profile', '--compare', '--json', file('first.json'), file('second.json')]);
  expect(compared.code).toBe(0);
  const { seconds, kernels } = JSON.parse(compared.stdout) as {
    seconds: number[];
    kernels: { ratio: number | null }[];
  };
  expect(seconds[0]).toBeGreaterThan(seconds[1]);
  expect(kernels.length).toBeGreaterThan(0);
  expect(kernels.every(({ ratio }) => ratio === null)).toBe(true);
});

test.each([
  [[], 'Name the command to profile'],
  [['--compare', 'one.json'], 'two summaries'],
  [['--kernels', '-1', '--', 'doctor'], 'Expected an integer'],
])('%j is wrong usage', async (parameters, message) => {
  const { code, stderr } = await runCli(['profile', ...parameters]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) as string });
});

test('a file that is no summary is said to be none', async () => {
  writeFileSync(file('other.json'), '{}');
  const { code, stderr } = await runCli(['profile', '--compare', file('other.json'), file('other.json')]);
  expect(code).toBe(1);
  expect(stderr).toContain('is not the summary of a profile');
});
