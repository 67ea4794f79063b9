/**
 * What a run will take, for `--dry-run`: one step on a part of the batch is timed on this machine and scaled up, memory is
 * counted from the parameters. Responses may grow later, and the times with them.
 */
import { criticStepOptions, stepOptions } from './phase-options';
import { initialState } from './checkpoint';
import { loadCompanions } from './companions';
import type { TrainConfig } from './config';
import { openPolicy } from './open-policy';
import { loadInputs, type InputOptions } from './open-run';
import { phases, type Phase } from '../observe/metrics';
import { advantageFormula, lossFormula } from './formulas';
import { stopIdleVerifiers } from '../verifier';
import type { Memory } from './memory';
import { makePreview, type Preview } from './preview';
import { checkDrawnPrompts, fittingProblems } from './prompt-length';
import { wholeSequence } from './rollouts';
import {
  abortable,
  loadCritic as defaultLoadCritic,
  loadPolicy as defaultLoadPolicy,
  type LoadCritic,
  type LoadPolicy,
} from './training-policy';

/** Prompts of the timed step where the config asks for no preview. */
const PREVIEW_PROMPTS = 8;
const MIB = 2 ** 20;

export interface Plan {
  formula: string;
  loss: string;
  parameters: number;
  problems: number;
  heldOut: number;
  memoryMiB: Memory & {
    /** Resident in this process after the timed step. */
    measured: number;
  };
  /** Predicted wall-clock seconds. */
  seconds: Record<Phase, number> & { step: number; perStep: number; evaluation: number; total: number };
  /** What the model does before training. */
  start: Omit<Preview, 'seconds' | 'memoryMiB'>;
}

export interface PlanOptions extends Partial<InputOptions> {
  loadPolicy?: LoadPolicy;
  loadCritic?: LoadCritic;
}

/** Evaluations of a run: before, after and those between. */
function evaluations({ evaluation: { every }, steps }: TrainConfig): number {
  return 2 + (every > 0 ? Math.ceil(steps / every) - 1 : 0);
}

/** Loads the models, times one step (whose weights are thrown away) and predicts. Writes nothing. */
export async function planRun(config: TrainConfig, options: PlanOptions = {}): Promise<Plan> {
  const { signal, warn = () => undefined } = options;
  const loadPolicy = abortable(options.loadPolicy ?? defaultLoadPolicy, signal);
  const loadCritic = abortable(options.loadCritic ?? defaultLoadCritic, signal);
  const inputs = await loadInputs(config, { ...options, warn });
  const { problems, heldOut, closeReward } = inputs;
  const closers = [closeReward];
  try {
    const { policy, config: opened } = await openPolicy(inputs.located.model, config, loadPolicy, inputs);
    closers.push(() => policy.dispose());
    const lengths = { ...inputs, config: opened, policy, signal, warn };
    await fittingProblems('held-out', heldOut, lengths);
    await checkDrawnPrompts(problems, inputs.parts, 0, lengths);
    const load = { policy: loadPolicy, critic: loadCritic };
    const companions = await loadCompanions(inputs.located, policy, {}, load, (model) =>
      closers.push(() => model.dispose()),
    );
    const { preview, samples } = await makePreview({
      ...inputs,
      config: { ...opened, preview: { prompts: config.preview.prompts || PREVIEW_PROMPTS } },
      policy,
      ...companions,
      signal,
    });
    const { seconds: measured, memoryMiB, ...start } = preview;
    const scale = config.rollout.promptsPerStep / preview.prompts;
    const seconds = { ...measured, critic: 0 };
    const time = async <T>(phase: Phase, work: () => Promise<T>): Promise<T> => {
      const begun = performance.now();
      const result = await work();
      seconds[phase] += ((performance.now() - begun) / 1000) * scale;
      return result;
    };
    const sequences = samples.map(wholeSequence);
    const trained = sequences.map((sequence, i) => ({
      ...sequence,
      advantages: i % 2 ? 1 : -1,
      oldLogProbs: samples[i].rollout.logProbs,
    }));
    seconds.step = 0;
    const loss = { ...stepOptions(opened, 1, initialState()), kl: { coefficient: 0 } };
    for (let epoch = 0; epoch < config.optimizer.epochs; epoch++)
      await time('step', () => policy.step(trained, { ...loss, signal }));
    const { critic } = companions;
    if (critic) {
      const values = await time('critic', () => critic.values(sequences, { signal }));
      const targets = sequences.map((sequence, i) => ({ ...sequence, returns: values[i], oldValues: values[i] }));
      for (let epoch = 0; epoch < config.critic.epochs; epoch++)
        await time('critic', () => critic.step(targets, criticStepOptions(opened)));
    }

    const perStep = phases.reduce((sum, phase) => sum + seconds[phase], 0);
    const perSample = measured.sample / scale / samples.length;
    const evaluation = perSample * heldOut.length * config.evaluation.samples;
    return {
      formula: advantageFormula(config),
      loss: lossFormula(config),
      parameters: policy.parameterCount,
      problems: problems.length,
      heldOut: heldOut.length,
      memoryMiB: { ...memoryMiB, measured: process.memoryUsage().rss / MIB },
      seconds: {
        ...seconds,
        perStep,
        evaluation,
        total: perStep * config.steps + evaluation * (heldOut.length > 0 ? evaluations(config) : 0),
      },
      start,
    };
  } finally {
    closers.reverse().forEach((close) => close());
    stopIdleVerifiers();
  }
}
