/** What `zero-rl train` prints: the header, one line a step, the plan, and the table at the end. */
import { DEFAULT_MEMORY_BUDGET_MIB } from '../policy/optimizer-request';
import type { Evaluation } from '../training/evaluate';
import type { Memory } from '../training/memory';
import type { OfflinePlan } from '../training/offline-plan';
import type { Plan } from '../training/plan';
import type { Preview } from '../training/preview';
import type { TrainConfig } from '../training/config';
import { needsCritic, needsReference } from '../training/config';
import { phases, type StepMetrics } from './metrics';
import { formatNumber, formatEstimate, formatPercent, formatSeconds } from './svg';

interface Column {
  head: string;
  width: number;
  show: (step: StepMetrics) => string;
}

const rate = (value: number | null): string =>
  value === null
    ? '–'
    : value >= 1e6
      ? `${(value / 1e6).toFixed(1)}M`
      : value >= 1e4
        ? `${Math.round(value / 1e3)}k`
        : String(Math.round(value));

const explained: Column = {
  head: 'V explains',
  width: 11,
  show: ({ critic }) => formatPercent(critic?.explainedVariance ?? null),
};

function columns(config: TrainConfig): Column[] {
  const kl: Column[] = needsReference(config)
    ? [
        { head: 'KL/token', width: 9, show: (step) => (step.klPerToken ?? 0).toFixed(4) },
        { head: 'KL/seq', width: 7, show: (step) => (step.klPerSequence ?? 0).toFixed(2) },
      ]
    : [];
  return [
    { head: 'step', width: String(config.steps).length * 2 + 1, show: (step) => `${step.step}/${config.steps}` },
    { head: 'reward', width: 7, show: (step) => step.rewardMean.toFixed(3) },
    { head: 'accuracy', width: 9, show: (step) => formatPercent(step.accuracy) },
    { head: 'format', width: 8, show: (step) => formatPercent(step.formatRate) },
    { head: 'length', width: 7, show: (step) => step.responseLength.toFixed(1) },
    { head: 'entropy', width: 8, show: (step) => step.entropy.toFixed(3) },
    ...kl,
    ...(needsCritic(config) ? [explained] : []),
    { head: '|grad|', width: 7, show: (step) => step.gradNorm?.toFixed(3) ?? '-' },
    { head: 'usable', width: 7, show: (step) => `${step.usableGroups}/${step.groups}` },
    { head: 'tokens/s: sample', width: 17, show: (step) => rate(step.tokensPerSecond.sample) },
    { head: 'verify', width: 7, show: (step) => rate(step.tokensPerSecond.verify) },
    ...(kl.length > 0
      ? [{ head: 'reference', width: 10, show: (step: StepMetrics) => rate(step.tokensPerSecond.reference) }]
      : []),
    { head: 'step', width: 6, show: (step) => rate(step.tokensPerSecond.step) },
    { head: 's', width: 6, show: (step) => step.seconds.total.toFixed(1) },
  ];
}

/** Prints the head of the table again after so many lines. */
const HEAD_EVERY = 25;

/** Lines for a step, with the column heads now and then. */
export function stepTable(config: TrainConfig): (step: StepMetrics) => string[] {
  const table = columns(config);
  let lines = 0;
  return (step) => {
    const row = table.map(({ width, show }) => show(step).padStart(width)).join(' ');
    const head = table.map(({ head: text, width }) => text.padStart(width)).join(' ');
    return lines++ % HEAD_EVERY === 0 ? [head, row] : [row];
  };
}

export function evaluationLine(
  step: number,
  { accuracy, interval, problems, rewardMean, responseLength, formatRate }: Evaluation,
  of = 'held out',
): string {
  const when = step === 0 ? 'before training' : `after step ${step}`;
  const figures =
    accuracy === null
      ? `reward ${rewardMean?.toFixed(3) ?? '–'}, accuracy not known`
      : `accuracy ${formatEstimate(accuracy, interval)} of ${problems} problems`;
  return `${of} ${when}: ${figures}, ${responseLength.toFixed(1)} tokens, format ${formatPercent(formatRate)}`;
}

/** Before and after as an aligned text table. */
export function outcomeTable(before: Evaluation, after: Evaluation): string {
  const accuracy = ({ accuracy: value, interval }: Evaluation): string => formatEstimate(value, interval);
  const reward = ({ rewardMean }: Evaluation): string => rewardMean?.toFixed(3) ?? '–';
  const known = before.accuracy !== null || after.accuracy !== null;
  const rows: [string, string, string][] = [
    [known ? `held out, ${after.problems} problems` : 'held out', 'before', 'after'],
    known
      ? ['accuracy [95 % interval]', accuracy(before), accuracy(after)]
      : ['reward (accuracy not known)', reward(before), reward(after)],
    ['response length, tokens', before.responseLength.toFixed(1), after.responseLength.toFixed(1)],
    ['in the right format', formatPercent(before.formatRate), formatPercent(after.formatRate)],
    ['cut off by the limit', formatPercent(before.truncatedRate), formatPercent(after.truncatedRate)],
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)));
  const text = rows.map(
    (row) => `${row[0].padEnd(widths[0])}  ${row[1].padStart(widths[1])}  ${row[2].padStart(widths[2])}`,
  );
  return [text[0], '─'.repeat(text[0].length), ...text.slice(1)].join('\n');
}

