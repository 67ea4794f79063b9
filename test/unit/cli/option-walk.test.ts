/**
 * Every option of every command changes what the command asks of the layer below it, prints or writes. Policies, runs, servers and
 * installers are stood in for by ones that take note of what they are asked. An option that the table lacks fails, and so does one
 * that is taken and ignored; what needs the engine itself is shown by a test that calls the command with it.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { command as bench } from '../../../src/cli/bench';
import { command as dashboard } from '../../../src/cli/dashboard';
import { command as doctor } from '../../../src/cli/doctor';
import { command as evaluation } from '../../../src/cli/eval';
import { command as exporting } from '../../../src/cli/export';
import { command as libtorch } from '../../../src/cli/libtorch';
import { command as logprobs } from '../../../src/cli/logprobs';
import { command as pretrain } from '../../../src/cli/pretrain';
import { command as profile } from '../../../src/cli/profile';
import { command as replay } from '../../../src/cli/replay';
import { command as report } from '../../../src/cli/report';
import { command as sample } from '../../../src/cli/sample';
import { command as train } from '../../../src/cli/train';
import { command as verify } from '../../../src/cli/verify';
import { repository } from '../../support/child';

const mockCalls: string[] = [];
/** Takes note of a call, without what has no value as text. */
const mockNote = (name: string, ...given: unknown[]): void =>
  void mockCalls.push(
    `${name} ${JSON.stringify(given, (_, value: unknown) =>
      typeof value === 'function' || value instanceof AbortSignal
        ? undefined
        : ArrayBuffer.isView(value)
          ? Array.from(value as Int32Array)
          : value,
    )}`,
  );

jest.mock('../../../src/policy/policy', () => ({
  Policy: {
    load: (...given: unknown[]) => {
      mockNote('load', ...given);
      return Promise.resolve({
        endTokens: [0],
        config: { vocabSize: 300, maxPositions: 512 },
        tokenizer: { decode: (tokens: ArrayLike<number>) => `text of ${tokens.length}` },
        encodePrompt: (...prompt: unknown[]) => (mockNote('encode', ...prompt), Int32Array.of(1)),
        sample: (...call: unknown[]) => (mockNote('sample', ...call), Promise.resolve([])),
        async *stream(...call: unknown[]) {
          mockNote('stream', ...call);
          const n = (call[1] as { n: number }).n;
          for (let i = 0; i < n; i++)
            yield await Promise.resolve({
              ...{ prompt: 0, sample: i, finishReason: 'stop' },
              ...{ tokens: Int32Array.of(5, 0), logProbs: Float32Array.of(-1, 0) },
            });
        },
        logProbs: (sequences: unknown[], ...rest: unknown[]) => (
          mockNote('logProbs', sequences, ...rest),
          Promise.resolve(sequences.map(() => Float32Array.of(-1)))
        ),
        [Symbol.dispose]: () => undefined,
      });
    },
  },
}));
jest.mock('../../../src/training/train', () => ({
  // eslint-disable-next-line @typescript-eslint/require-await, require-yield
  async *train(config: unknown, options: { onEvent: (event: object) => void }) {
    mockNote('train', config, options);
    const summary = { heldOut: null, responseLength: null, seconds: { training: 1, total: 1 } };
    options.onEvent({ type: 'finish', before: null, after: null, summary, report: null });
  },
}));
jest.mock('../../../src/training/plan', () => ({
  planRun: (...given: unknown[]) => (mockNote('plan', ...given), Promise.reject(new Error('planned'))),
}));
jest.mock('../../../src/training/pretrain', () => ({
  // eslint-disable-next-line @typescript-eslint/require-await, require-yield
  async *pretrain(...given: unknown[]) {
    mockNote('pretrain', ...given);
  },
}));
jest.mock('../../../src/training/replay', () => ({
  replay: (...given: unknown[]) => {
    mockNote('replay', ...given);
    const samples = [0, 1].map((i) => ({
      id: 'ab'[i],
      sample: i,
      texts: ['x'],
      terms: null,
      same: true,
      score: {},
      reward: 1,
    }));
    const loss = { policy: 0, kl: 0, entropy: 0, sum: 0, written: 0, difference: 0, minibatches: 1, epochs: 1 };
    return Promise.resolve({ step: 1, checkpoint: 0, samples, loss, written: 2, same: 2 });
  },
}));
jest.mock('../../../src/evaluation/suite', () => ({
  readSuites: (...given: unknown[]) => (mockNote('suites', ...given), []),
  evaluateModel: (...given: unknown[]) => (mockNote('evaluate', ...given), Promise.resolve([])),
  compareResults: (...given: unknown[]) => (mockNote('compare', ...given), []),
}));
jest.mock('../../../src/observe/dashboard/beside', () => ({
  dashboardBeside: (...given: unknown[]) => (mockNote('beside', ...given), Promise.resolve(null)),
}));
jest.mock('../../../src/observe/dashboard/serve', () => ({
  defaultPort: 1,
  startDashboard: (...given: unknown[]) => {
    mockNote('serve', ...given);
    setImmediate(() => process.emit('disconnect'));
    return Promise.resolve({ url: 'http://here', close: () => Promise.resolve() });
  },
}));
jest.mock('node:child_process', () => ({
  ...jest.requireActual<object>('node:child_process'),
  spawn: (...given: unknown[]) => (
    mockNote('spawn', ...given),
    { on: () => ({ unref: () => undefined }), unref: () => undefined }
  ),
}));
jest.mock('../../../src/libtorch/install', () => ({
  installLibtorch: (...given: unknown[]) => (
    mockNote('install', ...given),
    Promise.resolve({ directory: '/torch', installed: true })
  ),
}));
jest.mock('../../../src/bench/bench', () => ({
  Bench: {
    open: (...given: unknown[]) => {
      mockNote('bench', ...given);
      const speeds = { fraction: 1, boundSeconds: 1, flopsFraction: 1, peakGigaflopsPerSecond: 1 };
      const roofline = { ...speeds, readGigabytesPerSecond: 1, tilesGigaflopsPerSecond: 0, steady: true, drift: 0 };
      const result = { task: 't', batch: 1, group: 1, prompt: 1, tokens: 1, dtype: 'float32', threads: 1, seconds: 1 };
      return Promise.resolve({
        run: (counted: boolean) => (mockNote('bench run', counted), Promise.resolve()),
        result: () =>
          Promise.resolve({ ...result, runs: [1], tokensPerSecond: 1, peakRssMiB: 1, instructionSet: 'x', roofline }),
        [Symbol.dispose]: () => undefined,
        [Symbol.asyncDispose]: () => Promise.resolve(),
      });
    },
  },
}));

