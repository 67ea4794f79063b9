/**
 * Reports of one run or of several that are compared: one file that makes no request and runs no script, with the outcome, the
 * curves, events, completions at the start and at the end, the formula and the config. A run may be going, torn or damaged:
 * what is missing is said.
 */
import { join } from 'node:path';
import { writeFileAtomically } from '../policy/atomic-file';
import { advantageFormula, lossFormula } from '../training/formulas';
import { resolveConfig } from '../training/load-config';
import type { Evaluation } from '../training/evaluate';
import type { TrainConfig } from '../training/config';
import { runFiles } from '../training/run-folder';
import { chartStyle } from './chart';
import { reportStyle } from './report-style';
import { runCharts } from './report-charts';
import { cell, eventsSection, samplesSection } from './report-samples';
import { configDifferences, groupRuns, type RunGroup } from './run-groups';
import { readRun, type RunView } from './run-view';
import { escapeHtml, formatInterval, formatNumber, formatPercent, formatSeconds } from './svg';

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** The config as this release understands it; null where it does not. */
function resolved({ config }: RunView): TrainConfig | null {
  try {
    return config && resolveConfig(config as Parameters<typeof resolveConfig>[0]);
  } catch {
    return null;
  }
}

const evaluationsOf = ({ rows }: RunView): Evaluation[] =>
  rows.flatMap((row) => (row.evaluation ? [row.evaluation] : []));

const accuracyText = ({ accuracy, interval }: Evaluation): string =>
  accuracy === null ? 'not known' : `${formatPercent(accuracy)} <small>${formatInterval(interval)}</small>`;

function outcomeTable(run: RunView): string {
  const evaluations = evaluationsOf(run);
  const [before, after] = [evaluations.at(0), evaluations.at(-1)];
  if (before === undefined || after === undefined || evaluations.length < 2) return '';
  const row = (name: string, show: (evaluation: Evaluation) => string): string =>
    `<tr>${cell(name, 'th')}${cell(show(before))}${cell(show(after))}</tr>`;
  return [
    `<table class="outcome"><thead><tr><th>Held out: ${formatNumber(after.problems)} problems</th><th>before</th><th>after</th></tr></thead><tbody>`,
    row('accuracy, 95 % interval', accuracyText),
    row('response length, tokens', ({ responseLength }) => formatNumber(responseLength)),
    row('in the right format', ({ formatRate }) => formatPercent(formatRate)),
    row('cut off by the limit', ({ truncatedRate }) => formatPercent(truncatedRate)),
    row('reward', ({ rewardMean }) => formatNumber(rewardMean)),
    '</tbody></table>',
  ].join('');
}

interface Progress {
  done: number;
  planned: number | null;
  seconds: number;
}

function progressOf({ rows, config }: RunView): Progress {
  const steps = rows.filter((row) => row.step > 0);
  const seconds = steps.reduce((sum, row) => {
    const total = 'seconds' in row ? row.seconds.total : 0;
    return sum + (isNumber(total) ? total : 0);
  }, 0);
  return { done: steps.at(-1)?.step ?? 0, planned: isNumber(config?.steps) ? config.steps : null, seconds };
}

const stepsText = ({ done, planned }: Progress): string =>
  planned === null ? `${done} steps` : `${done} of ${planned} steps`;

