/** Where a run goes on, what it needs for that, and what it never loses on the way. */
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StepMetrics } from '../../../src/observe/metrics';
import type { TrainConfigInput } from '../../../src/training/config';
import { parseYaml } from '../../../src/training/load-config';
import { replay } from '../../../src/training/replay';
import { rollbacksBefore } from '../../../src/training/rollback';
import { readRows, RunFolder, type MetricsRow } from '../../../src/training/run-folder';
import type { LogRow } from '../../../src/training/run-log';
import { train, type TrainOptions } from '../../../src/training/train';
import type { TrainEvent } from '../../../src/training/train-event';
import { BanditPolicy } from '../../support/bandit-policy';

const scratch = fs.mkdtempSync(join(tmpdir(), 'zero-rl-resume-'));
const model = join(scratch, 'model');
const rows = join(scratch, 'rows.jsonl');
const writeProblems = (count: number): void =>
  fs.writeFileSync(
    rows,
    Array.from({ length: count }, (_, i) => JSON.stringify({ id: `p${i}`, problem: `${i}`, answer: '2' })).join('\n'),
  );
let outputs = 0;
beforeEach(() => {
  fs.mkdirSync(model, { recursive: true });
  fs.writeFileSync(join(model, 'weights.json'), '[1,1,0,-0.5]');
  writeProblems(10);
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => fs.rmSync(scratch, { recursive: true }));

const settings = (changes: Partial<TrainConfigInput> = {}): TrainConfigInput => ({
  model,
  data: { train: rows, evaluation: rows, leakage: { action: 'off' } },
  rollout: { promptsPerStep: 4, samplesPerPrompt: 4 },
  optimizer: { learningRate: 0.5 },
  evaluation: { problems: 4 },
  rollouts: { every: 1, prompts: 4 },
  preview: { prompts: 0 },
  checkpoint: { every: 2, keep: 9 },
  steps: 6,
  output: join(scratch, `runs-${outputs++}`),
  ...changes,
});

interface Finished {
  steps: StepMetrics[];
  warnings: string[];
  folder: string;
  /** The step that it went on after; null where it did not get so far. */
  from: number | null;
  error: unknown;
}

async function run(
  config: TrainConfigInput,
  {
    stopAfter = Infinity,
    prepare = () => undefined,
    ...options
  }: TrainOptions & { stopAfter?: number; prepare?: (policy: BanditPolicy) => void } = {},
): Promise<Finished> {
  const finished: Finished = { steps: [], warnings: [], folder: '', from: null, error: null };
  const onEvent = (event: TrainEvent): void => {
    options.onEvent?.(event);
    if (event.type === 'start') Object.assign(finished, { folder: event.folder, from: finished.from ?? event.step });
    // The report is written by a module that only the built package has.
    if (event.type === 'warning' && !event.message.startsWith('The report was not'))
      finished.warnings.push(event.message);
  };
  const loadPolicy = async (directory: string): Promise<BanditPolicy> => {
    const policy = await BanditPolicy.load(directory);
    prepare(policy);
    return policy;
  };
  try {
    for await (const step of train(config, { loadPolicy, ...options, onEvent })) {
      finished.steps.push(step);
      if (step.step >= stopAfter) break;
    }
  } catch (error) {
    finished.error = error;
  }
  return finished;
}

const configOf = (folder: string): TrainConfigInput =>
  parseYaml(fs.readFileSync(join(folder, 'config.resolved.yaml'), 'utf8'), 'config') as unknown as TrainConfigInput;
const resume = (folder: string, options: Parameters<typeof run>[1] = {}, changes: Partial<TrainConfigInput> = {}) =>
  run({ ...configOf(folder), ...changes }, { ...options, resume: folder });
const checkpointsOf = (folder: string): string[] => fs.readdirSync(join(folder, 'checkpoints')).sort();
const stepsOf = (folder: string): number[] =>
  readRows<MetricsRow>(join(folder, 'metrics.jsonl')).map(({ step }) => step);
/** What a run did, without what depends on the clock. */
const traces = (folder: string): unknown => ({
  metrics: readRows<MetricsRow>(join(folder, 'metrics.jsonl')).map((row) => ({
    ...row,
    ...{ seconds: 0, tokensPerSecond: 0, memoryMiB: 0 },
    ...(row.evaluation ? { evaluation: { ...row.evaluation, seconds: 0 } } : {}),
  })),
  rollouts: fs
    .readdirSync(join(folder, 'rollouts'))
    .map((name) => fs.readFileSync(join(folder, 'rollouts', name), 'utf8')),
  weights: fs.readFileSync(join(folder, 'checkpoints', 'step-6', 'weights.json'), 'utf8'),
});
function flipBit(file: string): void {
  const bytes = fs.readFileSync(file);
  bytes[bytes.length >> 1] ^= 1;
  fs.writeFileSync(file, bytes);
}

describe('a step that is saved again', () => {
  test('is there whatever moment the process is killed at', async () => {
    const whole = await run(settings());
    const { folder } = await run(settings(), { stopAfter: 4 });
    const at = (name: string): string => join(folder, 'checkpoints', name);
    // The old one is out of the way, the new one not yet in its place.
    fs.renameSync(at('step-4'), at('.step-4.aside'));
    fs.cpSync(at('.step-4.aside'), at('.step-4.partial'), { recursive: true });
    const { from, error } = await resume(folder);
    expect([from, error]).toEqual([4, null]);
    expect(traces(folder)).toEqual(traces(whole.folder));
    expect(checkpointsOf(folder)).toEqual(['step-2', 'step-4', 'step-6']);
    // The new one is in its place, the old one not yet deleted.
    fs.cpSync(at('step-4'), at('.step-4.aside'), { recursive: true });
    expect((await resume(folder)).from).toBe(6);
    expect(checkpointsOf(folder)).toEqual(['step-2', 'step-4', 'step-6']);
  });

  test('is there too where the new one cannot take its place', async () => {
    const { folder } = await run(settings(), { stopAfter: 4 });
    const { rename } = promises;
    const onEvent = (event: TrainEvent): void => {
      if (event.type !== 'start') return;
      fs.mkdirSync(join(folder, 'control'), { recursive: true });
      fs.writeFileSync(join(folder, 'control', 'checkpoint'), '');
    };
    jest.spyOn(promises, 'rename').mockImplementation((from, to) => {
      if (String(from).endsWith('step-4.partial'))
        return Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }));
      return rename(from, to);
    });
    expect((await resume(folder, { onEvent })).error).toMatchObject({ code: 'ERR_ZERO_RL_OUTPUT' });
    expect(checkpointsOf(folder)).toEqual(['step-2', 'step-4']);
  });
});

