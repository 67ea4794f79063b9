import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StepMetrics } from '../../../src/observe/metrics';
import type { RewardResult, RewardSample } from '../../../src/rewards';
import { request, withdraw } from '../../../src/training/control';
import type { TrainConfigInput } from '../../../src/training/config';
import { readRows, type MetricsRow, type SampleRow, type Summary } from '../../../src/training/run-folder';
import type { LogRow } from '../../../src/training/run-log';
import { train, type TrainOptions } from '../../../src/training/train';
import type { TrainEvent } from '../../../src/training/train-event';
import { BanditCritic, BanditPolicy } from '../../support/bandit-policy';
import { ownerHere, startOf, writeLock } from '../../support/stale-lock';

const scratch = mkdtempSync(join(tmpdir(), 'zero-rl-train-'));
const rows = join(scratch, 'rows.jsonl');
writeFileSync(
  rows,
  Array.from({ length: 10 }, (_, i) => JSON.stringify({ id: `p${i}`, problem: `${i}`, answer: '2' })).join('\n'),
);
let outputs = 0;
const anyNumber = expect.any(Number) as number;

function makeConfig(changes: Partial<TrainConfigInput> = {}): TrainConfigInput {
  return {
    model: scratch,
    data: { train: rows, evaluation: rows },
    rollout: { promptsPerStep: 4, samplesPerPrompt: 4 },
    optimizer: { learningRate: 0.5 },
    evaluation: { problems: 10, samples: 4 },
    preview: { prompts: 0 },
    steps: 6,
    output: join(scratch, `runs-${outputs++}`),
    ...changes,
  };
}

interface Finished {
  steps: StepMetrics[];
  events: TrainEvent[];
  policies: BanditPolicy[];
  folder: string;
  error: Error | null;
}

async function run(
  config: TrainConfigInput,
  options: TrainOptions & { prepare?: (policy: BanditPolicy) => void; stopAfter?: number } = {},
): Promise<Finished> {
  const { prepare, stopAfter = Infinity, ...rest } = options;
  const finished: Finished = { steps: [], events: [], policies: [], folder: '', error: null };
  try {
    const steps = train(config, {
      loadPolicy: async (directory) => {
        const policy = await BanditPolicy.load(directory);
        prepare?.(policy);
        finished.policies.push(policy);
        return policy;
      },
      ...rest,
      onEvent: (event) => {
        finished.events.push(event);
        if (event.type === 'start') finished.folder = event.folder;
        rest.onEvent?.(event);
      },
    });
    for await (const step of steps) {
      finished.steps.push(step);
      if (step.step >= stopAfter) break;
    }
  } catch (error) {
    finished.error = error as Error;
  }
  return finished;
}

const metricsOf = (folder: string): MetricsRow[] => readRows<MetricsRow>(join(folder, 'metrics.jsonl'));
const checkpointsOf = (folder: string): string[] => readdirSync(join(folder, 'checkpoints')).sort();
/** Without what depends on the clock and the machine. */
const timeless = (folder: string): unknown[] =>
  metricsOf(folder).map((row) => ({
    ...row,
    seconds: 0,
    tokensPerSecond: 0,
    memoryMiB: 0,
    ...(row.evaluation ? { evaluation: { ...row.evaluation, seconds: 0 } } : {}),
  }));
const rolloutsOf = (folder: string): string[] =>
  readdirSync(join(folder, 'rollouts'))
    .sort()
    .map((name) => `${name}\n${readFileSync(join(folder, 'rollouts', name), 'utf8')}`);