jest.mock('../../../src/bench/kernels', () => ({
  benchKernels: (...given: unknown[]) => {
    mockNote('kernels', ...given);
    const speeds = { peakGigaflopsPerSecond: 1, readGigabytesPerSecond: 1, tilesGigaflopsPerSecond: 0 };
    const speed = { ...speeds, steady: true, drift: 0 };
    return Promise.resolve({
      threads: 1,
      instructionSet: 'x',
      machine: { float32: speed, bfloat16: speed },
      kernels: [],
    });
  },
}));
jest.mock('../../../src/observe/report', () => ({
  renderReport: (...given: unknown[]) => (mockNote('render', ...given), Promise.resolve('page')),
  writeReport: (...given: unknown[]) => (mockNote('write', ...given), Promise.resolve('report.html')),
}));
jest.mock('../../../src/observe/run-view', () => ({
  readRun: (folder: string) => Promise.resolve({ name: folder, path: folder, rows: [], problems: [] }),
}));

const scratch = mkdtempSync(path.join(tmpdir(), 'zero-rl-options-'));
// Some commands wait for signals until the process ends.
const listeners = process.getMaxListeners();
beforeAll(() => void process.setMaxListeners(0));
afterAll(() => {
  process.setMaxListeners(listeners);
  rmSync(scratch, { recursive: true });
});
const file = (name: string, content: string): string => {
  writeFileSync(path.join(scratch, name), content);
  return path.join(scratch, name);
};
const prompts = file('prompts.jsonl', '{"id":1,"prompt":"a"}\n{"id":2}\n');
const morePrompts = file('more.jsonl', '{"id":3,"prompt":"b"}\n');
const sequences = file('sequences.jsonl', '{"id":1,"tokens":[1,2],"promptLength":1}\nno JSON\n');
const moreSequences = file('more-sequences.jsonl', '{"id":2,"tokens":[3,4],"promptLength":1}\n');
const config = path.join(repository, 'recipes', 'demo.yaml');
const bases = path.join(repository, 'configs', 'pretrain.yaml');

