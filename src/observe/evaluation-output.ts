/** What `zero-rl eval` prints. */
import type { SuiteComparison, SuiteResult } from '../evaluation/suite';
import type { Evaluation } from '../training/evaluate';
import { formatPercent } from './svg';

const percents = (values: readonly number[]): string => values.map((value) => (100 * value).toFixed(1)).join(', ');

/** A name and a value with its interval for every figure of an evaluation. */
function rows(evaluation: Evaluation): [string, string][] {
  const { samples, accuracy, interval, passAtK, majorityAtK } = evaluation;
  const estimate = (value: number, range: readonly number[]): string => `${formatPercent(value)} [${percents(range)}]`;
  return [
    [`avg@${samples}`, estimate(accuracy, interval)],
    ...passAtK.map(({ k, value, interval: range }): [string, string] => [`pass@${k}`, estimate(value, range)]),
    ...majorityAtK.map(({ k, value, interval: range }): [string, string] => [`maj@${k}`, estimate(value, range)]),
    ['format', formatPercent(evaluation.formatRate)],
    ['cut off', formatPercent(evaluation.truncatedRate)],
    ['tokens', evaluation.responseLength.toFixed(1)],
  ];
}

const INTERVALS = "95 % intervals over problems (Wilson's, at the effective sample size)";

/** One model. */
export function suiteText({ suite, evaluation }: SuiteResult): string {
  return [
    `${suite}: ${evaluation.problems} problems × ${evaluation.samples} samples, ${INTERVALS}`,
    ...rows(evaluation).map(([name, value]) => `  ${name.padEnd(9)} ${value}`),
  ].join('\n');
}

/** Two models on the same problems. */
export function comparisonText({ suite, first, second, accuracy }: SuiteComparison): string {
  const left = rows(first);
  const right = rows(second);
  const width = Math.max(...left.map(([, value]) => value.length));
  const { difference, interval, pValue, better, worse, same } = accuracy;
  return [
    `${suite}: ${first.problems} problems × ${first.samples} samples, ${INTERVALS}`,
    `  ${''.padEnd(9)} ${'first'.padEnd(width)}  second`,
    ...left.map(([name, value], i) => `  ${name.padEnd(9)} ${value.padEnd(width)}  ${right[i][1]}`),
    `  second − first, paired over ${accuracy.problems} problems: ${percents([difference])} [${percents(interval)}] points of avg@${first.samples}, ` +
      `sign-flip test p = ${pValue.toPrecision(2)}; better on ${better}, worse on ${worse}, the same on ${same}`,
  ].join('\n');
}