describe('a whole run', () => {
  test('learns, and leaves a complete run folder', async () => {
    const { steps, folder, policies, error } = await run(makeConfig({ steps: 40 }));
    expect(error).toBeNull();
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    expect(steps[39].rewardMean).toBeGreaterThan(steps[0].rewardMean + 0.5);

    const summary = JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8')) as Summary;
    expect(summary).toEqual({
      heldOut: { before: anyNumber, after: anyNumber, n: 10 },
      responseLength: { before: anyNumber, after: anyNumber },
      seconds: { training: anyNumber, total: anyNumber },
    });
    expect(summary.heldOut!.after).toBeGreaterThan(0.8);
    expect(summary.heldOut!.before).toBeLessThan(0.5);
    expect(metricsOf(folder).map(({ step }) => step)).toEqual(Array.from({ length: 41 }, (_, i) => i));
    expect(checkpointsOf(folder)).toEqual(['step-20', 'step-40']);
    expect(existsSync(join(folder, 'lock'))).toBe(false);
    expect(policies).toHaveLength(1);
    expect(policies[0].disposed).toBe(true);
  });

  test('the first-minute report changes no bit and is not made again', async () => {
    const previewsOf = ({ events }: Finished): TrainEvent[] => events.filter(({ type }) => type === 'preview');
    const without = await run(makeConfig({ preview: { prompts: 0 } }));
    const began = await run(makeConfig({ preview: { prompts: 3 } }), { stopAfter: 2 });
    const resumed = await run(makeConfig({ preview: { prompts: 3 }, output: began.folder }), { resume: began.folder });
    expect(previewsOf(without)).toEqual([]);
    expect(previewsOf(began)).toEqual([
      {
        type: 'preview',
        preview: expect.objectContaining({ prompts: 3, samples: 4, formatRate: anyNumber }) as object,
      },
    ]);
    expect(previewsOf(resumed)).toEqual([]);
    expect(existsSync(join(began.folder, 'preview.json'))).toBe(true);
    expect(timeless(began.folder)).toEqual(timeless(without.folder));
    expect(rolloutsOf(began.folder)).toEqual(rolloutsOf(without.folder));
  });

  test('rollout rows tell what happened to a sample', async () => {
    const { folder } = await run(makeConfig({ steps: 1, rollouts: { prompts: 2 } }));
    const samples = readRows<SampleRow>(join(folder, 'rollouts', 'step-000001.jsonl'));
    expect(samples).toHaveLength(8);
    for (const row of samples) {
      expect(row.id).toMatch(/^p\d$/);
      expect(row.reward).toBe({ 'wrong-format': -1, different: -0.5, equal: 1 }[row.reason]);
      expect(row.finishReason).toBe('stop');
    }
    const group = samples.slice(0, 4);
    expect(group.reduce((sum, row) => sum + row.advantage!, 0)).toBeCloseTo(0, 5);
  });

  test('uids are unique over steps and apart from those of evaluation', async () => {
    const { policies } = await run(makeConfig({ steps: 3 }));
    const uids = policies[0].sampleCalls.flatMap(({ options }) => options.uids!);
    const training = policies[0].sampleCalls
      .filter(({ prompts }) => prompts === 4)
      .flatMap(({ options }) => options.uids!);
    expect(training).toEqual(Array.from({ length: 12 }, (_, i) => i));
    expect(new Set(uids).size).toBe(12 + 10);
  });

  test.each(['reinforce', 'reinforce++', 'rloo'])('%s trains, also with KL', async (name) => {
    const { steps, error } = await run(
      makeConfig({ steps: 30, algorithm: { name }, kl: { initCoefficient: 0.01 }, data: { train: rows } }),
    );
    expect(error).toBeNull();
    expect(steps[29].rewardMean).toBeGreaterThan(steps[0].rewardMean);
    expect(steps[29].klPerSequence).toBeGreaterThan(0);
  });

  test('a strong KL keeps the policy near the reference', async () => {
    const [free, held] = await Promise.all(
      [0, 5].map((initCoefficient) =>
        run(makeConfig({ steps: 30, kl: { initCoefficient, measure: true }, optimizer: { learningRate: 0.2 } })),
      ),
    );
    expect(held.steps[29].klPerSequence).toBeLessThan(0.2 * free.steps[29].klPerSequence!);
  });

  test('ppo trains in two passes of four minibatches', async () => {
    const critic = new BanditCritic();
    const { steps, error } = await run(
      makeConfig({
        steps: 30,
        algorithm: { name: 'ppo' },
        rollout: { promptsPerStep: 8, samplesPerPrompt: 4 },
        optimizer: { objective: 'ppo', learningRate: 0.1, epochs: 2, minibatches: 4 },
        critic: { learningRate: 0.1 },
      }),
      { loadCritic: () => Promise.resolve(critic) },
    );
    expect(error).toBeNull();
    expect(steps[29].rewardMean).toBeGreaterThan(steps[0].rewardMean + 0.5);
    expect(steps.every(({ optimizerSteps }) => optimizerSteps === 8)).toBe(true);
    expect(steps.some(({ clipFraction }) => (clipFraction ?? 0) > 0)).toBe(true);
    // One pass, in as many minibatches as the policy's.
    expect(critic.steps).toBe(30 * 4);
    expect(critic.value).toBeGreaterThan(0.5);
  });

  test('while the critic alone learns, the policy makes no optimizer step, and its warm-up begins after it', async () => {
    const calls: number[] = [];
    const { steps, folder } = await run(
      makeConfig({
        steps: 6,
        algorithm: { name: 'ppo' },
        optimizer: { learningRate: 0.4, warmupSteps: 2, schedule: 'linear', minibatches: 1 },
        critic: { warmupSteps: 2 },
        kl: { initCoefficient: 0.1, target: 1e-6, horizon: 10 },
      }),
      {
        loadCritic: () => Promise.resolve(new BanditCritic()),
        prepare: (policy) =>
          (policy.gradNorm = (step) => {
            calls.push(step);
            return 1;
          }),
      },
    );
    expect(calls).toEqual([1, 2, 3, 4]);
    expect(steps.map(({ learningRate }) => learningRate)).toEqual([0, 0, 0.2, 0.4, 0.4, 0.2]);
    expect(steps.map(({ optimizerSteps }) => optimizerSteps)).toEqual([0, 0, 1, 1, 1, 1]);
    expect(steps.map(({ loss }) => loss === null)).toEqual([true, true, false, false, false, false]);
    expect(steps.map(({ applied }) => applied)).toEqual(Array(6).fill(true));
    // Estimated from the samples, of which there are 16 in a step: the entropy of the choice over all tokens.
    for (const { entropy } of steps.slice(0, 2)) expect(entropy).toBeGreaterThan(0.03);
    expect(steps[0].tokensPerSecond.step).toBeNull();
    expect(steps[1].klCoefficient).toBe(0.1);
    expect(metricsOf(folder).filter((row) => 'loss' in row && row.loss === null)).toHaveLength(2);
  });

  test('a gradient that is not finite ends the optimizer steps on its rollouts', async () => {
    const { steps, events } = await run(makeConfig({ steps: 2, optimizer: { learningRate: 0.5, minibatches: 4 } }), {
      prepare: (policy) => (policy.gradNorm = (step) => (step === 3 ? NaN : 1)),
    });
    expect(steps.map(({ applied, optimizerSteps }) => [applied, optimizerSteps])).toEqual([
      [false, 2],
      [true, 4],
    ]);
    expect(events).toContainEqual({
      type: 'warning',
      message: 'Step 1 was cut short after 2 optimizer steps: its gradient was not finite',
    });
  });

  test('the reference is loaded only where a KL is wanted', async () => {
    expect((await run(makeConfig({ steps: 1 }))).policies).toHaveLength(1);
    const { policies, steps } = await run(makeConfig({ steps: 1, kl: { measure: true } }));
    expect(policies).toHaveLength(2);
    expect(policies[1].disposed).toBe(true);
    expect(steps[0].klPerToken).toBe(0);
  });
});

