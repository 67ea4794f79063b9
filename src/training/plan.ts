/**
 * What a run will take, for `--dry-run`: one step on a part of the batch is timed on this machine and scaled up, memory is
 * counted from the parameters. Responses may grow later, and the times with them.
 */
import { criticStepOptions, greedyOptions, resolveStopTokens, samplingOptions, stepOptions } from './phase-options';
import { initialState } from './checkpoint';
import { loadCompanions } from './companions';
import { needsGreedy, type TrainConfig } from './config';
import { loadInputs } from './open-run';
import { problemsOfStep } from '../data/order';
import { knownShare, mean, phases, type Phase } from '../observe/metrics';
import { advantageFormula, lossFormula } from './formulas';
import { stopIdleVerifiers } from '../verifier';
import { makePrompts, samplePrompts, scoreRollouts, wholeSequence } from './rollouts';
import { loadCritic, loadPolicy as defaultLoadPolicy, type LoadPolicy } from './training-policy';

/** Prompts of the timed step. */
const CALIBRATION_PROMPTS = 8;
const MIB = 2 ** 20;
/** Bytes per parameter: weights (with masters), gradient and two moments. */
const TRAINING_BYTES = { withMasters: 16, withoutMasters: 8 };

export interface Plan {
  formula: string;
  loss: string;
  parameters: number;
  problems: number;
  heldOut: number;
  memoryMiB: {
    /** Weights, gradient and moments. */
    policy: number;
    reference: number;
    /** As policy, of the value network. */
    critic: number;
    /** Most that the activations of a micro-batch take. */
    activations: number;
    /** Resident in this process after the timed step. */
    measured: number;
  };
  /** Predicted wall-clock seconds. */
  seconds: Record<Phase, number> & { step: number; perStep: number; evaluation: number; total: number };
  /** Of the timed step. */
  start: {
    accuracy: number | null;
    formatRate: number | null;
    truncatedRate: number;
    responseLength: number;
    usableGroups: number;
    groups: number;
  };
}

export interface PlanOptions {
  loadPolicy?: LoadPolicy;
  signal?: AbortSignal;
  warn?: (message: string) => void;
}

/** Evaluations of a run: before, after and those between. */
function evaluations({ evaluation: { every }, steps }: TrainConfig): number {
  return 2 + (every > 0 ? Math.ceil(steps / every) - 1 : 0);
}

/** Loads the models, times one step (whose weights are thrown away) and predicts. Writes nothing. */
export async function planRun(config: TrainConfig, options: PlanOptions = {}): Promise<Plan> {
  const { loadPolicy = defaultLoadPolicy, signal, warn = () => undefined } = options;
  const inputs = await loadInputs(config, { warn, signal });
  const { problems, parts, heldOut, template, reward, play, closeReward } = inputs;
  const { dtype, masterWeights, device, threads } = config;
  const policy = await loadPolicy(inputs.located.model, { dtype, masterWeights, device, threads });
  const closers = [() => policy.dispose()];
  try {
    const load = { policy: loadPolicy, critic: loadCritic };
    const { reference, critic } = await loadCompanions(inputs.located, undefined, load, (model) =>
      closers.push(() => model.dispose()),
    );
    const { promptsPerStep } = config.rollout;
    const part = Math.min(CALIBRATION_PROMPTS, promptsPerStep);
    const chosen = problemsOfStep(parts, part, 0, config.seed).map((i) => problems[i]);
    const prompts = makePrompts(policy, chosen, template, 0, config.data.addSpecialTokens);
    const timed = Object.fromEntries(phases.map((phase) => [phase, 0])) as Record<Phase, number>;
    const time = async <T>(phase: Phase, work: () => Promise<T>): Promise<T> => {
      const start = performance.now();
      const result = await work();
      timed[phase] += (performance.now() - start) / 1000;
      return result;
    };
    const stops = resolveStopTokens(config, policy);
    const rollouts = await time('sample', () =>
      samplePrompts(policy, prompts, { ...samplingOptions(stops), signal }, play),
    );
    if (needsGreedy(config))
      await time('sample', () => samplePrompts(policy, prompts, { ...greedyOptions(stops), signal }, play));
    const samples = await time('verify', () => scoreRollouts(policy, prompts, rollouts, reward));
    const sequences = samples.map(wholeSequence);
    const { temperature } = config.rollout;
    if (reference) await time('reference', () => reference.logProbs(sequences, { temperature, signal }));
    const trained = sequences.map((sequence, i) => ({
      ...sequence,
      advantages: i % 2 ? 1 : -1,
      oldLogProbs: rollouts[i].logProbs,
    }));
    const loss = { ...stepOptions(config, 1, initialState()), kl: { coefficient: 0 } };
    await time('step', () => policy.step(trained, loss));
    if (critic) {
      const values = await time('critic', () => critic.values(sequences, { signal }));
      const targets = sequences.map((sequence, i) => ({ ...sequence, returns: values[i], oldValues: values[i] }));
      await time('critic', () => critic.step(targets, criticStepOptions(config)));
    }

    const scale = promptsPerStep / part;
    const seconds = Object.fromEntries(phases.map((phase) => [phase, timed[phase] * scale])) as Record<Phase, number>;
    const perStep = phases.reduce((sum, phase) => sum + seconds[phase], 0);
    const evaluation = (timed.sample / samples.length) * heldOut.length * config.evaluation.samples;
    const bytes = dtype === 'bfloat16' ? 2 : 4;
    const policyBytes =
      policy.parameterCount * (masterWeights ? TRAINING_BYTES.withMasters : TRAINING_BYTES.withoutMasters);
    const spread = chosen.filter(
      (_, group) =>
        new Set(samples.filter((sample) => sample.group === group).map(({ score }) => score.reward)).size > 1,
    );
    return {
      formula: advantageFormula(config),
      loss: lossFormula(config),
      parameters: policy.parameterCount,
      problems: problems.length,
      heldOut: heldOut.length,
      memoryMiB: {
        policy: policyBytes / MIB,
        reference: reference ? (reference.parameterCount * bytes) / MIB : 0,
        critic: critic ? (critic.parameterCount * TRAINING_BYTES.withMasters) / MIB : 0,
        activations: config.optimizer.memoryBudgetMiB,
        measured: process.memoryUsage().rss / MIB,
      },
      seconds: {
        ...seconds,
        perStep,
        evaluation,
        total: perStep * config.steps + evaluation * (heldOut.length > 0 ? evaluations(config) : 0),
      },
      start: {
        accuracy: knownShare(samples.map(({ score }) => score.correct)),
        formatRate: knownShare(samples.map(({ score }) => score.formatted)),
        truncatedRate: mean(samples.map(({ rollout }) => (rollout.finishReason === 'length' ? 1 : 0))),
        responseLength: mean(samples.map(({ rollout }) => rollout.tokens.length)),
        usableGroups: spread.length,
        groups: part,
      },
    };
  } finally {
    closers.forEach((close) => close());
    closeReward();
    stopIdleVerifiers();
  }
}
