/**
 * Training with faults in the file layer: killed at random file operations, also within checkpoints, at every one of a rollback,
 * at those that put one checkpoint in the place of another, and with a disk that is full during a checkpoint. Each time the run goes on
 * after the newest step that was saved, and equals, bit for bit, the one left alone.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RandomStream } from '../../src/data/random';
import type { MetricsRow } from '../../src/training/run-folder';
import { childProgram, runChild, type Ended } from '../support/child';
import { temporaryFolder } from '../support/fixture-model';
import { metricsOf, notedStep, savedStep, traces } from '../support/run-traces';
import { createTinyPolicy, TOKENIZER_FOLDER } from '../support/tiny-policy';

let folder: string;
let common: object;

beforeAll(async () => {
  folder = temporaryFolder();
  const model = join(folder, 'model');
  // Every fifth token ends a response, so that their lengths differ.
  const endTokens = Array.from({ length: 260 }, (_, i) => 5 * i);
  using policy = await createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER, endTokens });
  await policy.save(model);
  common = { model, data: { train: 'arithmetic', count: 20 }, threads: 1 };
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Steered KL, a reference that follows, a running baseline, a steered entropy bonus. */
const steered = {
  reward: 'math',
  algorithm: { name: 'reinforce', baseline: 'running' },
  kl: { initCoefficient: 0.05, target: 0.1, follow: { every: 2, rate: 0.5 } },
  rollout: { promptsPerStep: 4, samplesPerPrompt: 2, maxTokens: 8 },
  optimizer: { learningRate: 0.003, schedule: 'cosine', entropy: { coefficient: 0.01, target: 6 } },
  steps: 6,
  evaluation: { every: 3, problems: 4, samples: 2 },
  checkpoint: { every: 2, keep: 2 },
};

/** A critic, minibatches, rollouts from the average, refills, and the best checkpoint beside the newest. */
const shortResponses = { name: 'length', maxTokens: 8, buffer: 7 };
const companions = {
  reward: shortResponses,
  algorithm: { name: 'ppo' },
  rollout: { promptsPerStep: 4, samplesPerPrompt: 2, maxTokens: 8, dynamicSampling: { rounds: 2 } },
  optimizer: { objective: 'ppo', learningRate: 0.003, epochs: 2, minibatches: 2 },
  ema: { decay: 0.8, sample: true },
  steps: 6,
  evaluation: { every: 1, problems: 4, samples: 2 },
  checkpoint: { every: 2, keep: 1, best: 'rewardMean' },
};

/** With this seed steps 3 to 5 have groups without a spread; after the rollback to step 2 no three in a row have. */
const alarmed = {
  reward: shortResponses,
  algorithm: { name: 'rloo' },
  rollout: { promptsPerStep: 4, samplesPerPrompt: 2, maxTokens: 8 },
  optimizer: { learningRate: 0.003 },
  seed: 4,
  steps: 6,
  evaluation: { problems: 2 },
  checkpoint: { every: 1, keep: 4 },
  watchdog: {
    deadGroups: { limit: 0.2, steps: 3, action: 'rollback' },
    rollback: { most: 1 },
  },
};

const start = (settings: object, name: string) => ({
  config: { ...common, ...settings, name, output: join(folder, name) },
});

interface Faulty extends Ended {
  /** The step that it went on after; null where it did not get so far. */
  from: number | null;
  /** The operation of its kill; or, with `log`, all of them. */
  operations: string[];
}

async function runFaulty(options: object): Promise<Faulty> {
  const ended = await runChild([childProgram('faulty-train.cjs'), JSON.stringify(options)]);
  const lines = ended.stdout.split('\n').filter((line) => line !== '');
  const began = /^\d+$/.test(lines[0] ?? '');
  // After a rollback the run begins once more.
  const operations = lines.filter((line) => !/^\d+$/.test(line));
  return { ...ended, from: began ? Number(lines[0]) : null, operations };
}

/** The one run folder of `name`, if it has got that far. */
function runOf(name: string): string | null {
  const output = join(folder, name);
  const run = existsSync(output) ? readdirSync(output).at(0) : undefined;
  return run !== undefined && existsSync(join(output, run, 'config.resolved.yaml')) ? join(output, run) : null;
}

/** Goes on with `name`, or starts it where it has left nothing to go on with. */
async function goOn(settings: object, name: string, fault: object = {}): Promise<Faulty> {
  const resume = runOf(name);
  if (resume === null) rmSync(join(folder, name), { recursive: true, force: true });
  const [saved, noted] = [savedStep(resume), notedStep(resume)];
  const ended = await runFaulty({ ...(resume ? { resume } : start(settings, name)), ...fault });
  expect(ended.from ?? saved).toBe(saved);
  if (noted > 0 && !existsSync(join(resume ?? '', 'rollbacks.json'))) expect(saved).toBeGreaterThanOrEqual(noted);
  return ended;
}

/** The run left alone, and its file operations in order. */
async function leftAlone(settings: object, name: string) {
  const { operations, stderr } = await runFaulty({ ...start(settings, name), log: true });
  expect(stderr).toBe('');
  const run = runOf(name) ?? '';
  return { run, expected: traces(run), operations };
}