describe('resume', () => {
  const config = (): TrainConfigInput =>
    makeConfig({
      checkpoint: { every: 2, keep: 2 },
      evaluation: { every: 3, problems: 10 },
      algorithm: { name: 'reinforce', baseline: 'running' },
    });

  test('a run that was left and resumed equals the uninterrupted one', async () => {
    const whole = await run(config());
    const settings = config();
    const first = await run(settings, { stopAfter: 3 });
    expect(checkpointsOf(first.folder)).toEqual(['step-2', 'step-3']);
    const second = await run(settings, { resume: first.folder });
    expect(second.error).toBeNull();
    expect(second.folder).toBe(first.folder);
    expect(second.steps.map(({ step }) => step)).toEqual([4, 5, 6]);
    expect(timeless(second.folder)).toEqual(timeless(whole.folder));
    expect(rolloutsOf(second.folder)).toEqual(rolloutsOf(whole.folder));
  });

  test('rows after the checkpoint and a torn line are written again', async () => {
    const whole = await run(config());
    const settings = config();
    const { folder } = await run(settings, { stopAfter: 4 });
    const metrics = join(folder, 'metrics.jsonl');
    appendFileSync(metrics, `${JSON.stringify({ step: 5, rewardMean: 99 })}\n{"step":6,"rewar`);
    writeFileSync(join(folder, 'rollouts', 'step-000005.jsonl'), 'old');
    expect((await run(settings, { resume: folder })).error).toBeNull();
    expect(timeless(folder)).toEqual(timeless(whole.folder));
    expect(rolloutsOf(folder)).toEqual(rolloutsOf(whole.folder));
  });

  test('without a checkpoint it starts again; a finished run only writes its summary', async () => {
    const settings = config();
    const failed = await run(settings, { reward: () => NaN });
    expect(checkpointsOf(failed.folder)).toEqual([]);
    const again = await run(settings, { resume: failed.folder });
    expect(again.steps).toHaveLength(6);
    const done = await run(settings, { resume: failed.folder });
    expect(done.steps).toHaveLength(0);
    expect(existsSync(join(failed.folder, 'summary.json'))).toBe(true);
    expect(metricsOf(failed.folder)).toHaveLength(7);
  });

  test('more steps go on from the end', async () => {
    const settings = config();
    const { folder } = await run(settings);
    const longer = await run({ ...settings, steps: 8 }, { resume: folder });
    expect(longer.steps.map(({ step }) => step)).toEqual([7, 8]);
    expect(readFileSync(join(folder, 'config.resolved.yaml'), 'utf8')).toContain('steps: 8');
  });

  test('a folder that is no run is refused', async () => {
    expect((await run(config(), { resume: scratch })).error).toMatchObject({ code: 'ERR_ZERO_RL_CONFIG' });
  });

  test('a folder that another process writes is refused; a stale lock is not', async () => {
    const settings = config();
    const { folder } = await run(settings, { stopAfter: 2 });
    const file = writeLock(join(folder, 'lock'), ownerHere(process.ppid, startOf(process.ppid)));
    const refused = await run(settings, { resume: folder });
    expect(refused.error).toMatchObject({ code: 'ERR_ZERO_RL_OUTPUT' });
    expect(refused.error?.message).toContain(`is being written by process ${process.ppid}`);
    expect(existsSync(join(folder, 'lock'))).toBe(true);
    writeFileSync(file, JSON.stringify(ownerHere(process.ppid)));
    expect((await run(settings, { resume: folder })).error).toBeNull();
  });
});