/** What an option is given, and what else is said in both calls. */
interface Witness {
  given?: string[];
  beside?: string[];
  /** With this value the command does nothing but say why. */
  refused?: boolean;
}
/** The tests that call the command with the option, where it takes the engine to see what it does. */
type Elsewhere = string;

interface Walk {
  command: Command;
  /** The subcommand whose options these are. */
  listed?: Command;
  /** Arguments of every call. */
  always?: string[];
  options: Record<string, Witness | Elsewhere>;
}

const engine: Record<string, Witness> = {
  device: { given: ['cpu'] },
  dtype: { given: ['bfloat16'] },
  threads: { given: ['1'] },
  memory: { given: ['100'] },
};
const json: Record<string, Witness> = { json: {} };
const out = (...names: string[]): string => path.join(scratch, 'out', ...names);
const of = (test: string, ...names: string[]): Record<string, Elsewhere> =>
  Object.fromEntries(names.map((name) => [name, test]));
const kernels = bench.commands[0];
const install = libtorch.commands[0];

const walks: Record<string, Walk> = {
  sample: {
    command: sample,
    always: ['--model', 'm', '--input', prompts, '--output', out('a')],
    options: {
      ...engine,
      ...json,
      model: { given: ['n'] },
      input: { given: [morePrompts] },
      output: { given: [out('b')] },
      strict: {},
      n: { given: ['2'] },
      'max-tokens': { given: ['7'] },
      temperature: { given: ['0.5'] },
      'top-p': { given: ['0.5'] },
      'top-k': { given: ['5'] },
      'min-p': { given: ['0.5'] },
      seed: { given: ['5'] },
      'stop-token': { given: ['5'] },
      'stop-string': { given: ['x'] },
      'no-end-tokens': {},
      'no-special-tokens': {},
      'max-batch': { given: ['3'] },
    },
  },
  logprobs: {
    command: logprobs,
    always: ['--model', 'm', '--input', sequences, '--output', out('a')],
    options: {
      ...engine,
      ...json,
      model: { given: ['n'] },
      input: { given: [moreSequences] },
      output: { given: [out('b')] },
      strict: {},
      temperature: { given: ['0.5'] },
    },
  },
  train: {
    command: train,
    options: {
      ...Object.fromEntries(
        Object.entries({ ...engine, json: {}, 'dry-run': {}, dashboard: {}, set: { given: ['steps=7'] } }).map(
          ([name, witness]): [string, Witness] => [name, { ...witness, beside: [config] }],
        ),
      ),
      'no-master-weights': { beside: [config, '--dtype', 'bfloat16'] },
      resume: 'test/process/train-interrupted.test.ts',
      'discard-steps': 'test/unit/training/resume.test.ts',
    },
  },
  pretrain: {
    command: pretrain,
    always: [bases],
    options: { ...engine, ...json, resume: {}, set: { given: ['steps=7'] } },
  },
  eval: {
    command: evaluation,
    always: ['--model', 'm', '--suite', 's.yaml'],
    options: {
      ...engine,
      ...json,
      model: { given: ['n'] },
      suite: { given: ['t.yaml'] },
      compare: { given: ['n'] },
      output: { given: [out('b')] },
    },
  },
  replay: {
    command: replay,
    always: ['run', '--step', '1'],
    options: {
      step: { given: ['2'], beside: ['--json'] },
      prompt: { given: ['a'], beside: ['--json'] },
      sample: { given: ['1'], beside: ['--json'] },
      output: { given: [out('b')], beside: ['--json'] },
      json: { beside: ['--output', out('a')] },
    },
  },
  bench: {
    command: bench,
    always: ['--model', 'm'],
    options: {
      ...engine,
      ...json,
      model: { given: ['n'] },
      task: { given: ['logprobs'] },
      batch: { given: ['4'] },
      group: { given: ['2'] },
      prompt: { given: ['4'] },
      tokens: { given: ['4'] },
      runs: { given: ['7'] },
      quick: {},
      'no-master-weights': { beside: ['--dtype', 'bfloat16'] },
    },
  },
  'bench kernels': {
    command: bench,
    listed: kernels,
    always: ['kernels'],
    options: {
      ...json,
      device: { given: ['cuda'], refused: true },
      dtype: { given: ['bfloat16'] },
      threads: { given: [String(availableParallelism() + 1)], refused: true },
      only: { given: ['gemm'] },
      shape: { given: ['gemm:m=32,n=64,k=128'] },
      csv: { given: [out('b')] },
      quick: {},
      plot: 'test/process/bench.test.ts',
    },
  },
  dashboard: {
    command: dashboard,
    options: { ...json, port: { given: ['7'] }, host: { given: ['0.0.0.0'] }, token: { given: ['secret'] }, open: {} },
  },
  'libtorch install': {
    command: install,
    options: { ...json, cuda: {}, headers: {}, archive: { given: ['http://a/b.zip'] }, force: {} },
  },
  libtorch: { command: libtorch, options: {} },
  doctor: { command: doctor, options: of('test/process/doctor.test.ts', 'json') },
  export: {
    command: exporting,
    options: of('test/process/export-readers.test.ts', 'rollouts', 'evaluations', 'metrics', 'json'),
  },
  profile: {
    command: profile,
    options: of('test/process/profile.test.ts', 'output', 'summary', 'kernels', 'compare', 'json'),
  },
  report: { command: report, always: ['run'], options: { ...json, output: { given: [out('b')] } } },
  verify: {
    command: verify,
    options: of('test/process/verify.test.ts', 'input', 'output', 'strict', 'json', 'statement', 'workers'),
  },
};