test.each([
  ['steered', steered, 20],
  ['companions', companions, 12],
])(
  '%s: killed at random moments and resumed each time, runs end as the one left alone',
  async (name, settings, kills) => {
    const { run, expected, operations } = await leftAlone(settings, name);
    if (settings === companions) {
      const rows = metricsOf(run).flatMap((row) => (row.step > 0 ? [row as Exclude<MetricsRow, { step: 0 }>] : []));
      expect(rows.some(({ sampledGroups, groups }) => sampledGroups > groups)).toBe(true);
      expect(rows.every(({ emaEvaluation }) => emaEvaluation !== undefined)).toBe(true);
      const state = join(run, 'checkpoints', 'step-6', 'trainer-state.json');
      const { best } = JSON.parse(readFileSync(state, 'utf8')) as { best: { step: number } };
      expect(readdirSync(join(run, 'checkpoints')).sort()).toEqual(
        [...new Set([`step-${best.step}`, 'step-6'])].sort(),
      );
    }
    const random = new RandomStream(7, 'kills');
    const struck: string[] = [];
    let finished = 0;
    for (let attempt = 0; struck.length < kills; attempt++) {
      const killed = `${name}-${finished}`;
      // Most operations are a checkpoint's, so every other kill is an early one.
      const killAt = random.integer(1, attempt % 2 === 0 ? 14 : Math.ceil(operations.length / 2));
      const { signal, operations: last, stderr } = await goOn(settings, killed, { killAt });
      expect(stderr).toBe('');
      if (signal === 'SIGKILL') struck.push(...last);
      else {
        expect(traces(runOf(killed) ?? '')).toEqual(expected);
        finished++;
      }
    }
    const last = `${name}-${finished}`;
    expect((await goOn(settings, last)).stderr).toBe('');
    expect(traces(runOf(last) ?? '')).toEqual(expected);
    expect(struck.filter((operation) => operation.includes('.partial')).length).toBeGreaterThan(1);
    expect(struck.filter((operation) => !operation.includes('checkpoints')).length).toBeGreaterThan(2);
  },
  300_000,
);

test('killed at any file operation of a rollback, and again while it is done once more, a run goes back all the same', async () => {
  const { run, expected, operations } = await leftAlone(alarmed, 'alarmed');
  expect(JSON.parse(readFileSync(join(run, 'rollbacks.json'), 'utf8'))).toEqual({ rollbacks: [2] });
  const first = operations.findIndex((operation) => operation.includes('/watchdog'));
  const next = operations.findIndex((operation, i) => i > first && operation.includes('report.html'));
  const window = operations.slice(first, next);
  expect(window.filter((operation) => operation.startsWith('renameSync')).length).toBe(2);
  for (const [i, operation] of window.entries()) {
    const name = `alarmed-${i}`;
    const { signal, operations: last } = await goOn(alarmed, name, { killAt: first + i + 1 });
    expect([signal, last[0].split(' ')[0]]).toEqual(['SIGKILL', operation.split(' ')[0]]);
    if (i % 2 === 1) expect((await goOn(alarmed, name, { killAt: 2 + (i % 9) })).signal).toBe('SIGKILL');
    expect((await goOn(alarmed, name)).stderr).toBe('');
    expect(traces(runOf(name) ?? '')).toEqual(expected);
    rmSync(join(folder, name), { recursive: true });
  }
}, 600_000);

test('killed at any operation that puts a checkpoint in the place of another of its step, a run goes on after that step', async () => {
  const short = { ...steered, steps: 4, evaluation: { problems: 2 } };
  const { expected } = await leftAlone(short, 'once');
  const { operations } = await runFaulty({ ...start(short, 'twice'), again: 2, log: true });
  const set = operations.findIndex((operation) => /^rename .*\/step-2$/.test(operation));
  const gone = operations.findIndex((operation) => operation.includes('.step-2.aside'));
  expect(set).toBeGreaterThan(0);
  expect(gone).toBeGreaterThan(set);
  for (let at = set; at <= gone + 1; at++) {
    const name = `twice-${at}`;
    expect((await goOn(short, name, { again: 2, killAt: at + 1 })).signal).toBe('SIGKILL');
    const { from, stderr } = await goOn(short, name);
    expect([from, stderr]).toEqual([2, '']);
    expect(traces(runOf(name) ?? '')).toEqual(expected);
  }
}, 120_000);

test('a disk that is full during a checkpoint keeps the earlier ones and says so', async () => {
  const { code, stderr } = await runFaulty({ ...start(steered, 'full'), fullAt: 4 });
  expect(code).toBe(1);
  expect(stderr).toContain('ERR_ZERO_RL_OUTPUT: Cannot write ');
  expect(stderr).toContain('no space is left on the device');
  const run = runOf('full') ?? '';
  expect(readdirSync(join(run, 'checkpoints'))).toEqual(['step-2']);
  expect((await runFaulty({ resume: run })).stderr).toBe('');
  expect(traces(run)).toEqual(traces(runOf('steered') ?? ''));
});
