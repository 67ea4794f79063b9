/** What `zero-rl eval` prints. */
import type { PairedComparison } from '../evaluation/statistics';
import type { SuiteComparison, SuiteResult } from '../evaluation/suite';
import type { EstimateAtK, Evaluation } from '../training/evaluate';
import { formatEstimate, formatInterval, formatPercent } from './svg';

/** A name and a value with its interval for every figure of an evaluation. */
function rows(evaluation: Evaluation): [string, string][] {
  const { samples, accuracy, interval, passAtK, majorityAtK, rewardParts = {}, rewardMetrics = {} } = evaluation;
  const atK =
    (name: string) =>
    ({ k, value, interval: range }: EstimateAtK): [string, string] => [`${name}@${k}`, formatEstimate(value, range)];
  return [
    [`avg@${samples}`, formatEstimate(accuracy, interval)],
    ...passAtK.map(atK('pass')),
    ...majorityAtK.map(atK('maj')),
    ['reward', evaluation.rewardMean?.toFixed(3) ?? '–'],
    ...Object.entries({ ...rewardParts, ...rewardMetrics }).map(([name, value]): [string, string] => [
      name,
      value.toFixed(3),
    ]),
    ['format', formatPercent(evaluation.formatRate)],
    ['cut off', formatPercent(evaluation.truncatedRate)],
    ['tokens', evaluation.responseLength.toFixed(1)],
  ];
}

const INTERVALS = "95 % intervals over problems (Wilson's, at the effective sample size)";

const headline = (suite: string, { problems, samples }: Evaluation): string =>
  problems === 0
    ? `${suite}: ${samples} samples of each problem, of none of which the reward says whether it is correct`
    : `${suite}: ${problems} problems × ${samples} samples, ${INTERVALS}`;

/** One model. */
export function suiteText({ suite, evaluation }: SuiteResult): string {
  return [headline(suite, evaluation), ...rows(evaluation).map(([name, value]) => `  ${name.padEnd(9)} ${value}`)].join(
    '\n',
  );
}

function pairedText(
  { problems, difference, interval, pValue, better, worse, same }: PairedComparison,
  k: number,
): string {
  return (
    `  second − first, paired over ${problems} problems: ${(100 * difference).toFixed(1)} ${formatInterval(interval)} points of avg@${k}, ` +
    `sign-flip test p = ${pValue.toPrecision(2)}; better on ${better}, worse on ${worse}, the same on ${same}`
  );
}

/** Two models on the same problems. */
export function comparisonText({ suite, first, second, accuracy }: SuiteComparison): string {
  const [left, right] = [first, second].map((evaluation) => new Map(rows(evaluation)));
  const width = Math.max(...[...left.values()].map(({ length }) => length));
  return [
    headline(suite, first),
    `  ${''.padEnd(9)} ${'first'.padEnd(width)}  second`,
    ...[...new Set([...left.keys(), ...right.keys()])].map(
      (name) => `  ${name.padEnd(9)} ${(left.get(name) ?? '–').padEnd(width)}  ${right.get(name) ?? '–'}`,
    ),
    ...(accuracy === null ? [] : [pairedText(accuracy, first.samples)]),
  ].join('\n');
}
