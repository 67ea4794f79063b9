/** What a step learns from: its scored samples with reference log-probs, values and advantages. */
import type { EstimatorInput } from '../algorithms';
import { ZeroRlError } from '../errors';
import type { Sequence, TrainingSequence } from '../policy/types';
import { timedSync } from '../profile/spans';
import type { Collected } from './collect';
import { needsGreedy, type TrainConfig } from './config';
import { greedyBaseline } from './greedy-baseline';
import type { Run } from './open-run';
import type { PhaseClock } from './phase-clock';
import { estimatorOptions } from './phase-options';
import { behaviourLogProbs, checkTimeouts, reasonsOf, responseMasks, wholeSequence, type Sample } from './rollouts';

/** One entry per sample that could be scored. */
export interface Batch {
  scored: Sample[];
  /** Prompt and response. */
  sequences: Sequence[];
  /** Nats per token; null without a reference. */
  referenceLogProbs: Float32Array[] | null;
  /** Of the critic, per token; null without one. */
  values: Float32Array[] | null;
  /** logProb − referenceLogProb per token, 0 where the environment wrote; null without a reference. */
  kl: Float32Array[] | null;
  /** What the estimator was given. */
  batch: EstimatorInput;
  /** Per token. */
  advantages: Float32Array[];
  /** What the optimizer step takes. */
  trained: TrainingSequence[];
}

/**
 * The batch of step `step` under `config`, the run's as it is at this step.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` when no sample could be scored
 */
export async function makeBatch(
  run: Run,
  config: TrainConfig,
  step: number,
  { prompts, samples }: Pick<Collected, 'prompts' | 'samples'>,
  clock: PhaseClock,
  signal: AbortSignal | undefined,
): Promise<Batch> {
  const { reference, critic, state } = run;
  const { temperature } = config.rollout;
  const scored = samples.filter(({ score }) => score.reward !== null);
  if (scored.length === 0) {
    checkTimeouts(samples);
    throw new ZeroRlError(
      'ERR_ZERO_RL_DATA',
      `No sample of step ${step} could be scored (${reasonsOf(samples)}), of other prompts neither; check the answers of the data and the reward`,
    );
  }
  const sequences = scored.map(wholeSequence);
  const masks = responseMasks(scored);
  const referenceLogProbs = reference
    ? await clock.time('reference', () => reference.logProbs(sequences, { temperature, signal }))
    : null;
  const values = critic ? await clock.time('critic', () => critic.values(sequences, { signal })) : null;
  const greedyRewards = needsGreedy(config)
    ? await clock.time('sample', () => greedyBaseline({ ...run, config }, prompts, scored, signal))
    : null;
  const oldLogProbs = scored.map(behaviourLogProbs);
  const kl =
    referenceLogProbs?.map((row, i) => row.map((value, t) => (masks?.[i][t] === 0 ? 0 : oldLogProbs[i][t] - value))) ??
    null;

  const batch: EstimatorInput = {
    rewards: scored.map(({ score }) => score.reward ?? 0),
    groups: scored.map(({ group }) => group),
    lengths: scored.map(({ rollout }) => rollout.tokens.length),
    ...(kl ? { kl } : {}),
    ...(masks ? { mask: masks } : {}),
    ...(values ? { values } : {}),
    ...(greedyRewards ? { greedyRewards } : {}),
  };
  const advantages = timedSync('advantages', () => run.estimator(batch, estimatorOptions(config, state)));

  const trained = sequences.map((sequence, i) => ({
    ...sequence,
    advantages: advantages[i],
    oldLogProbs: oldLogProbs[i],
    ...(masks ? { mask: masks[i] } : {}),
    ...(referenceLogProbs && config.kl.lossCoefficient > 0 ? { referenceLogProbs: referenceLogProbs[i] } : {}),
  }));
  return { scored, sequences, referenceLogProbs, values, kl, batch, advantages, trained };
}