describe('what goes wrong', () => {
  test('an aborted run saves a checkpoint of the last whole step', async () => {
    const controller = new AbortController();
    const { error, folder, steps } = await run(makeConfig({ evaluation: { problems: 10 } }), {
      signal: controller.signal,
      prepare: (policy) => (policy.beforeSample = (call) => call === 4 && controller.abort()),
    });
    expect(error).toMatchObject({ code: 'ERR_ZERO_RL_ABORTED' });
    expect(error?.message).toContain(`stopped after step 2; go on with resume: ${folder}`);
    expect(steps).toHaveLength(2);
    expect(checkpointsOf(folder)).toEqual(['step-2']);
    expect(existsSync(join(folder, 'lock'))).toBe(false);
  });

  test('a run aborted in an evaluation has its row and its evaluation after it is resumed', async () => {
    const config = makeConfig({ evaluation: { problems: 10, samples: 4, every: 2 } });
    const whole = await run(config);
    const controller = new AbortController();
    const { error, folder } = await run(
      { ...config, output: join(scratch, `runs-${outputs++}`) },
      // Evaluation, steps 1 and 2, evaluation.
      {
        signal: controller.signal,
        prepare: (policy) => (policy.beforeSample = (call) => call === 4 && controller.abort()),
      },
    );
    expect(error?.message).toContain('stopped after step 2');
    expect(metricsOf(folder).map(({ step }) => step)).toEqual([0, 1]);
    expect(checkpointsOf(folder)).toEqual(['step-2']);
    const resumed = await run({ ...config, output: join(folder, '..') }, { resume: folder });
    expect(resumed.steps.map(({ step }) => step)).toEqual([2, 3, 4, 5, 6]);
    expect(timeless(folder)).toEqual(timeless(whole.folder));
    expect(rolloutsOf(folder)).toEqual(rolloutsOf(whole.folder));
  });

  describe('an abort', () => {
    const never = new Promise<never>(() => undefined);
    const aborted = { code: 'ERR_ZERO_RL_ABORTED' };

    test('before the run is opened loads nothing', async () => {
      const config = makeConfig();
      const { error, policies } = await run(config, { signal: AbortSignal.abort() });
      expect(error).toMatchObject({ ...aborted, message: 'The run was stopped before it began' });
      expect(policies).toEqual([]);
      expect(existsSync(config.output!)).toBe(false);
    });

    test('does not wait for a model; the one that comes too late is disposed of', async () => {
      const controller = new AbortController();
      const late = new BanditPolicy();
      let arrive = (): void => undefined;
      const config = makeConfig();
      const { error } = await run(config, {
        signal: controller.signal,
        loadPolicy: () => {
          setImmediate(() => controller.abort());
          return new Promise((resolve) => (arrive = () => resolve(late)));
        },
      });
      expect(error).toMatchObject(aborted);
      expect(readdirSync(config.output!)).toEqual([]);
      expect(late.disposed).toBe(false);
      arrive();
      await new Promise(setImmediate);
      expect(late.disposed).toBe(true);
    });

    test('while a run is opened again leaves it as it was, unlocked', async () => {
      const config = makeConfig({ checkpoint: { every: 2 } });
      const whole = await run(makeConfig({ checkpoint: { every: 2 } }));
      const { folder } = await run(config, { stopAfter: 3 });
      const before = timeless(folder);
      const controller = new AbortController();
      const stopped = await run(config, {
        resume: folder,
        signal: controller.signal,
        loadPolicy: () => {
          setImmediate(() => controller.abort());
          return never;
        },
      });
      expect(stopped.error?.message).toBe(`The run was stopped before it began; go on with resume: ${folder}`);
      expect(timeless(folder)).toEqual(before);
      expect(existsSync(join(folder, 'lock'))).toBe(false);
      await run(config, { resume: folder });
      expect(timeless(folder)).toEqual(timeless(whole.folder));
    });

    // Preview, evaluation, step 1 with its refill.
    test.each([
      ['the preview', 1],
      ['the evaluation before training', 2],
      ['the first step', 3],
      ['a refill', 4],
    ])('in %s is heeded while the reward waits for ever, and the run resumes to the same end', async (_, call) => {
      const changes = {
        preview: { prompts: 2 },
        rollout: { promptsPerStep: 4, samplesPerPrompt: 4, dynamicSampling: { rounds: 1 } },
        steps: 3,
      };
      const rewardOf = ({ index = 0, problem }: RewardSample): number =>
        index === 3 && Number(problem.problem) % 2 ? 1 : 0.5;
      const whole = await run(makeConfig(changes), { reward: rewardOf });
      const controller = new AbortController();
      const config = makeConfig(changes);
      let sampled: BanditPolicy | undefined;
      let waits = 0;
      const reward = (sample: RewardSample): RewardResult | Promise<never> => {
        if (sampled?.sampleCalls.length !== call) return rewardOf(sample);
        if (waits++ === 0) setImmediate(() => controller.abort());
        return never;
      };
      const stopped = await run(config, {
        signal: controller.signal,
        prepare: (policy) => (sampled = policy),
        reward,
      });
      expect(stopped.error).toMatchObject(aborted);
      expect(waits).toBeGreaterThan(0);
      expect(whole.steps[0].sampledGroups).toBeGreaterThan(4);
      const { folder } = stopped;
      expect(existsSync(join(folder, 'lock'))).toBe(false);
      const resumed = await run(config, { resume: folder, reward: rewardOf });
      expect(resumed.error).toBeNull();
      expect(timeless(folder)).toEqual(timeless(whole.folder));
      expect(rolloutsOf(folder)).toEqual(rolloutsOf(whole.folder));
      expect(existsSync(join(folder, 'preview.json'))).toBe(true);
    });
  });

  test('a NaN reward names the prompt and loses nothing', async () => {
    let calls = 0;
    const { error, folder } = await run(makeConfig({ data: { train: rows } }), {
      reward: () => (++calls > 40 ? NaN : 1),
    });
    expect(error).toMatchObject({ code: 'ERR_ZERO_RL_DATA' });
    expect(error?.message).toMatch(/The reward of sample \d of prompt "p\d" is NaN/);
    expect(metricsOf(folder).map(({ step }) => step)).toEqual([1, 2]);
    expect(checkpointsOf(folder)).toEqual(['step-2']);
  });

  test('samples that cannot be scored are left out of the step', async () => {
    const { steps } = await run(makeConfig({ steps: 1 }), {
      reward: ({ problem }) => (Number(problem.problem) % 2 ? null : 0.5),
    });
    expect(steps[0].excludedSamples).toBeGreaterThan(0);
    expect(steps[0].excludedSamples).toBeLessThan(16);
    expect(steps[0].rewardMean).toBe(0.5);
    const none = await run(makeConfig({ steps: 1, data: { train: rows } }), { reward: () => null });
    expect(none.error?.message).toContain('No sample of step 1 could be scored (unscored)');
  });

  test('a reward that never ends in time on any sample ends the run', async () => {
    const late = { reward: null, reason: 'timeout' };
    const some = await run(makeConfig({ steps: 1 }), { reward: ({ index }) => (index === 0 ? late : 0.5) });
    expect(some.steps[0]).toMatchObject({ excludedSamples: 4, timedOutSamples: 4, rewardMean: 0.5 });
    const none = await run(makeConfig({ steps: 1, data: { train: rows } }), { reward: () => late });
    expect(none.error).toMatchObject({ code: 'ERR_ZERO_RL_DATA' });
    expect(none.error?.message).toContain('did not end in time on any of 16 samples');
  });

  describe('samples that come too late', () => {
    const late = { reward: null, reason: 'timeout' };
    /** A run in which `score` is told how often the policy has sampled. */
    const lateRun = async (
      changes: Partial<TrainConfigInput>,
      score: (call: number, sample: RewardSample) => RewardResult,
      options: TrainOptions = {},
    ): Promise<Finished> => {
      const sampled: BanditPolicy[] = [];
      return run(makeConfig({ data: { train: rows }, steps: 2, ...changes }), {
        ...options,
        prepare: (policy) => sampled.push(policy),
        reward: (sample) => score(sampled[0].sampleCalls.length, sample),
      });
    };
    const rewardOf = ({ index = 0 }: RewardSample): number => index % 2;
    const warningsOf = ({ events }: Finished): string[] =>
      events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));

    test('in a whole round of refills are not taken', async () => {
      const { error, steps } = await lateRun(
        { steps: 1, rollout: { promptsPerStep: 4, samplesPerPrompt: 4, dynamicSampling: { rounds: 1 } } },
        (call, sample) => (call === 2 ? late : Number(sample.problem.problem) % 2 ? 0.5 : rewardOf(sample)),
      );
      expect(error).toBeNull();
      expect(steps[0]).toMatchObject({ timedOutSamples: 0, groups: 4, samples: 16 });
      expect(steps[0].sampledGroups).toBeGreaterThan(4);
    });

    test.each([
      [{ name: 'rloo', numerics: 'openrlhf' }],
      [{ name: 'pass-at-k', numerics: 'verl' }],
      [{ name: 'reinforce++-baseline' }],
    ] as const)('leave the one that has no sibling out of %j', async (algorithm) => {
      const { error, steps, folder } = await lateRun({ algorithm, steps: 1 }, (_, sample) => {
        const first = sample.problem.problem < '5';
        return first && sample.index! > 0 ? late : rewardOf(sample);
      });
      expect(error).toBeNull();
      const written = readRows<SampleRow>(join(folder, 'rollouts', 'step-000001.jsonl'));
      const alone = written.filter(({ reason }) => reason === 'alone');
      expect(alone.length).toBeGreaterThan(0);
      for (const { sample, reward, advantage } of alone)
        expect([sample, reward, advantage]).toEqual([0, null, undefined]);
      expect(steps[0].timedOutSamples).toBe(3 * alone.length);
      expect(steps[0].excludedSamples).toBe(4 * alone.length);
    });

    test.each<[string, TrainOptions]>([
      ['reinforce', {}],
      ['rloo', { estimator: ({ lengths }) => Array.from(lengths, (length) => new Float32Array(length).fill(1)) }],
    ])('stay without a group baseline, whatever becomes of their siblings (%s %j)', async (name, options) => {
      const score = (_: number, sample: RewardSample): RewardResult => (sample.index! > 0 ? late : 1);
      const { error, steps } = await lateRun({ algorithm: { name }, steps: 1 }, score, options);
      expect(error).toBeNull();
      expect(steps[0]).toMatchObject({ excludedSamples: 12, rewardMean: 1 });
    });

    test('give their places to other prompts where no sample of a step is left', async () => {
      const score = (call: number, sample: RewardSample): RewardResult =>
        call === 2 || call === 3 ? late : rewardOf(sample);
      const config = { checkpoint: { every: 1 }, steps: 3 };
      const whole = await lateRun(config, score);
      expect(whole.error).toBeNull();
      expect(whole.steps.map(({ sampledGroups, timedOutSamples }) => [sampledGroups, timedOutSamples])).toEqual([
        [4, 0],
        [12, 0],
        [4, 0],
      ]);
      expect(warningsOf(whole).filter((text) => text.includes('other prompts'))).toEqual(
        Array(2).fill('None of the 16 samples of step 2 could be scored (timeout); other prompts are tried'),
      );
      const keys = readRows<SampleRow>(join(whole.folder, 'rollouts', 'step-000002.jsonl')).map(({ uid }) => uid);
      expect(Math.min(...keys)).toBe(2 ** 44 + (1 * 3 + 1) * 4);
    });

    test('end the run where those of other prompts do as well', async () => {
      const { error, steps, policies } = await lateRun({}, (call, sample) => (call >= 2 ? late : rewardOf(sample)));
      expect(steps).toHaveLength(1);
      expect(error?.message).toContain('did not end in time on any of 16 samples');
      expect(policies[0].sampleCalls).toHaveLength(5);
    });

    test('in the greedy completions leave the mean of the samples as the baseline', async () => {
      const { error, steps } = await lateRun({ algorithm: { name: 'remax' } }, (call, sample) =>
        call % 2 ? rewardOf(sample) : late,
      );
      expect(error).toBeNull();
      expect(steps).toHaveLength(2);
    });

    test('in an evaluation end the run only before its first step', async () => {
      const config = { data: { train: rows, evaluation: rows }, evaluation: { problems: 4, every: 1 } };
      // Evaluation, step 1, evaluation, step 2, evaluation.
      const later = await lateRun(config, (call, sample) => (call === 3 ? late : rewardOf(sample)));
      expect(later.error).toBeNull();
      expect(warningsOf(later).filter((text) => text.startsWith('The evaluation'))).toEqual([
        expect.stringMatching(/^The evaluation after step 1 says nothing: .* on any of 4 samples/),
      ]);
      const first = await lateRun(config, () => late);
      expect(first.error?.message).toContain('on any of 4 samples');
      expect(first.steps).toEqual([]);
    });

    test('in a batch of the measured difficulty leave out its problems', async () => {
      const difficulty = { samples: 2, minPassRate: 0, maxPassRate: 1 };
      const config = { data: { train: rows, difficulty } };
      const scored = (sample: RewardSample): RewardResult => ({ reward: rewardOf(sample), correct: true });
      const some = await lateRun(config, (call, sample) => (call === 2 ? late : scored(sample)));
      expect(some.error).toBeNull();
      expect(some.events).toContainEqual(expect.objectContaining({ type: 'start', problems: 6 }));
      expect((await lateRun(config, () => late)).error?.message).toContain('on any of 8 samples');
    });
  });

  test('gradients that are not finite are skipped and, three in a row, end the run', async () => {
    const blip = await run(makeConfig(), { prepare: (policy) => (policy.gradNorm = (step) => (step === 2 ? NaN : 1)) });
    expect(blip.error).toBeNull();
    expect(blip.steps.map(({ applied }) => applied)).toEqual([true, false, true, true, true, true]);
    expect(blip.events).toContainEqual({
      type: 'warning',
      message: expect.stringContaining('Step 2 was skipped') as string,
    });

    const lost = await run(makeConfig(), {
      prepare: (policy) => (policy.gradNorm = (step) => (step > 2 ? Infinity : 1)),
    });
    expect(lost.error).toMatchObject({ code: 'ERR_ZERO_RL_WATCHDOG' });
    expect(lost.error?.message).toContain('for 3 steps up to step 5');
    expect(lost.steps).toHaveLength(5);
  });

  test('an output folder that cannot be made is one error before anything runs', async () => {
    const { error, policies } = await run(makeConfig({ output: join(rows, 'runs') }));
    expect(error).toMatchObject({ code: 'ERR_ZERO_RL_OUTPUT' });
    expect(policies).toHaveLength(0);
  });

  test('a disk that fills up during a checkpoint keeps the older one', async () => {
    const { error, folder } = await run(makeConfig({ checkpoint: { every: 2 } }), {
      prepare: (policy) => {
        const save = policy.save.bind(policy);
        let saves = 0;
        policy.save = (directory) =>
          ++saves > 1
            ? Promise.reject(Object.assign(new Error('full'), { code: 'ERR_ZERO_RL_OUTPUT' }))
            : save(directory);
      },
    });
    expect(error).toMatchObject({ code: 'ERR_ZERO_RL_OUTPUT' });
    expect(checkpointsOf(folder)).toEqual(['step-2']);
    expect(metricsOf(folder).at(-1)?.step).toBe(4);
  });

  test('an estimator of the wrong shape is one error', async () => {
    const { error } = await run(makeConfig(), {
      estimator: ({ lengths }) => Array.from(lengths, () => new Float32Array(1)),
    });
    expect(error?.message).toMatch(/The estimator given must return \d+ finite numbers for sequence 0/);
  });

  test('an estimator that throws is one error which names it', async () => {
    const { error } = await run(makeConfig(), {
      estimator: () => {
        throw new Error('no groups');
      },
    });
    expect(error).toMatchObject({ code: 'ERR_ZERO_RL_DATA', message: 'The estimator given threw: no groups' });
  });

  test('a missing model folder is named before a run folder is made', async () => {
    const config = makeConfig({ model: join(scratch, 'nowhere') });
    expect((await run(config)).error).toMatchObject({ code: 'ERR_ZERO_RL_CHECKPOINT' });
    expect(existsSync(config.output!)).toBe(false);
  });
});

