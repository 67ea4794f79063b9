/** Completions of a run early and late, and its events, as HTML. Completions are hostile text and are escaped. */
import { basename, join } from 'node:path';
import { runFiles, type SampleRow } from '../training/run-folder';
import { readLenient, readSamples, type RunView, type StepFile } from './run-view';
import { escapeHtml, formatNumber } from './svg';

/** Completions shown of each side, of a run that is shown alone and of one among several. */
const SAMPLES = { alone: 8, several: 4 };
const LONGEST_TEXT = 6000;
const ALARM_SAMPLES = 3;

export const cell = (text: string, tag = 'td'): string => `<${tag}>${text}</${tag}>`;

const shown = (text: string): string =>
  escapeHtml(text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)} … (${text.length} characters)` : text);

export function completion(row: SampleRow): string {
  const verdict = row.correct === true ? 'right' : row.correct === false ? 'wrong' : 'unknown';
  const cut = row.finishReason === 'length' ? ', cut off' : '';
  const reward = typeof row.reward === 'number' ? ` · reward ${formatNumber(row.reward)}` : '';
  const length = typeof row.length === 'number' ? ` · ${row.length} tokens` : '';
  return `<div class="completion ${verdict}"><pre>${shown(row.completion)}</pre><p>${escapeHtml(row.reason)}${length}${cut}${reward}</p></div>`;
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

/** Without held-out problems: samples of the first and the last step written. */
async function trainingSamples(run: RunView, count: number, problems: string[]): Promise<string> {
  const [first, last] = [run.rollouts.at(0), run.rollouts.at(-1)];
  if (first === undefined || last === undefined) return '';
  const side = async ({ file }: StepFile): Promise<string> =>
    (await readSamples(file, problems))
      .slice(0, count)
      .map((row) => `<pre class="prompt">${shown(row.prompt)}</pre>${completion(row)}`)
      .join('');
  const sides = first === last ? [first] : [first, last];
  const heads = sides.map(({ step }) => cell(`step ${step}`, 'th')).join('');
  const bodies = (await Promise.all(sides.map(side))).map((text) => cell(text)).join('');
  return `<table class="samples two"><thead><tr>${heads}</tr></thead><tbody><tr>${bodies}</tr></tbody></table>`;
}

/** A table of completions, and what it holds. */
export async function samplesSection(
  run: RunView,
  alone: boolean,
  problems: string[],
): Promise<{ title: string; html: string }> {
  const count = alone ? SAMPLES.alone : SAMPLES.several;
  const [first, last] = [run.evaluations.at(0), run.evaluations.at(-1)];
  const pairs =
    first === undefined || last === undefined || first === last
      ? []
      : choosePairs(await readSamples(first.file, problems), await readSamples(last.file, problems), count);
  if (pairs.length === 0) return { title: 'Training completions', html: await trainingSamples(run, count, problems) };
  const body = pairs.map(
    ([before, after]) =>
      `<tr><th><pre>${shown(before.prompt)}</pre><p>answer ${shown(before.answer)}</p></th>${cell(completion(before))}${cell(completion(after))}</tr>`,
  );
  const html = `<table class="samples"><thead><tr><th>prompt</th><th>step ${first?.step}</th><th>step ${last?.step}</th></tr></thead><tbody>${body.join('')}</tbody></table>`;
  return { title: 'Held-out completions, same problems and random numbers', html };
}

interface RunEvent {
  step: number;
  /** When, where the run noted it. */
  time: string;
  html: string;
}

/** Of events.jsonl, what does not happen in every run. */
const TOLD = new Set(['watchdog', 'warning', 'rollback', 'pause', 'go-on', 'stop']);

async function alarmSamples(file: string, problems: string[]): Promise<string> {
  const samples = (await readSamples(file, problems)).slice(0, ALARM_SAMPLES);
  return samples.map((row) => `<pre class="prompt">${shown(row.prompt)}</pre>${completion(row)}`).join('');
}

/** What the run noted of itself. The samples of an alarm are looked up among the files of the watchdog. */
async function notedEvents(run: RunView, problems: string[]): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for (const row of await readLenient(join(run.path, runFiles.events), problems)) {
    if (typeof row.type !== 'string' || !TOLD.has(row.type) || typeof row.message !== 'string') continue;
    const file = typeof row.file === 'string' ? basename(row.file) : null;
    const alarm = run.alarms.find((candidate) => basename(candidate.file) === file);
    const message = escapeHtml(row.message);
    events.push({
      step: typeof row.step === 'number' ? row.step : 0,
      time: typeof row.time === 'string' ? row.time.replace('T', ' ').slice(0, 19) : '',
      html: alarm
        ? `<details><summary>${message}</summary>${await alarmSamples(alarm.file, problems)}</details>`
        : message,
    });
  }
  return events;
}

/** The same from the metrics and the files of the watchdog, for a run without notes. */
async function foundEvents(run: RunView, problems: string[]): Promise<RunEvent[]> {
  const events = run.rows.flatMap((row): RunEvent[] =>
    'applied' in row && !row.applied
      ? [{ step: row.step, time: '', html: 'skipped: its gradient was not finite' }]
      : [],
  );
  for (const { step, rule, file } of run.alarms) {
    const summary = `alarm of the rule ${escapeHtml(rule)}: samples behind it`;
    const html = `<details><summary>${summary}</summary>${await alarmSamples(file, problems)}</details>`;
    events.push({ step, time: '', html });
  }
  return events.sort((a, b) => a.step - b.step);
}

/** Alarms with the samples behind them, warnings, rollbacks, pauses and stops; empty where there were none. */
export async function eventsSection(run: RunView, problems: string[]): Promise<string> {
  const noted = await notedEvents(run, problems);
  const events = noted.length > 0 ? noted : await foundEvents(run, problems);
  if (events.length === 0) return '';
  const rows = events.map(
    ({ step, time, html }) => `<tr><th>step ${step}<small>${escapeHtml(time)}</small></th>${cell(html)}</tr>`,
  );
  return `<table class="events"><tbody>${rows.join('')}</tbody></table>`;
}
