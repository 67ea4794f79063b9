/** The evaluation of a run under way: of the policy and, where wanted, of the moving average of its weights. */
import { evaluate, type Evaluation } from './evaluate';
import type { Run } from './open-run';
import { checkTimeouts } from './rollouts';
import { sampleRow } from './run-folder';
import type { TrainEvent } from './train-event';

export interface Evaluations {
  evaluation: Evaluation;
  emaEvaluation?: Evaluation;
}

/** Writes the policy's samples to the run folder. */
export async function evaluateRun(
  run: Run,
  { emit, warn, signal }: { emit: (event: TrainEvent) => void; warn: (message: string) => void; signal?: AbortSignal },
): Promise<Evaluations> {
  const { config, ema, folder, heldOut: problems, state } = run;
  emit({ type: 'phase', phase: 'evaluation' });
  const { evaluation, samples } = await evaluate({ ...run, problems, signal });
  try {
    checkTimeouts(samples);
  } catch (error) {
    // Nothing has worked yet; later what is away may come back.
    if (state.step === 0) throw error;
    warn(`The evaluation after step ${state.step} says nothing: ${(error as Error).message}`);
  }
  await folder.writeEvaluation(
    state.step,
    samples.map((sample) => sampleRow(state.step, sample)),
  );
  // Before the first step the average is the policy itself.
  const average =
    ema === null || !config.ema.evaluate || state.step === 0
      ? null
      : await evaluate({ ...run, policy: ema, problems, signal });
  const evaluations = { evaluation, ...(average ? { emaEvaluation: average.evaluation } : {}) };
  emit({ type: 'evaluation', step: state.step, ...evaluations });
  return evaluations;
}
