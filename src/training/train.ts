/**
 * The training loop of zero-RL: data → template → sample → reward → (reference log-probs) → advantages → step → metrics.
 * Each step is a function of the config, the weights and its number, so a resumed run repeats the uninterrupted one.
 */
import { existsSync } from 'node:fs';
import { runningBaseline } from '../algorithms';
import { isZeroRlError, ZeroRlError } from '../errors';
import { stepMetrics, type StepMetrics } from '../observe/metrics';
import { EventLog } from '../observe/tensorboard/event-log';
import { timed, timedSync } from '../profile/spans';
import { stopIdleVerifiers } from '../verifier';
import { adapt, averageWeights, followPolicy } from './adapt';
import { checkBest, noteBest, saveCheckpoint } from './checkpoint';
import { collectSamples } from './collect';
import { clearRequests, obey } from './control';
import { configAt, criticLearnsAlone, learningRate, type TrainConfigInput } from './config';
import { evaluateRun, type Evaluations } from './evaluate-run';
import { trainCritic } from './critic';
import { finish, report } from './finish';
import { brokenWeights, Guard, isNotFinite } from './guard';
import { resolveConfig } from './load-config';
import { makeBatch } from './make-batch';
import { openRun, type InputOptions } from './open-run';
import { optimize } from './optimize';
import { PhaseClock } from './phase-clock';
import { makePreview } from './preview';
import { stepOptions } from './phase-options';
import { rollBack, rollbacksBefore } from './rollback';
import { RunLog } from './run-log';
import { runFiles, type MetricsRow } from './run-folder';
import type { TrainEvent } from './train-event';
import { loadCritic, loadPolicy, type LoadCritic, type LoadPolicy } from './training-policy';
import { truncationWarning } from './truncation';
import { advice } from './watchdog';
import { writeRollouts } from './write-rollouts';

/**
 * Aborting `signal` ends the run: the step under way is given up, a checkpoint is saved, and `ERR_ZERO_RL_ABORTED` is thrown.
 * Warnings are events.
 */
export interface TrainOptions extends Omit<InputOptions, 'warn'> {
  /** Run folder to go on with. */
  resume?: string;
  /** With `resume`: go on even where steps are erased and done again that a checkpoint should have kept. Default false. */
  discardSteps?: boolean;
  onEvent?: (event: TrainEvent) => void;
  /** How model folders become policies. Default `Policy.load`. */
  loadPolicy?: LoadPolicy;
  /** How folders become critics. Default `Critic.load`. */
  loadCritic?: LoadCritic;
}

/**
 * Trains and yields the metrics of each step once its checkpoint and evaluation, where due, are done. Leaving the loop
 * early saves a checkpoint.
 *
 * @param input Config; see {@link configSchema} for keys and defaults. With `options.resume` give the run's own
 *   config (`config.resolved.yaml`), changed where wanted.
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG`, `_DATA`, `_CHECKPOINT`, `_OUTPUT`, `_ABORTED`, or `_WATCHDOG` when a
 *   rule of `watchdog` stops the run, e.g. after three gradients in a row that are not finite.
 */
export async function* train(
  input: TrainConfigInput,
  options: TrainOptions = {},
): AsyncGenerator<StepMetrics, void, undefined> {
  let again = yield* trainUntilAlarm(input, options, clearRequests);
  while (again !== null) again = yield* trainUntilAlarm(input, { ...options, resume: again });
}

