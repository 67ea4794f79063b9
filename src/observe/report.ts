/**
 * report.html: one file that makes no request, with the outcome, the curves, completions at the start and at the end, the
 * formula and the config. Completions are hostile text and are escaped.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { writeFileAtomically } from '../policy/atomic-file';
import type { Evaluation } from '../training/evaluate';
import { advantageFormula, lossFormula } from '../training/formulas';
import { parseYaml, resolveConfig } from '../training/load-config';
import { readRows, runFiles, type MetricsRow, type RunFolder, type SampleRow } from '../training/run-folder';
import { chartStyle } from './chart';
import { reportStyle } from './report-style';
import { runCharts } from './report-charts';
import { escapeHtml, formatNumber, formatPercent, formatSeconds } from './svg';

/** Completions shown of each side. */
const SAMPLES = 8;

const cell = (text: string, tag = 'td'): string => `<${tag}>${text}</${tag}>`;

function outcomeTable(before: Evaluation, after: Evaluation): string {
  const accuracy = ({ accuracy: value, interval: [low, high] }: Evaluation): string =>
    `${formatPercent(value)} <small>[${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]</small>`;
  const row = (name: string, show: (evaluation: Evaluation) => string): string =>
    `<tr>${cell(name, 'th')}${cell(show(before))}${cell(show(after))}</tr>`;
  return [
    `<table class="outcome"><thead><tr><th>Held out: ${after.problems} problems</th><th>before</th><th>after</th></tr></thead><tbody>`,
    row('accuracy, 95 % interval', accuracy),
    row('response length, tokens', ({ responseLength }) => responseLength.toFixed(1)),
    row('in the right format', ({ formatRate }) => formatPercent(formatRate)),
    row('cut off by the limit', ({ truncatedRate }) => formatPercent(truncatedRate)),
    row('reward', ({ rewardMean }) => rewardMean.toFixed(3)),
    '</tbody></table>',
  ].join('');
}

function completion(row: SampleRow): string {
  const verdict = row.correct === true ? 'right' : row.correct === false ? 'wrong' : 'unknown';
  const cut = row.finishReason === 'length' ? ', cut off' : '';
  return `<div class="completion ${verdict}"><pre>${escapeHtml(row.completion)}</pre><p>${escapeHtml(row.reason)} · ${row.length} tokens${cut}${row.reward === null ? '' : ` · reward ${formatNumber(row.reward)}`}</p></div>`;
}

/** Pairs of the same problem and sample, those first whose verdict changed for the better; a few of each other kind. */
export function choosePairs(
  start: readonly SampleRow[],
  end: readonly SampleRow[],
  count: number,
): [SampleRow, SampleRow][] {
  const key = (row: SampleRow): string => `${row.uid}/${row.sample}`;
  const later = new Map(end.map((row) => [key(row), row]));
  const pairs = start.flatMap((row): [SampleRow, SampleRow][] => {
    const other = later.get(key(row));
    return other ? [[row, other]] : [];
  });
  const kind = (from: boolean, to: boolean): [SampleRow, SampleRow][] =>
    pairs.filter(([a, b]) => (a.correct === true) === from && (b.correct === true) === to);
  const quota = (share: number): number => Math.max(1, Math.floor(count * share));
  const chosen = [
    ...kind(false, true).slice(0, quota(0.5)),
    ...kind(true, true).slice(0, quota(0.25)),
    ...kind(true, false).slice(0, quota(0.125)),
    ...kind(false, false).slice(0, quota(0.125)),
  ];
  return [...chosen, ...pairs.filter((pair) => !chosen.includes(pair))].slice(0, count);
}

function samplesSection(folder: RunFolder, rows: readonly MetricsRow[]): string {
  const evaluated = rows.filter((row) => row.evaluation).map((row) => row.step);
  const [first, last] = [evaluated[0], evaluated.at(-1)];
  const pairs =
    last === undefined || first === last ? [] : choosePairs(folder.evaluation(first), folder.evaluation(last), SAMPLES);
  if (pairs.length === 0) return trainingSamples(folder);
  const body = pairs.map(
    ([before, after]) =>
      `<tr><th><pre>${escapeHtml(before.prompt)}</pre><p>answer ${escapeHtml(before.answer)}</p></th>${cell(completion(before))}${cell(completion(after))}</tr>`,
  );
  return `<h2>Held-out completions, same problems and random numbers</h2><table class="samples"><thead><tr><th>prompt</th><th>step ${first}</th><th>step ${last}</th></tr></thead><tbody>${body.join('')}</tbody></table>`;
}

/** Without held-out problems: samples of the first and the last step written. */
function trainingSamples(folder: RunFolder): string {
  const files = readdirSync(folder.file(runFiles.rollouts))
    .filter((name) => name.endsWith('.jsonl'))
    .sort();
  if (files.length === 0) return '';
  const side = (name: string): string =>
    readRows<SampleRow>(folder.file(runFiles.rollouts, name))
      .slice(0, SAMPLES)
      .map((row) => `<pre class="prompt">${escapeHtml(row.prompt)}</pre>${completion(row)}`)
      .join('');
  const [first, last] = [files[0], files[files.length - 1]];
  const step = (name: string): number => Number(name.replace(/\D/g, ''));
  return `<h2>Training completions</h2><table class="samples two"><thead><tr><th>step ${step(first)}</th><th>step ${step(last)}</th></tr></thead><tbody><tr>${cell(side(first))}${cell(side(last))}</tr></tbody></table>`;
}

/** The page as text. */
export async function renderReport(folder: RunFolder): Promise<string> {
  const yaml = readFileSync(folder.file(runFiles.config), 'utf8');
  const config = resolveConfig(parseYaml(yaml, runFiles.config) as Parameters<typeof resolveConfig>[0]);
  const rows = folder.metrics();
  const evaluations = rows.flatMap((row) => (row.evaluation ? [row.evaluation] : []));
  const [before, after] = [evaluations[0] as Evaluation | undefined, evaluations.at(-1)];
  const steps = rows.filter((row) => row.step > 0);
  const seconds = steps.reduce((sum, row) => sum + ('seconds' in row ? row.seconds.total : 0), 0);
  const charts = await runCharts(rows);
  const facts = [
    `${steps.length} of ${config.steps} steps`,
    `${formatSeconds(seconds)} of training`,
    `model ${config.model}`,
    `seed ${config.seed}`,
  ];
  const done = rows.at(-1)?.step === config.steps;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(folder.name)} · zero-rl</title>
<style>${chartStyle(':root')}\n${reportStyle}</style>
</head>
<body>
<header><h1>${escapeHtml(folder.name)}</h1><p>${facts.map(escapeHtml).join(' · ')}</p>${done ? '' : '<p class="note">This run has not finished.</p>'}</header>
<main>
${before && after && evaluations.length > 1 ? outcomeTable(before, after) : ''}
<section class="charts">${charts.map((chart) => `<figure>${chart}</figure>`).join('\n')}</section>
${samplesSection(folder, rows)}
<h2>Formulas in force</h2><pre class="block">${escapeHtml(`${advantageFormula(config)}\n${lossFormula(config)}`)}</pre>
<h2>Config</h2><details><summary>${escapeHtml(runFiles.config)}</summary><pre class="block">${escapeHtml(yaml)}</pre></details>
</main>
</body>
</html>
`;
}

/** Writes report.html into the run folder and returns its path. */
export async function writeReport(folder: RunFolder): Promise<string> {
  const file = folder.file(runFiles.report);
  await writeFileAtomically(file, await renderReport(folder));
  return file;
}