describe('requests in the run folder', () => {
  const started: string[] = [];
  beforeEach(() => {
    started.length = 0;
  });
  const logOf = (folder: string): string[] =>
    readRows<LogRow>(join(folder, 'events.jsonl'))
      .map(({ type }) => type)
      .filter((type) => type !== 'warning');

  test('stop keeps a checkpoint, and the run resumes to the same end', async () => {
    const config = makeConfig();
    const whole = await run(config);
    const stopped = await run(makeConfig(), {
      prepare: (policy) => {
        // The first call is the evaluation before training.
        policy.beforeSample = (call) => {
          if (call === 3) request(started[0], 'stop');
        };
      },
      onEvent: (event) => {
        if (event.type === 'start') started.push(event.folder);
      },
    });
    expect(stopped.error).toMatchObject({
      code: 'ERR_ZERO_RL_ABORTED',
      message: expect.stringContaining('asked to stop'),
    });
    expect(stopped.steps.map(({ step }) => step)).toEqual([1, 2]);
    expect(checkpointsOf(started[0])).toEqual(['step-2']);
    expect(logOf(started[0])).toEqual(['start', 'stop', 'checkpoint']);
    const resumed = await run({ ...config, output: join(started[0], '..') }, { resume: started[0] });
    expect(resumed.error).toBeNull();
    expect(timeless(started[0])).toEqual(timeless(whole.folder));
  });

  test('pause waits between steps, checkpoint saves meanwhile, and withdrawing it goes on', async () => {
    const pauses: boolean[] = [];
    const { folder, error } = await run(makeConfig({ steps: 3 }), {
      onEvent: (event) => {
        if (event.type === 'start') request(event.folder, 'pause');
        if (event.type === 'start') started[0] = event.folder;
        if (event.type === 'checkpoint' && event.step === 0) withdraw(started[0], 'pause');
        if (event.type !== 'pause') return;
        pauses.push(event.paused);
        if (event.paused) request(started[0], 'checkpoint');
      },
    });
    expect(error).toBeNull();
    expect(pauses).toEqual([true, false]);
    expect(logOf(started[0] ?? folder)).toEqual(['start', 'pause', 'checkpoint', 'go-on', 'checkpoint', 'finish']);
  });

  test('a request that a killed process left is not obeyed by the next one', async () => {
    const first = await run(makeConfig({ steps: 2 }));
    request(first.folder, 'stop');
    const config = { ...makeConfig({ steps: 4 }), output: join(first.folder, '..') };
    const { error, steps } = await run(config, { resume: first.folder });
    expect(error).toBeNull();
    expect(steps.map(({ step }) => step)).toEqual([3, 4]);
  });
});

test('rollouts keep the log-probs of their tokens, the KL where there is a reference, and the terms of a sum', async () => {
  const reward = ['math', { name: 'length' as const, buffer: 4, weight: 0.5 }] as const;
  const config = { steps: 1, reward: [...reward], kl: { measure: true } };
  const { folder } = await run(makeConfig(config));
  const [row] = readRows<SampleRow>(join(folder, 'rollouts/step-000001.jsonl'));
  expect(row.logProbs).toHaveLength(row.length);
  expect(row.kl).toHaveLength(row.length);
  expect(row.logProbs?.[0]).toBeLessThan(0);
  expect(row.parts?.map(({ name, weight }) => [name, weight])).toEqual([
    ['math', 1],
    ['length', 0.5],
  ]);
  const sum = row.parts?.reduce((total, part) => total + part.weight * part.reward, 0);
  expect(sum).toBeCloseTo(row.reward ?? NaN);
  const without = await run(makeConfig({ steps: 1, rollouts: { tokens: false } }));
  const [bare] = readRows<SampleRow>(join(without.folder, 'rollouts/step-000001.jsonl'));
  expect(bare).not.toHaveProperty('logProbs');
});