const flags = ({ options }: Command): string[] => options.map(({ long }) => long?.replace(/^--/, '') ?? '');

test('every command is walked', () => {
  const files = readdirSync(path.join(repository, 'src/cli')).map((name) => name.replace('.ts', ''));
  const modules = files.filter((name) =>
    readFileSync(path.join(repository, 'src/cli', `${name}.ts`), 'utf8').includes('export const command ='),
  );
  expect(Object.keys(walks)).toEqual(expect.arrayContaining(modules));
});

test.each(Object.entries(walks))('the options of %s have witnesses', (_, { command, listed = command, options }) => {
  expect(Object.keys(options).sort()).toEqual(flags(listed).sort());
});

/** What a call does: calls below it, what it prints but for times, what it writes, and how it ends. */
async function doingOf(command: Command, argv: readonly string[]): Promise<unknown> {
  mockCalls.length = 0;
  const printed: string[] = [];
  const say = (text: unknown): boolean => {
    printed.push(String(text).replaceAll(/\d+\.\d+(e-?\d+)?|[\d.,]+\/s|null/g, '#'));
    return true;
  };
  const spies = [
    jest.spyOn(process.stdout, 'write').mockImplementation(say),
    jest.spyOn(process.stderr, 'write').mockImplementation(say),
    jest.spyOn(console, 'log').mockImplementation(say),
    jest.spyOn(console, 'error').mockImplementation(say),
  ];
  const { exitCode } = process;
  rmSync(out(), { recursive: true, force: true });
  mkdirSync(out());
  let error = '';
  try {
    command.exitOverride();
    await command.parseAsync([...argv], { from: 'user' });
  } catch (thrown) {
    error = String(thrown);
  } finally {
    spies.forEach((spy) => spy.mockRestore());
  }
  const ended = process.exitCode;
  process.exitCode = exitCode;
  const files = readdirSync(out()).map((name) => `${name}: ${readFileSync(out(name), 'utf8')}`);
  return { calls: [...mockCalls], printed, files, error, ended };
}

const walked = Object.entries(walks).flatMap(([name, { command, always = [], options }]) =>
  Object.entries(options).flatMap(([option, witness]) =>
    typeof witness === 'string' ? [] : [{ name, option, command, always, ...witness }],
  ),
);

test.each(walked)('$name --$option', async ({ option, command, always, given = [], beside = [], refused = false }) => {
  const without = await doingOf(command, [...always, ...beside]);
  const again = await doingOf(command, [...always, ...beside]);
  expect(again).toEqual(without);
  expect(without).not.toMatchObject({ calls: [] });
  const changed = await doingOf(command, [...always, ...beside, `--${option}`, ...given]);
  expect(changed).not.toEqual(without);
  if (!refused)
    expect(changed).not.toMatchObject({ error: expect.stringMatching(/^CommanderError|^TypeError/) as string });
});

const elsewhere = Object.entries(walks).flatMap(([name, { options }]) =>
  Object.entries(options).flatMap(([option, test]) => (typeof test === 'string' ? [{ name, option, test }] : [])),
);

test.each(elsewhere)('$name --$option is called by $test', ({ name, option, test: called }) => {
  const text = readFileSync(path.join(repository, called), 'utf8');
  expect(text).toContain(`--${option}`);
  expect(text).toContain(name.split(' ')[0]);
});