describe('steps that a checkpoint should have kept', () => {
  test('are not erased unless that is allowed', async () => {
    const whole = await run(settings());
    const { folder } = await run(settings());
    for (const name of checkpointsOf(folder)) fs.rmSync(join(folder, 'checkpoints', name), { recursive: true });
    const before = traces(whole.folder);
    const refused = await resume(folder);
    expect(refused.error).toMatchObject({ code: 'ERR_ZERO_RL_CHECKPOINT' });
    expect(String(refused.error)).toMatch(
      /has done 6 steps but it has no checkpoint, so steps 1 to 6 .*--discard-steps/,
    );
    expect(stepsOf(folder)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    const allowed = await resume(folder, { discardSteps: true });
    expect([allowed.from, allowed.error]).toEqual([0, null]);
    expect(traces(folder)).toEqual(before);
  });

  test('are missed too where an older one is there', async () => {
    const { folder } = await run(settings());
    for (const step of [4, 6]) fs.rmSync(join(folder, 'checkpoints', `step-${step}`), { recursive: true });
    expect(String((await resume(folder)).error)).toContain('its newest checkpoint is that of step 2, so steps 3 to 6');
  });

  test('are those of a run without checkpoints, from its first', async () => {
    const { folder } = await run(settings({ checkpoint: { every: 0 } }), { stopAfter: 1 });
    fs.rmSync(join(folder, 'checkpoints', 'step-1'), { recursive: true });
    expect((await resume(folder)).error).toMatchObject({ code: 'ERR_ZERO_RL_CHECKPOINT' });
  });

  test('are not those since the last one that was due', async () => {
    const { folder } = await run(settings(), { stopAfter: 5 });
    // As kill -9 leaves it at the end of step 6.
    fs.rmSync(join(folder, 'checkpoints', 'step-5'), { recursive: true });
    fs.appendFileSync(join(folder, 'metrics.jsonl'), '{"step":6}\n');
    expect(await resume(folder)).toMatchObject({ from: 4, error: null });
  });
});

describe('a closing checkpoint that cannot be saved', () => {
  const failing = (policy: BanditPolicy): void => {
    const save = policy.save.bind(policy);
    policy.save = (directory) =>
      directory.includes('step-3') ? Promise.reject(new Error('no space is left')) : save(directory);
  };
  const message = /checkpoint of step 3 was not saved, so resume: .* goes on after step 2: no space is left/;

  test('is what a stopped run says', async () => {
    const abort = new AbortController();
    const asked = await run(settings(), {
      signal: abort.signal,
      prepare: (policy) => {
        failing(policy);
        // The first call is the evaluation before training.
        policy.beforeSample = (call) => call === 5 && abort.abort();
      },
    });
    expect(asked.error).toMatchObject({ code: 'ERR_ZERO_RL_OUTPUT' });
    expect(String(asked.error)).toMatch(message);
    expect(checkpointsOf(asked.folder)).toEqual(['step-2']);
  });

  test('is thrown where the loop is left early', async () => {
    const { error, folder } = await run(settings(), { stopAfter: 3, prepare: failing });
    expect(String(error)).toMatch(message);
    expect(fs.existsSync(join(folder, 'lock'))).toBe(false);
  });

  test('is a warning beside the error that ended the run', async () => {
    let calls = 0;
    const { error, warnings, folder } = await run(settings({ data: { train: rows } }), {
      reward: () => (++calls > 48 ? NaN : calls % 2),
      prepare: failing,
    });
    expect(error).toMatchObject({ code: 'ERR_ZERO_RL_DATA' });
    expect(warnings.at(-1)).toMatch(message);
    expect(readRows<LogRow>(join(folder, 'events.jsonl')).at(-1)?.message).toMatch(message);
  });
});

describe('a damaged checkpoint', () => {
  test.each(['weights.json', 'momentum.json', 'trainer-state.json', 'SHA256SUMS'])(
    'of one bit in %s is set aside, and the one before it gone on from',
    async (name) => {
      const whole = await run(settings());
      const { folder } = await run(settings(), { stopAfter: 4 });
      flipBit(join(folder, 'checkpoints', 'step-4', name));
      const { from, error, warnings } = await resume(folder);
      expect([from, error]).toEqual([2, null]);
      expect(warnings).toEqual([
        expect.stringMatching(
          /checkpoint of step 4 is damaged \(.*\) and was set aside as .*step-4\.damaged; .*that of step 2/,
        ),
      ]);
      expect(readRows<LogRow>(join(folder, 'events.jsonl')).map(({ message }) => message)).toContain(warnings[0]);
      expect(checkpointsOf(folder)).toEqual(['step-2', 'step-4', 'step-4.damaged', 'step-6']);
      expect(traces(folder)).toEqual(traces(whole.folder));
    },
  );

  test('that lacks a file, too', async () => {
    const { folder } = await run(settings(), { stopAfter: 4 });
    fs.rmSync(join(folder, 'checkpoints', 'step-4', 'momentum.json'));
    const { from, warnings } = await resume(folder);
    expect(from).toBe(2);
    expect(warnings[0]).toContain('momentum.json is missing');
  });

  test('without one before it starts nothing anew by itself', async () => {
    const { folder } = await run(settings(), { stopAfter: 2 });
    flipBit(join(folder, 'checkpoints', 'step-2', 'weights.json'));
    const { error } = await resume(folder);
    expect(error).toMatchObject({ code: 'ERR_ZERO_RL_CHECKPOINT' });
    expect(String(error)).toContain('every checkpoint is damaged (step-2: weights.json is not as it was written)');
    expect(checkpointsOf(folder)).toEqual(['step-2']);
    expect(await resume(folder, { discardSteps: true })).toMatchObject({ from: 0, error: null });
  });

  test('of another release is no damage', async () => {
    const { folder } = await run(settings(), { stopAfter: 4 });
    const file = join(folder, 'checkpoints', 'step-4', 'trainer-state.json');
    fs.rmSync(join(folder, 'checkpoints', 'step-4', 'SHA256SUMS'));
    fs.writeFileSync(file, JSON.stringify({ ...(JSON.parse(fs.readFileSync(file, 'utf8')) as object), version: 2 }));
    expect(String((await resume(folder)).error)).toContain('has version 2');
  });
});

describe('a run that the watchdog has taken back', () => {
  test('is replayed from its first step to its last', async () => {
    let policies = 0;
    const config = settings({
      kl: { measure: true },
      steps: 8,
      watchdog: { gradient: { limit: 20, steps: 1, action: 'rollback' }, rollback: { most: 2 } },
    });
    const jumps = [6, 4];
    const prepare = (policy: BanditPolicy): void => {
      // Each session loads the policy and its reference.
      const jump = policies % 2 === 0 ? jumps.at(policies / 2) : undefined;
      policies++;
      policy.gradNorm = (step) => (step === jump ? 100 : 1);
    };
    const { error, folder } = await run(config, { prepare });
    expect(error).toBeNull();
    expect(JSON.parse(fs.readFileSync(join(folder, 'rollbacks.json'), 'utf8'))).toEqual({ rollbacks: [4, 6] });
    const load = { loadPolicy: (directory: string) => BanditPolicy.load(directory) };
    for (let step = 1; step <= 8; step++)
      expect(await replay(folder, step, load)).toMatchObject({ written: 16, same: 16 });
  });

  test('knows how many rollbacks were behind a step', () => {
    expect([1, 4, 5, 6, 7].map((step) => rollbacksBefore([4, 6], step))).toEqual([0, 0, 1, 1, 2]);
    // The second went back further than the first.
    expect([2, 3, 9].map((step) => rollbacksBefore([4, 2], step))).toEqual([0, 2, 2]);
    expect(rollbacksBefore([], 3)).toBe(0);
  });
});

describe('what a resumed run needs', () => {
  test('is its own folder, wherever that lies', async () => {
    const changes: Partial<TrainConfigInput> = { kl: { initCoefficient: 0.05 }, ema: { decay: 0.8, evaluate: false } };
    const whole = await run(settings(changes));
    const { folder } = await run(settings(changes), { stopAfter: 4 });
    const moved = join(scratch, 'moved', 'run');
    fs.mkdirSync(join(scratch, 'moved'));
    fs.renameSync(folder, moved);
    const gone = join(scratch, 'gone');
    fs.renameSync(model, gone);
    const resumed = await resume(moved);
    fs.renameSync(gone, model);
    expect(resumed).toMatchObject({ from: 4, error: null, folder: moved });
    expect(traces(moved)).toEqual(traces(whole.folder));
    expect(configOf(moved).output).toBe(join(scratch, 'moved'));
    expect(fs.existsSync(join(folder, '..'))).toBe(true);
  });

  test('is the model where no checkpoint is there yet', async () => {
    const { folder } = await run(settings(), { reward: () => NaN });
    fs.rmSync(model, { recursive: true });
    expect(String((await resume(folder)).error)).toContain(`There is no model folder ${model}`);
  });

  test('is never another model', async () => {
    const changes = { kl: { measure: true } };
    const { folder } = await run(settings(changes), { stopAfter: 2 });
    const before = fs.readFileSync(join(folder, 'config.resolved.yaml'), 'utf8');
    const other = join(scratch, 'other');
    fs.mkdirSync(other, { recursive: true });
    for (const names of [{ model: other }, { referenceModel: other }]) {
      const { error } = await resume(folder, {}, names);
      expect(error).toMatchObject({ code: 'ERR_ZERO_RL_CONFIG' });
      expect(String(error)).toContain(`and not ${other}; leave ${Object.keys(names)[0]} as it was`);
    }
    expect(fs.readFileSync(join(folder, 'config.resolved.yaml'), 'utf8')).toBe(before);
    expect(fs.existsSync(join(folder, 'lock'))).toBe(false);
  });

  test('is a model of the hub at the commit that its branch had', async () => {
    const { folder } = await run(settings(), { stopAfter: 2 });
    const file = join(folder, 'config.resolved.yaml');
    const [one, other] = ['1', '2'].map((digit) => digit.repeat(40));
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/^model: .*$/m, `model: org/name@${one}`));
    for (const name of [`org/name@${other}`, 'org/others@main'])
      expect((await resume(folder, {}, { model: name })).error).toMatchObject({ code: 'ERR_ZERO_RL_CONFIG' });
    for (const name of ['org/name@main', 'org/name', 'hf:org/name@v1']) {
      expect((await resume(folder, { stopAfter: 3 }, { model: name })).error).toBeNull();
      expect(configOf(folder).model).toBe(`org/name@${one}`);
    }
  });

  test('is a reference as it was written', async () => {
    const { folder } = await run(settings({ kl: { measure: true } }), { stopAfter: 2 });
    flipBit(join(folder, 'reference', 'weights.json'));
    expect((await resume(folder)).error).toMatchObject({ code: 'ERR_ZERO_RL_CHECKPOINT' });
  });
});

