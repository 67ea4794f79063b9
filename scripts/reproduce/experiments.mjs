/** What `npm run reproduce` runs, how a run folder becomes a result, and the README's table. */
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const { readRows } = require('../../dist/training/run-folder.js');

const variants = [
  { key: 'rloo-0', title: 'RLOO, no KL', set: ['kl.initCoefficient=0'], seeds: 3 },
  { key: 'rloo-0.1', title: 'RLOO, KL 0.1', set: ['kl.initCoefficient=0.1'], seeds: 1 },
  { key: 'rloo-0.5', title: 'RLOO, KL 0.5', set: ['kl.initCoefficient=0.5'], seeds: 3 },
  { key: 'rloo-2', title: 'RLOO, KL 2', set: ['kl.initCoefficient=2'], seeds: 1 },
  { key: 'reinforce', title: 'REINFORCE, no KL', set: ['algorithm.name=reinforce'], seeds: 1 },
  { key: 'reinforce-plus-plus', title: 'REINFORCE++, no KL', set: ['algorithm.name=reinforce++'], seeds: 1 },
];

/** Every variant with its first seed, then the further seeds of the main pair: RLOO without and with KL. */
export const experiments = [0, 1, 2].flatMap((seed) =>
  variants
    .filter(({ seeds }) => seed < seeds)
    .map(({ key, title, set }) => ({ key, title, seed, name: `${key}-seed${seed}`, set: [...set, `seed=${seed}`] })),
);

const rounded = (value) => (value === null ? null : Number(value.toPrecision(5)));

/** Curves and held-out evaluations of a finished run. */
export function readResult({ key, title, seed }, folder) {
  const rows = readRows(path.join(folder, 'metrics.jsonl'));
  const steps = rows.filter((row) => row.step > 0);
  const curve = (pick) => steps.map((row) => rounded(pick(row)));
  return {
    key,
    title,
    seed,
    reward: curve((row) => row.rewardMean),
    responseLength: curve((row) => row.responseLength),
    entropy: curve((row) => row.entropy),
    klPerSequence: curve((row) => row.klPerSequence),
    secondsPerStep: rounded(steps.reduce((sum, row) => sum + row.seconds.total, 0) / steps.length),
    heldOut: rows
      .filter((row) => row.evaluation)
      .map(({ step, evaluation }) => ({
        step,
        accuracy: rounded(evaluation.accuracy),
        interval: evaluation.interval.map(rounded),
        responseLength: rounded(evaluation.responseLength),
        problems: evaluation.problems,
      })),
  };
}

/** Results of one variant, all seeds. */
export function byVariant(results) {
  const groups = new Map();
  for (const { key } of variants)
    groups.set(
      key,
      results.filter((result) => result.key === key),
    );
  return [...groups.values()].filter((runs) => runs.length > 0);
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const tail = (values) => mean(values.slice(-5));
/** `12.3`, or `12.3 (11.9–12.8)` where seeds differ. */
const over = (values, digits) => {
  const [middle, low, high] = [mean(values), Math.min(...values), Math.max(...values)].map((value) =>
    value.toFixed(digits),
  );
  return low === high ? middle : `${middle} (${low}–${high})`;
};

/** Markdown. Reward and KL are means of the last five steps; several seeds as mean and range. */
export function makeTable(results) {
  const lines = byVariant(results).map((runs) =>
    [
      runs[0].title,
      runs.length,
      over(
        runs.map(({ heldOut }) => 100 * heldOut[0].accuracy),
        1,
      ),
      over(
        runs.map(({ heldOut }) => 100 * heldOut.at(-1).accuracy),
        1,
      ),
      over(
        runs.map(({ heldOut }) => heldOut[0].responseLength),
        1,
      ),
      over(
        runs.map(({ heldOut }) => heldOut.at(-1).responseLength),
        1,
      ),
      over(
        runs.map(({ reward }) => tail(reward)),
        2,
      ),
      over(
        runs.map(({ klPerSequence }) => tail(klPerSequence)),
        2,
      ),
    ].join(' | '),
  );
  const head =
    'run | seeds | accuracy before, % | accuracy after, % | tokens before | tokens after | reward | KL, nats per sequence';
  return [
    `| ${head} |`,
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...lines.map((line) => `| ${line} |`),
    '',
  ].join('\n');
}
