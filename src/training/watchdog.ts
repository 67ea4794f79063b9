/**
 * Rules that watch the figures of the steps. What a rule says is a function of the metrics rows alone, so a resumed run hears
 * the same.
 */
import { repetition, type StepMetrics } from '../observe/metrics';
import type { TrainConfig } from './config';
import { ownTokens, policyTokens, type Sample } from './rollouts';

export const watchdogRules = ['notFinite', 'entropy', 'repetition', 'length', 'deadGroups', 'kl', 'gradient'] as const;
export type WatchdogRule = (typeof watchdogRules)[number];

export interface Alarm {
  rule: WatchdogRule;
  action: 'warn' | 'stop' | 'rollback';
  /** The first and the last of the steps in a row beyond the limit. */
  first: number;
  step: number;
  /** One sentence. */
  message: string;
}

/** Steps that a median needs before a jump is one. */
const FEWEST_STEPS = 3;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? NaN : (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** Figure of a rule at the last row; `before` are the rows that jumps are measured against. NaN: it says nothing. */
type Figure = (row: StepMetrics, before: readonly StepMetrics[]) => number;

/** |value| over what is usual of |value| before; it says nothing where that is 0, as where nothing has been learnt yet. */
function jump(of: (row: StepMetrics) => number | null, usual: (values: readonly number[]) => number): Figure {
  return (row, before) => {
    const earlier = before.map(of).filter((value) => value !== null && Number.isFinite(value)) as number[];
    const now = of(row);
    if (now === null || !Number.isFinite(now) || earlier.length < FEWEST_STEPS) return NaN;
    const scale = usual(earlier.map(Math.abs));
    return scale > 0 ? Math.abs(now) / scale : NaN;
  };
}

const lengthJump = jump(({ responseLength }) => responseLength, median);

const figures: Record<WatchdogRule, Figure> = {
  // JSON has no NaN: rows read back from the file hold null, as those of steps without an optimizer step do.
  notFinite: ({ applied, optimizerSteps, loss }) =>
    applied && (optimizerSteps === 0 || Number.isFinite(loss ?? NaN)) ? 0 : 1,
  entropy: (row) => row.entropy,
  repetition: (row) => row.repetition,
  length: (row, before) => {
    const ratio = lengthJump(row, before);
    return Math.max(ratio, 1 / ratio);
  },
  // The reward of a group of one has no spread to lose.
  deadGroups: ({ groups, usableGroups, samples }) => (samples > groups ? 1 - usableGroups / groups : NaN),
  // It starts at 0 and grows manyfold in a sound run, so a median would be soon passed.
  kl: jump(
    ({ klPerToken }) => klPerToken,
    (values) => Math.max(...values),
  ),
  gradient: jump(({ gradNorm }) => gradNorm, median),
};

const names: Record<WatchdogRule, string> = {
  notFinite: 'gradient that is not finite',
  entropy: 'entropy per token in nats',
  repetition: 'share of repeated 4-grams',
  length: 'response length against its median',
  deadGroups: 'share of groups whose rewards are all alike',
  kl: 'KL per token against the largest before',
  gradient: 'gradient norm against its median',
};

const beyond = (rule: WatchdogRule, figure: number, limit: number): boolean =>
  rule === 'entropy' ? figure < limit : figure > limit;

/** What may mend the trouble that a rule sees, as a part of a sentence. */
export const advice: Record<WatchdogRule, string> = {
  notFinite: 'lower optimizer.learningRate or optimizer.maxGradNorm',
  entropy: 'raise optimizer.entropy.coefficient or optimizer.clip.high, or lower optimizer.learningRate',
  repetition: 'add a KL term (kl.initCoefficient), or lower optimizer.learningRate',
  length: 'look at what the reward pays for length, or lower optimizer.learningRate',
  deadGroups: 'choose problems of moderate difficulty (data.difficulty), or raise rollout.samplesPerPrompt',
  kl: 'raise kl.initCoefficient or kl.lossCoefficient, or lower optimizer.learningRate',
  gradient: 'lower optimizer.learningRate or optimizer.maxGradNorm',
};

/** Whether the last `steps` rows are all beyond the limit, measured against the window before them. */
function holds({ watchdog }: TrainConfig, rule: WatchdogRule, rows: readonly StepMetrics[]): boolean {
  const { limit, steps } = watchdog[rule];
  if (limit === null || rows.length < steps) return false;
  const before = rows.slice(0, -steps).slice(-watchdog.window);
  return rows.slice(-steps).every((row) => beyond(rule, figures[rule](row, before), limit));
}

/** What the rules say after the last of `rows`, those of a run in order. A rule speaks once for each trouble. */
export function checkRules(config: TrainConfig, rows: readonly StepMetrics[]): Alarm[] {
  return watchdogRules.flatMap((rule): Alarm[] => {
    if (!holds(config, rule, rows) || holds(config, rule, rows.slice(0, -1))) return [];
    const { limit, steps, action } = config.watchdog[rule];
    const last = rows[rows.length - 1];
    const value = figures[rule](last, rows.slice(0, -steps).slice(-config.watchdog.window));
    const side = rule === 'entropy' ? 'below' : 'above';
    const message = `${names[rule]} ${value.toPrecision(3)}, ${side} ${limit} for ${steps} ${steps === 1 ? 'step' : 'steps'} up to step ${last.step} (watchdog.${rule})`;
    return [{ rule, action, first: last.step - steps + 1, step: last.step, message }];
  });
}

/** A trained sample with what the step knew of it. */
export interface WatchedSample {
  sample: Sample;
  /** Sum of logProb − referenceLogProb in nats; 0 without a reference. */
  kl: number;
  /** Mean over its tokens. */
  advantage: number;
}

/** How much a sample has to do with a rule; the highest are shown. */
const blame: Record<WatchdogRule, (watched: WatchedSample) => number> = {
  notFinite: ({ advantage, sample }) => Math.abs(advantage) * policyTokens(sample.rollout),
  entropy: ({ sample: { rollout } }) =>
    rollout.logProbs.reduce((sum, value) => sum + value, 0) / Math.max(1, policyTokens(rollout)),
  repetition: ({ sample }) => repetition(ownTokens(sample.rollout)),
  length: ({ sample }) => policyTokens(sample.rollout),
  deadGroups: ({ advantage, sample }) => -Math.abs(advantage) - sample.group / 1e6,
  kl: ({ kl }) => Math.abs(kl),
  gradient: ({ advantage, sample }) => Math.abs(advantage) * policyTokens(sample.rollout),
};

/** The samples of the step that have most to do with a rule, the worst first. */
export function responsibleSamples(
  rule: WatchdogRule,
  watched: readonly WatchedSample[],
  count: number,
): WatchedSample[] {
  const scores = watched.map((item) => ({ item, score: blame[rule](item) }));
  return scores
    .sort((a, b) => b.score - a.score)
    .slice(0, count)
    .map(({ item }) => item);
}