test('data that has changed since the run began is noticed', async () => {
  const { folder } = await run(settings(), { stopAfter: 2 });
  expect((await resume(folder, { stopAfter: 3 })).warnings).toEqual([]);
  writeProblems(12);
  const { warnings, error } = await resume(folder, { stopAfter: 4 });
  expect(error).toBeNull();
  expect(warnings).toEqual([expect.stringMatching(/^The training problems have changed .*\(10 then, 12 now\)/)]);
  expect((await resume(folder)).warnings).toEqual([]);
});

test('torn lines of difficulty.jsonl and events.jsonl stop no resumption, and none after it', async () => {
  const { folder } = await run(
    settings({ data: { train: rows, difficulty: { minPassRate: 0, maxPassRate: 1, samples: 2 } } }),
    { stopAfter: 2 },
  );
  const difficulty = join(folder, 'difficulty.jsonl');
  const lines = fs.readFileSync(difficulty, 'utf8');
  for (const stopAfter of [3, 4]) {
    fs.writeFileSync(difficulty, lines.slice(0, -30));
    fs.appendFileSync(join(folder, 'events.jsonl'), '{"time":"20');
    expect((await resume(folder, { stopAfter })).error).toBeNull();
    expect(readRows(join(folder, 'difficulty.jsonl'))).toHaveLength(10);
  }
  // A power cut may leave a file longer than what was written.
  fs.appendFileSync(difficulty, '\0\0\0\n\0');
  expect((await resume(folder)).error).toBeNull();
  expect(readRows(difficulty)).toHaveLength(10);
  expect(readRows<LogRow>(join(folder, 'events.jsonl')).filter(({ type }) => type === 'start')).toHaveLength(4);
});

test('runs that begin in the same second have folders of their own', async () => {
  const { folder } = await run(settings(), { stopAfter: 1 });
  const config = { ...configOf(folder), name: 'twin' } as Parameters<typeof RunFolder.create>[0];
  const made = await Promise.all([1, 2, 3, 4].map(() => RunFolder.create(config)));
  expect(new Set(made.map(({ path }) => path)).size).toBe(4);
});