/** Trains to the end (null) or until the watchdog has gone back to a checkpoint; then the folder to go on with. */
async function* trainUntilAlarm(
  input: TrainConfigInput,
  options: TrainOptions,
  atStart: (folder: string) => void = () => undefined,
): AsyncGenerator<StepMetrics, string | null, undefined> {
  const opened = performance.now();
  const { signal, onEvent: emit = () => undefined } = options;
  const warnings: string[] = [];
  const early = (message: string): void => {
    warnings.push(message);
    emit({ type: 'warning', message });
  };
  const run = await timed('load', () =>
    openRun(resolveConfig(input, 'the config', early), {
      ...options,
      loadPolicy: options.loadPolicy ?? loadPolicy,
      loadCritic: options.loadCritic ?? loadCritic,
      onDifficulty: (measured, total) => emit({ type: 'difficulty', measured, total }),
      warn: early,
    }),
  );
  const { config, policy, reference, problems, folder, state } = run;
  const log = new RunLog(folder, state, emit);
  const { warn } = log;
  for (const message of warnings) log.note('warning', message);
  atStart(folder.path);
  const earlier = state.seconds.total;
  let savedStep = state.step;

  const save = async (): Promise<void> => {
    emit({ type: 'phase', phase: 'checkpoint' });
    state.seconds.total = earlier + (performance.now() - opened) / 1000;
    const path = await timed('checkpoint', async () => {
      run.lock.check();
      await folder.sync();
      return saveCheckpoint(folder.file(runFiles.checkpoints), run);
    });
    savedStep = state.step;
    log.note('checkpoint', `checkpoint of step ${state.step}`);
    emit({ type: 'checkpoint', step: state.step, path });
  };
  const goBack = async (first: number): Promise<string> => {
    savedStep = state.step;
    const message = `The run goes back to step ${await rollBack(folder, first)}`;
    log.note('rollback', message);
    emit({ type: 'warning', message });
    return folder.path;
  };
  let closed = false;
  /** Saves, once, what the last checkpoint lacks. */
  const saveLast = async (): Promise<void> => {
    if (closed || state.step <= savedStep) return;
    closed = true;
    try {
      await save();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ZeroRlError(
        'ERR_ZERO_RL_OUTPUT',
        `The closing checkpoint of step ${state.step} was not saved, so resume: ${folder.path} goes on after step ${savedStep}: ${why}`,
        { cause },
      );
    }
  };
  const evaluateNow = (): Promise<Evaluations> => timed('evaluation', () => evaluateRun(run, { emit, warn, signal }));

  try {
    const { parameterCount: parameters } = policy;
    const truncation = truncationWarning(config.rollout);
    if (truncation !== null) warn(truncation);
    log.note('start', state.step === 0 ? 'the run begins' : `the run goes on after step ${state.step}`);
    emit({
      type: 'start',
      folder: folder.path,
      config,
      step: state.step,
      parameters,
      problems: problems.length,
      heldOut: run.heldOut.length,
    });
    if (state.step === 0 && config.preview.prompts > 0 && !existsSync(folder.file(runFiles.preview))) {
      emit({ type: 'phase', phase: 'preview' });
      const { preview } = await timed('preview', () => makePreview({ ...run, signal }));
      await folder.writePreview(preview);
      emit({ type: 'preview', preview });
    }
    const events = await timed('record', () => EventLog.open(folder.path, folder.metrics()));
    const record = (row: MetricsRow): Promise<void> =>
      timed('record', async () => {
        run.lock.check();
        await folder.appendMetrics(row);
        await events.write(row);
      });
    if (state.step === 0 && run.heldOut.length > 0 && folder.metrics().length === 0) {
      const first = await evaluateNow();
      await record({ step: 0, ...first });
      checkBest(config, first.evaluation);
    }
    /** Evaluates where that is due and writes the row; true where the checkpoint is the best so far. */
    const conclude = async (metrics: StepMetrics): Promise<boolean> => {
      if (run.heldOut.length > 0 && isDue(config.evaluation.every, metrics.step, config.steps))
        Object.assign(metrics, await evaluateNow());
      const best = metrics.evaluation !== undefined && noteBest(config, state, metrics.evaluation);
      await record(metrics);
      state.unfinished = null;
      return best;
    };
    if (state.unfinished) {
      const metrics = state.unfinished;
      await conclude(metrics);
      await save();
      yield metrics;
    }
    const guard = new Guard(run);

    while (state.step < config.steps) {
      signal?.throwIfAborted();
      const onPause = (paused: boolean): void => {
        log.note(paused ? 'pause' : 'go-on', paused ? 'the run waits, as asked' : 'the run goes on');
        emit({ type: 'pause', paused, step: state.step });
      };
      if ((await obey(folder.path, { save, onPause, signal })) === 'stop') {
        log.note('stop', 'the run stops, as asked');
        throw new ZeroRlError(
          'ERR_ZERO_RL_ABORTED',
          `The run was asked to stop and did so after step ${state.step}; go on with resume: ${folder.path}`,
        );
      }
      const step = state.step + 1;
      const clock = new PhaseClock(emit);
      const now = configAt(config, step, rollbacksBefore(run.rollbacks, step));
      const { temperature } = now.rollout;

      const collected = await collectSamples(run, now, step, clock, { signal, warn });
      const { samples, sampled } = collected;
      const { scored, sequences, values, kl, batch, advantages, trained } = await makeBatch(
        run,
        now,
        step,
        collected,
        clock,
        signal,
      );
      // A step is finished even when aborted meanwhile: half of one could not be resumed.
      const criticMetrics =
        values &&
        (await clock.time('critic', () => trainCritic({ ...run, config: now }, sequences, batch, values, step)));
      // A step at learning rate 0 would still move the optimizer's moments.
      const stats = criticLearnsAlone(now, step)
        ? null
        : await clock.time('step', () => optimize({ ...run, config: now }, trained, batch.groups, step));

      await timed('average', async () => {
        await followPolicy(config, step, reference, policy);
        await averageWeights(config, run.ema, policy);
      });
      state.baseline = runningBaseline(state.baseline, batch.rewards, config.algorithm.baselineDecay);
      state.step = step;
      state.seconds.training += clock.total;
      const metrics = timedSync('metrics', () =>
        stepMetrics({
          step,
          samples,
          kl,
          stats,
          learningRate: learningRate(now, step),
          temperature,
          sampled,
          critic: criticMetrics,
          klCoefficient: state.klScale * (config.kl.initCoefficient || config.kl.lossCoefficient),
          entropyCoefficient: stepOptions(now, step, state).entropyCoefficient ?? 0,
          seconds: clock.seconds,
          total: clock.total,
        }),
      );
      const { klPerSequence, entropy } = metrics;
      const learnt = stats?.applied ?? false;
      for (const message of adapt(config, state, { learnt, klPerSequence, samples: scored.length, entropy }))
        warn(message);
      state.unfinished = metrics;
      if (step === 1 || isDue(config.rollouts.every, step, config.steps))
        await timed('record', () => writeRollouts(run, step, { samples, scored, advantages, kl }));
      if (stats && !stats.applied) {
        const { optimizerSteps } = stats;
        const what = optimizerSteps === 0 ? 'skipped' : `cut short after ${optimizerSteps} optimizer steps`;
        warn(`Step ${step} was ${what}: its gradient was not finite`);
      }
      if (criticMetrics && !criticMetrics.applied)
        warn(`The critic's gradient of step ${step} was not finite; it stays`);
      const alarm = await guard.check(metrics, scored, kl, advantages, log.alarm);
      if (alarm?.action === 'rollback') return await goBack(alarm.first);
      const best = await conclude(metrics);
      if (best || isDue(config.checkpoint.every, step, config.steps)) await save();
      yield metrics;
      if (alarm) {
        throw new ZeroRlError(
          'ERR_ZERO_RL_WATCHDOG',
          `The run was stopped: ${alarm.message}; ${advice[alarm.rule]}, or mend what ${folder.file(runFiles.watchdog)} shows`,
        );
      }
    }
    state.seconds.total = earlier + (performance.now() - opened) / 1000;
    log.note('finish', `the run has done its ${config.steps} steps`);
    await finish(run, emit);
    return null;
  } catch (error) {
    // Such weights are nothing to go on with.
    if (isNotFinite(error)) savedStep = state.step;
    const alarm = brokenWeights(run, error);
    if (alarm) {
      log.alarm(alarm);
      if (alarm.action === 'rollback') return await goBack(alarm.first);
      throw new ZeroRlError('ERR_ZERO_RL_WATCHDOG', `The run was stopped: ${alarm.message}; ${advice[alarm.rule]}`, {
        cause: error,
      });
    }
    const asked = signal?.aborted === true || (isZeroRlError(error) && error.code === 'ERR_ZERO_RL_ABORTED');
    await saveLast().catch((unsaved: unknown) => {
      if (asked) throw unsaved;
      // The error under way says more.
      warn((unsaved as ZeroRlError).message);
    });
    if (!signal?.aborted) throw error;
    throw new ZeroRlError(
      'ERR_ZERO_RL_ABORTED',
      `The run stopped after step ${state.step}; go on with resume: ${folder.path}`,
      { cause: error },
    );
  } finally {
    try {
      await saveLast();
    } finally {
      if (state.step < config.steps && state.step > 0) await report(folder, () => undefined);
      run.close();
      stopIdleVerifiers();
    }
  }
}

/** The last step is always due. */
function isDue(every: number, step: number, last: number): boolean {
  return step === last || (every > 0 && step % every === 0);
}
