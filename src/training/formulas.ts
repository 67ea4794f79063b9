/** The formulas that a config puts in force, as text for --dry-run, the start of a run and the report. */
import { algorithmNames, formula, type AlgorithmName } from '../algorithms';
import { needsCritic, type TrainConfig } from './config';

const ESTIMATORS = { k2: '½(logp - logref)²', k3: 'exp(logref - logp) - 1 - (logref - logp)' } as const;

/** The advantage. */
export function advantageFormula({ algorithm, kl }: TrainConfig): string {
  if (!(algorithmNames as readonly string[]).includes(algorithm.name)) return `A from ${algorithm.name}`;
  const { numerics, baseline, baselineDecay, k, gamma, lambda } = algorithm;
  const text = formula(algorithm.name as AlgorithmName, {
    klCoefficient: kl.initCoefficient,
    ...(kl.placement ? { klPlacement: kl.placement } : {}),
    ...{ numerics, baseline, baselineDecay, k, gamma, lambda },
  });
  return kl.target === null
    ? text
    : `${text}\ncoefficient of the KL steered to ${kl.target} nats per sequence over ${kl.horizon} samples`;
}

function aggregationText({ optimizer, rollout }: TrainConfig): string {
  const { aggregationConstant = rollout.maxTokens, minibatches } = optimizer;
  return {
    'token-mean': `mean over all response tokens of the ${minibatches > 1 ? 'minibatch' : 'batch'}`,
    'seq-mean-token-mean': 'mean over sequences of the mean over tokens',
    'seq-mean-token-sum': 'mean over sequences of the sum over tokens',
    constant: `mean over sequences of the sum over tokens, over ${aggregationConstant},`,
  }[optimizer.aggregation];
}

/** The objective of one token, and the ratio in it. */
function objectiveText({ objective, clip, sequenceRatio }: TrainConfig['optimizer']): { core: string; ratio: string } {
  const range = `${1 - clip.low}, ${1 + clip.high}`;
  const token = ', ρ = exp(logp - logp at sampling)';
  if (objective === 'reinforce') return { core: '-A·logp', ratio: '' };
  if (objective === 'cispo') return { core: `-clip(ρ, ${range})·A·logp`, ratio: `${token}, no gradient through ρ` };
  const surrogate = `-min(ρ·A, clip(ρ, ${range})·A)`;
  const core = clip.dual > 0 ? `min(${surrogate}, ${clip.dual}·|A| where A < 0)` : surrogate;
  const whole = sequenceRatio === 'product' ? 'Σ_t' : 'mean_t';
  return { core, ratio: objective === 'gspo' ? `, ρ = exp(${whole} of logp - logp at sampling)` : token };
}

/** The loss of the optimizer step. */
export function lossFormula(config: TrainConfig): string {
  const { optimizer, kl, critic } = config;
  const { coefficient, target } = optimizer.entropy;
  const { epochs, minibatches } = optimizer;
  const { core, ratio } = objectiveText(optimizer);
  const weighting = kl.lossCorrection ? '·exp(logp - logp at sampling)' : '';
  const penalty =
    kl.lossCoefficient > 0 ? ` + ${kl.lossCoefficient}${weighting}·(${ESTIMATORS[kl.lossEstimator]})` : '';
  const bonus = coefficient > 0 ? ` - ${coefficient}·H` : '';
  const steered = target === null ? '' : `, ${coefficient} steered to H = ${target} nats per token`;
  const value = critic.clip > 0 ? `½·max((V - R)², (clip(V, V at sampling ± ${critic.clip}) - R)²)` : '½(V - R)²';
  const critics = needsCritic(config) ? `\nloss of V = mean over all response tokens of ${value}, R = G + V` : '';
  const passes = epochs * minibatches > 1 ? `\noptimizer steps per rollout batch: ${epochs} × ${minibatches}` : '';
  return `loss = ${aggregationText(config)} of ${core}${penalty}${bonus}${ratio}${steered}${critics}${passes}`;
}
