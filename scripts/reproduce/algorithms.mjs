/** What `npm run reproduce -- --all` adds: every estimator and objective once, its table and its figure. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { chartSheet, lineChart, smooth } = require('../../dist/observe/chart.js');

/** Short runs, so that the whole set takes well under an hour. */
const SHORT = ['steps=48', 'checkpoint.every=16', 'rollouts.every=24'];
const estimator = (name) => [`algorithm.name=${name}`];
/** Two optimizer steps on each batch, so that ratios leave 1. */
const objective = (name, ...set) => [`optimizer.objective=${name}`, 'optimizer.epochs=2', ...set];

const families = [
  {
    title: 'Baseline from the group',
    runs: [
      { key: 'rloo', title: 'RLOO', set: estimator('rloo') },
      { key: 'grpo', title: 'GRPO', set: estimator('grpo') },
      {
        key: 'dr-grpo',
        title: 'Dr.GRPO',
        set: [...estimator('dr-grpo'), 'optimizer.aggregationConstant=48'],
      },
      { key: 'opo', title: 'OPO', set: estimator('opo') },
      { key: 'pass-at-k', title: 'pass@2', set: [...estimator('pass-at-k'), 'algorithm.k=2'] },
      { key: 'rpp-baseline', title: 'RF++ baseline', set: estimator('reinforce++-baseline') },
    ],
  },
  {
    title: 'Baseline from elsewhere',
    runs: [
      { key: 'reinforce', title: 'REINFORCE', set: estimator('reinforce') },
      {
        key: 'reinforce-running',
        title: 'running mean',
        set: [...estimator('reinforce'), 'algorithm.baseline=running'],
      },
      { key: 'rpp', title: 'REINFORCE++', set: estimator('reinforce++') },
      { key: 'remax', title: 'ReMax', set: estimator('remax') },
      {
        key: 'ppo',
        title: 'PPO, critic',
        set: [...estimator('ppo'), 'optimizer.minibatches=1', 'critic.learningRate=1e-3'],
      },
      {
        key: 'ppo-trunk',
        title: 'PPO, trunk',
        set: [...estimator('ppo'), 'optimizer.minibatches=1', 'critic.kind=trunk'],
      },
    ],
  },
  {
    title: 'Objective, with RLOO',
    runs: [
      { key: 'objective-ppo', title: 'clip', set: objective('ppo', 'optimizer.clip.high=0.28') },
      {
        key: 'objective-gspo',
        title: 'GSPO',
        set: objective('gspo', 'optimizer.clip={low: 0.02, high: 0.03}'),
      },
      { key: 'objective-cispo', title: 'CISPO', set: objective('cispo', 'optimizer.clip={low: 1, high: 1}') },
      { key: 'objective-entropy', title: 'entropy', set: ['optimizer.entropy={coefficient: 0.003, target: 0.2}'] },
    ],
  },
];

const runs = families.flatMap((family) => family.runs.map((run) => ({ ...run, family: family.title })));

export const algorithmExperiments = runs.map(({ key, title, family, set }) => ({
  key,
  title,
  family,
  seed: 0,
  name: `algorithm-${key}`,
  set: [...SHORT, ...set, 'seed=0'],
}));

const percent = (value) => (100 * value).toFixed(1);
const tail = (values) => values.slice(-5).reduce((sum, value) => sum + value, 0) / Math.min(5, values.length);

/** Markdown, in the order of the families. */
export function algorithmTable(results) {
  const rows = results.map(({ key, title, heldOut, reward, klPerSequence, entropy, secondsPerStep }) => {
    const { family } = algorithmExperiments.find((experiment) => experiment.key === key);
    const [before, after] = [heldOut[0], heldOut.at(-1)];
    const interval = after.interval.map(percent).join('–');
    return `| ${family} | ${title} | ${percent(before.accuracy)} | ${percent(after.accuracy)} (${interval}) | ${after.responseLength.toFixed(1)} | ${tail(reward).toFixed(2)} | ${tail(entropy).toFixed(3)} | ${tail(klPerSequence).toFixed(2)} | ${secondsPerStep.toFixed(1)} |`;
  });
  return [
    '| family | run | accuracy before, % | after, % (95 %) | tokens after | reward | entropy | KL per sequence, nats | s/step |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
  ].join('\n');
}

const CELL = { width: 520, height: 280 };

/** docs/algorithms.svg: per family the held-out accuracy and the response length. */
export async function algorithmFigure(results) {
  const charts = [];
  for (const family of families) {
    const done = family.runs
      .map((run, color) => ({ color, result: results.find(({ key }) => key === run.key) }))
      .filter(({ result }) => result !== undefined);
    if (done.length === 0) continue;
    const series = (pointsOf) =>
      done.map(({ color, result }) => ({ label: result.title, color, points: pointsOf(result) }));
    const accuracy = ({ heldOut }) => heldOut.map(({ step, accuracy: share }) => ({ x: step, y: 100 * share }));
    const lengths = ({ responseLength }) =>
      smooth(
        responseLength.map((y, i) => ({ x: i + 1, y })),
        2,
      );
    charts.push(
      lineChart(series(accuracy), {
        title: family.title,
        subtitle: 'held-out accuracy, %',
        ...CELL,
        include: [0, 100],
        bounds: [0, 100],
        labelWidth: 96,
      }),
      lineChart(series(lengths), { title: family.title, subtitle: 'response length, tokens', ...CELL, labelWidth: 96 }),
    );
  }
  return chartSheet(await Promise.all(charts), 2, CELL, 'One seed each, 48 steps of 32 prompts × 8 samples, no KL.');
}
