/**
 * Whole runs killed by the wall clock: kill -9 at random moments, whatever is being done then, and each time resumed as a user
 * would. Every resumption goes on after the newest checkpoint, and every run ends bit for bit as the one left alone. The
 * moments are drawn from a seed, but what they hit differs from machine to machine. By hand, with more of both:
 *
 *   ZERO_RL_TEST_RUNS=12 ZERO_RL_TEST_KILLS=65 npx jest test/process/train-killed-anytime.test.ts
 */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RandomStream } from '../../src/data/random';
import { temporaryFolder } from '../support/fixture-model';
import { runCli } from '../support/run-cli';
import { notedStep, savedStep, traces } from '../support/run-traces';
import { createTinyPolicy, TOKENIZER_FOLDER } from '../support/tiny-policy';

const RUNS = Number(process.env.ZERO_RL_TEST_RUNS ?? 2);
const KILLS = Number(process.env.ZERO_RL_TEST_KILLS ?? 6);

let folder: string;

beforeAll(async () => {
  folder = temporaryFolder();
  const endTokens = Array.from({ length: 260 }, (_, i) => 5 * i);
  using policy = await createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER, endTokens });
  await policy.save(join(folder, 'model'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A reference that stands still, an average, a running baseline, difficulty, and a checkpoint every other step. */
const settings = (name: string) => ({
  name,
  model: join(folder, 'model'),
  data: { train: 'arithmetic', count: 20, difficulty: { minPassRate: 0, maxPassRate: 1, samples: 2 } },
  algorithm: { name: 'reinforce', baseline: 'running' },
  kl: { initCoefficient: 0.05 },
  ema: { decay: 0.8 },
  rollout: { promptsPerStep: 4, samplesPerPrompt: 4, maxTokens: 12 },
  optimizer: { learningRate: 0.003, schedule: 'cosine' },
  steps: 10,
  evaluation: { every: 5, problems: 4 },
  preview: { prompts: 2 },
  checkpoint: { every: 2, keep: 2 },
  threads: 1,
  output: join(folder, name),
});

/** The run folder of `name`; null where it has not got far enough to be resumed. */
function runOf(name: string): string | null {
  const output = join(folder, name);
  const run = existsSync(output) ? readdirSync(output).at(0) : undefined;
  return run !== undefined && existsSync(join(output, run, 'config.resolved.yaml')) ? join(output, run) : null;
}

/** Begins or resumes `name`, and kills it after `milliseconds`; checks where it goes on. True where it was killed. */
async function goOn(name: string, milliseconds: number | null): Promise<boolean> {
  const run = runOf(name);
  if (run === null) rmSync(join(folder, name), { recursive: true, force: true });
  const config = join(folder, `${name}.json`);
  writeFileSync(config, JSON.stringify(settings(name)));
  const [saved, noted] = [savedStep(run), notedStep(run)];
  const ended = new AbortController();
  const { signal, code, stderr } = await runCli(run === null ? ['train', config] : ['train', '--resume', run], {
    onSpawn: (kill) => {
      if (milliseconds === null) return;
      const strike = delay(milliseconds, undefined, { signal: ended.signal });
      strike.then(
        () => kill('SIGKILL'),
        () => undefined,
      );
    },
  });
  ended.abort();
  expect(saved).toBeGreaterThanOrEqual(noted);
  if (stderr.includes('run folder')) {
    // The line of a later step may be cut by the kill, this one comes with the line of the folder.
    const from = Number(/^going on after step (\d+)$/m.exec(stderr)?.[1] ?? 0);
    if (/^ *\d+\/10 /m.test(stderr) || from > 0) expect(from).toBe(saved);
  }
  if (signal === 'SIGKILL') return true;
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('warning: The')]);
  return false;
}

test(
  `${KILLS} times killed at any moment, ${RUNS} runs end as the one left alone`,
  async () => {
    const began = performance.now();
    expect(await goOn('alone', null)).toBe(false);
    const duration = performance.now() - began;
    const expected = traces(runOf('alone') ?? '');
    const random = new RandomStream(11, 'moments');
    let kills = 0;
    for (let run = 1; run <= RUNS; run++) {
      const name = `run-${run}`;
      const wanted = Math.round((KILLS * run) / RUNS);
      while (kills < wanted) {
        if (await goOn(name, duration * random.uniform())) kills++;
        else {
          // It had come to its end before the kill.
          expect(traces(runOf(name) ?? '')).toEqual(expected);
          rmSync(join(folder, name), { recursive: true });
        }
      }
      await goOn(name, null);
      expect(traces(runOf(name) ?? '')).toEqual(expected);
    }
    expect(kills).toBe(KILLS);
  },
  60_000 + 10_000 * (RUNS + KILLS),
);
