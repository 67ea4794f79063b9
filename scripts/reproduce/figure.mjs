/** docs/reproduce.svg: reward, held-out accuracy, response length and KL against steps, the range of seeds as a band. */
import { createRequire } from 'node:module';
import { byVariant } from './experiments.mjs';

const require = createRequire(import.meta.url);
const { chartSheet, lineChart, smooth } = require('../../dist/observe/chart.js');

const CELL = { width: 520, height: 300 };
/** Smoothing radius of the training curves in steps. */
const RADIUS = 2;
const COLORS = { 'rloo-0': 0, 'rloo-0.1': 6, 'rloo-0.5': 1, 'rloo-2': 5, reinforce: 2, 'reinforce-plus-plus': 3 };

/** Mean over the runs at each x, and their range where there are several. */
function series(runs, pointsOf) {
  const curves = runs.map(pointsOf);
  const at = (i) => curves.map((curve) => curve[i].y);
  const points = curves[0].map(({ x }, i) => ({ x, y: at(i).reduce((sum, y) => sum + y, 0) / runs.length }));
  const band = points.map(({ x }, i) => ({ x, low: Math.min(...at(i)), high: Math.max(...at(i)) }));
  return {
    label: runs[0].title.replace(', no KL', ''),
    color: COLORS[runs[0].key],
    points,
    ...(runs.length > 1 ? { band } : {}),
  };
}

const curve = (values) =>
  smooth(
    values.map((y, i) => ({ x: i + 1, y })),
    RADIUS,
  );

/** The figure as SVG text. */
export async function drawFigure(results) {
  const groups = byVariant(results);
  const draw = (title, subtitle, pointsOf, options = {}) =>
    lineChart(
      groups.map((runs) => series(runs, pointsOf)),
      { title, subtitle, ...CELL, labelWidth: 96, ...options },
    );
  const charts = await Promise.all([
    draw('Reward', 'training batch, mean of five steps', ({ reward }) => curve(reward)),
    draw(
      'Held-out accuracy',
      '% of problems, sampled at temperature 1',
      ({ heldOut }) => heldOut.map(({ step, accuracy }) => ({ x: step, y: 100 * accuracy })),
      {
        include: [0, 100],
        bounds: [0, 100],
      },
    ),
    draw('Response length', 'tokens, training batch', ({ responseLength }) => curve(responseLength)),
    draw('KL to the base model', 'nats per sequence', ({ klPerSequence }) => curve(klPerSequence), { include: [0] }),
  ]);
  const seeds = Math.max(...groups.map((runs) => runs.length));
  return chartSheet(
    charts,
    2,
    CELL,
    `RLOO with in-reward KL coefficients; the others without KL. Bands: range of ${seeds} seeds.`,
  );
}
