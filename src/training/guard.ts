/** The watchdog at work in a run: it keeps the rows, writes the samples behind an alarm, and says what is to be done. */
import { isZeroRlError } from '../errors';
import type { StepMetrics } from '../observe/metrics';
import type { Run } from './open-run';
import { meanAdvantage, sampleRow } from './run-folder';
import type { Sample } from './rollouts';
import { checkRules, responsibleSamples, type Alarm, type WatchedSample } from './watchdog';

/** Whether a model could not be used for its weights. */
export function isNotFinite(error: unknown): boolean {
  return isZeroRlError(error) && error.code === 'ERR_ZERO_RL_NOT_FINITE';
}

/** After `watchdog.rollback.most` rollbacks a rule stops the run instead. */
function allowed({ config, rollbacks }: Pick<Run, 'config' | 'rollbacks'>, action: Alarm['action']): Alarm['action'] {
  return action === 'rollback' && rollbacks.length >= config.watchdog.rollback.most ? 'stop' : action;
}

/**
 * The alarm of weights that the last update left so that nothing can be sampled from them; null for another error, where the
 * rule is to warn at most, and for a model that was so from the start.
 */
export function brokenWeights(run: Pick<Run, 'config' | 'rollbacks' | 'state'>, error: unknown): Alarm | null {
  const { limit, action } = run.config.watchdog.notFinite;
  const { step } = run.state;
  if (!isNotFinite(error) || limit === null || action === 'warn' || step === 0) return null;
  const message = `the weights of step ${step} have logits that are NaN or infinite (watchdog.notFinite)`;
  return { rule: 'notFinite', action: allowed(run, action), first: step, step, message };
}

export class Guard {
  private readonly rows: StepMetrics[];

  constructor(private readonly run: Run) {
    this.rows = run.folder.metrics().flatMap((row) => (row.step > 0 ? [row as StepMetrics] : []));
  }

  /**
   * Looks at a step. Every alarm goes to `tell`, with the file of the samples behind it.
   * @returns The alarm that ends the run or takes it back; null: it goes on. After `watchdog.rollback.most` rollbacks, `stop`.
   */
  async check(
    metrics: StepMetrics,
    scored: readonly Sample[],
    kl: readonly Float32Array[] | null,
    advantages: readonly Float32Array[],
    tell: (alarm: Alarm, file: string) => void,
  ): Promise<Alarm | null> {
    const { config, folder, rollbacks: earlier } = this.run;
    const rollbacks = earlier.length;
    this.rows.push(metrics);
    const sum = (values: Float32Array | undefined): number => values?.reduce((total, value) => total + value, 0) ?? 0;
    const watched = scored.map((sample, i): WatchedSample => ({
      sample,
      kl: sum(kl?.[i]),
      advantage: meanAdvantage(advantages[i], sample),
    }));
    let gravest: Alarm | null = null;
    for (const alarm of checkRules(config, this.rows)) {
      const samples = responsibleSamples(alarm.rule, watched, config.watchdog.samples);
      const file = await folder.writeAlarm(
        metrics.step,
        alarm.rule,
        rollbacks,
        samples.map((item) => ({ ...sampleRow(metrics.step, item.sample, item.advantage), kl: item.kl })),
      );
      const action = allowed(this.run, alarm.action);
      tell({ ...alarm, action }, file);
      if (action === 'stop' || (action === 'rollback' && gravest === null)) gravest = { ...alarm, action };
    }
    return gravest;
  }
}