/** A row a run: its group, how far it is, and its held-out accuracy before and after. */
function comparisonTable(groups: readonly RunGroup[]): string {
  const rows = groups.flatMap(({ letter, color, runs, label }) =>
    runs.map((run, i) => {
      const evaluations = evaluationsOf(run);
      const [before, after] = [evaluations.at(0), evaluations.at(-1)];
      const progress = progressOf(run);
      const head =
        i === 0
          ? `<th rowspan="${runs.length}"><b class="swatch c${color}">${letter}</b> ${escapeHtml(label)}</th>`
          : '';
      const seed = run.config?.seed;
      return `<tr>${head}${cell(escapeHtml(run.name))}${cell(isNumber(seed) ? String(seed) : '–')}${cell(stepsText(progress))}${cell(formatSeconds(progress.seconds))}${cell(before ? accuracyText(before) : '–')}${cell(after && evaluations.length > 1 ? accuracyText(after) : '–')}${cell(formatNumber(after?.responseLength))}</tr>`;
    }),
  );
  return `<div class="wide"><table class="compare"><thead><tr><th>runs</th><th>folder</th><th>seed</th><th>steps</th><th>training</th><th>held out before</th><th>after</th><th>tokens</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function differencesSection(groups: readonly RunGroup[]): string {
  const runs = groups.flatMap(({ runs: members }) => members);
  const differences = configDifferences(runs);
  if (differences.length === 0) return '<p>The runs have the same config.</p>';
  const heads = groups.flatMap(({ letter, runs: members }) =>
    members.map(({ name }) => `<th>${letter} ${escapeHtml(name)}</th>`),
  );
  const rows = differences.map(
    ({ key, values }) =>
      `<tr>${cell(escapeHtml(key), 'th')}${values.map((value) => cell(escapeHtml(value))).join('')}</tr>`,
  );
  return `<div class="wide"><table class="differences"><thead><tr><th>setting</th>${heads.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

const details = (summary: string, body: string): string =>
  `<details><summary>${escapeHtml(summary)}</summary>${body}</details>`;

async function runSections(run: RunView, alone: boolean, problems: string[]): Promise<string> {
  const [events, samples] = [await eventsSection(run, problems), await samplesSection(run, alone, problems)];
  const config = resolved(run);
  const formulas = config === null ? '' : `${advantageFormula(config)}\n${lossFormula(config)}`;
  const heading = alone ? 'h2' : 'h3';
  return [
    events === '' ? '' : `<${heading}>Events</${heading}>${events}`,
    samples.html === '' ? '' : `<${heading}>${samples.title}</${heading}>${samples.html}`,
    formulas === '' ? '' : `<${heading}>Formulas in force</${heading}><pre class="block">${escapeHtml(formulas)}</pre>`,
    `<${heading}>Config</${heading}>${details(runFiles.config, `<pre class="block">${escapeHtml(run.configText)}</pre>`)}`,
  ].join('\n');
}

function header(title: string, facts: readonly string[], notes: readonly string[]): string {
  const lines = notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`).join('');
  return `<header><h1>${escapeHtml(title)}</h1><p>${facts.map(escapeHtml).join(' · ')}</p>${lines}</header>`;
}

/** The page as text. */
export async function renderReport(runs: readonly RunView[]): Promise<string> {
  const groups = groupRuns(runs);
  const alone = runs.length === 1;
  const problems = runs.flatMap((run) => run.problems.map((problem) => (alone ? problem : `${run.name}: ${problem}`)));
  const charts = await runCharts(groups);
  const sections: string[] = [];
  for (const { letter, runs: members } of groups) {
    for (const run of members) {
      const own: string[] = [];
      const body = await runSections(run, alone, own);
      problems.push(...own.map((problem) => (alone ? problem : `${run.name}: ${problem}`)));
      sections.push(alone ? body : details(`${letter} ${run.name}`.trim(), body));
    }
  }
  const progress = runs.map(progressOf);
  const unfinished = runs.filter((_, i) => progress[i].done < (progress[i].planned ?? 0));
  const title = alone ? runs[0].name : `${runs.length} runs compared`;
  const { model, seed } = runs[0].config ?? {};
  const facts = alone
    ? [
        stepsText(progress[0]),
        `${formatSeconds(progress[0].seconds)} of training`,
        ...(typeof model === 'string' ? [`model ${model}`] : []),
        ...(isNumber(seed) ? [`seed ${seed}`] : []),
      ]
    : [
        `${groups.length} configs`,
        ...(groups.some(({ runs: members }) => members.length > 1)
          ? ['lines are means over seeds, bands go from the lowest to the highest']
          : []),
      ];
  const notes = [
    ...(unfinished.length === 0
      ? []
      : [alone ? 'This run has not finished.' : `Not finished: ${unfinished.map(({ name }) => name).join(', ')}.`]),
    ...problems,
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)} · zero-rl</title>
<style>${chartStyle(':root')}\n${reportStyle}</style>
</head>
<body>
${header(title, facts, notes)}
<main>
${alone ? outcomeTable(runs[0]) : comparisonTable(groups)}
<section class="charts">${charts.map((chart) => `<figure>${chart}</figure>`).join('\n')}</section>
${alone ? '' : `<h2>Config: what differs</h2>${differencesSection(groups)}<h2>Runs</h2>`}
${sections.join('\n')}
</main>
</body>
</html>
`;
}

/** Writes report.html into the run folder and returns its path. @throws ZeroRlError `ERR_ZERO_RL_OUTPUT` */
export async function writeReport(folder: string): Promise<string> {
  const file = join(folder, runFiles.report);
  await writeFileAtomically(file, await renderReport([await readRun(folder)]));
  return file;
}