const mib = (value: number): string => `${formatNumber(value)} MiB`;

function memoryText({ policy, reference, critic, ema, activations, cache }: Memory): string {
  return [
    `policy and optimizer ${mib(policy)}`,
    ...(reference > 0 ? [`reference ${mib(reference)}`] : []),
    ...(critic > 0 ? [`critic and optimizer ${mib(critic)}`] : []),
    ...(ema > 0 ? [`moving average ${mib(ema)}`] : []),
    `activations up to ${mib(activations)}`,
    ...(cache > 0 ? [`keys and values up to ${mib(cache)}`] : []),
  ].join(', ');
}

function startLines(start: Plan['start']): string[] {
  const { prompts, samples, passAt1, passAtN, stopReasons, responseLength } = start;
  const chance = (k: number, estimate: Preview['passAt1']): string =>
    estimate === null
      ? `pass@${k} –`
      : `pass@${k} ${formatPercent(estimate.value)} [${estimate.interval.map((bound) => (100 * bound).toFixed(0)).join(', ')}]`;
  const ends = [
    `end token ${formatPercent(stopReasons.endToken)}`,
    ...(stopReasons.stopString > 0 ? [`stop string ${formatPercent(stopReasons.stopString)}`] : []),
    `limit ${formatPercent(stopReasons.length)}`,
  ];
  return [
    `at start   ${chance(1, passAt1)}, ${chance(samples, passAtN)}, reward ${start.rewardMean?.toFixed(3) ?? '–'}, of ${prompts} prompts × ${samples} samples; signal in ${start.usableGroups} of ${prompts} groups`,
    `           format ${formatPercent(start.formatRate)}, boxed ${formatPercent(start.boxedRate)}; ended by ${ends.join(', ')}; ${responseLength.mean.toFixed(1)} tokens, longest ${responseLength.longest}`,
    ...start.advice.map((sentence) => `           ! ${sentence}`),
  ];
}

/** The first-minute report. */
export function previewText(preview: Preview, { steps }: TrainConfig): string {
  const { perStep } = preview.seconds;
  return [
    ...startLines(preview),
    `           a step about ${formatSeconds(perStep)}, ${steps} of them ${formatSeconds(perStep * steps)}, at the present response length`,
    `           memory: ${memoryText(preview.memoryMiB)}`,
  ].join('\n');
}

/** The answer of --dry-run where model or data cannot be reached. */
export function offlinePlanText(plan: OfflinePlan, config: TrainConfig): string {
  const { promptsPerStep, samplesPerPrompt, maxTokens } = config.rollout;
  const { parameters, memoryMiB } = plan;
  const memory =
    memoryMiB === null
      ? 'not known'
      : `about ${mib(memoryMiB)} for ${formatNumber(parameters ?? 0)} parameters, by the model's name, with optimizer and companions`;
  return [
    plan.formula,
    plan.loss,
    '',
    `model      ${config.model}, ${config.dtype}`,
    `step       ${promptsPerStep} prompts × ${samplesPerPrompt} samples of up to ${maxTokens} tokens`,
    `run        ${config.steps} steps`,
    `memory     ${memory}, activations up to ${mib(config.optimizer.memoryBudgetMiB ?? DEFAULT_MEMORY_BUDGET_MIB)}`,
    `not done   time, keys and values, data and what the model does at start: ${plan.missing}`,
  ].join('\n');
}

/** The answer of --dry-run. */
export function planText(plan: Plan, config: TrainConfig): string {
  const { seconds, memoryMiB, start } = plan;
  const split = phases
    .filter((phase) => seconds[phase] > 0)
    .map((phase) => `${phase} ${formatSeconds(seconds[phase])}`);
  return [
    plan.formula,
    plan.loss,
    '',
    `model      ${formatNumber(plan.parameters)} parameters, ${config.dtype}`,
    `data       ${plan.problems} problems, ${plan.heldOut} held out`,
    `step       ${config.rollout.promptsPerStep} prompts × ${config.rollout.samplesPerPrompt} samples, about ${formatSeconds(seconds.perStep)} (${split.join(', ')})`,
    `run        ${config.steps} steps, about ${formatSeconds(seconds.total)}, evaluations of ${formatSeconds(seconds.evaluation)} included, at the present response length`,
    `memory     ${memoryText(memoryMiB)}; resident now ${mib(memoryMiB.measured)}`,
    ...startLines(start),
  ].join('\n');
}
