/** `zero-rl report`: one page about a run, or several compared. */
import { Command } from 'commander';
import { log } from '../observe/log';
import { renderReport, writeReport } from '../observe/report';
import { readRun } from '../observe/run-view';
import { writeFileAtomically } from '../policy/atomic-file';
import { outputFile } from './common-options';

interface Flags {
  output?: string;
  json?: boolean;
}

/** Where several runs are compared and no file is named. */
const COMPARISON = 'report.html';

async function run(folders: string[], flags: Flags): Promise<void> {
  const runs = await Promise.all([...new Set(folders)].map(readRun));
  for (const { name, problems } of runs) for (const problem of problems) log.warn(`${name}: ${problem}`);
  let file = flags.output ?? COMPARISON;
  if (runs.length === 1 && flags.output === undefined) file = await writeReport(runs[0].path);
  else await writeFileAtomically(file, await renderReport(runs));
  if (flags.json) {
    const report = runs.map(({ path, rows, problems }) => ({ path, steps: rows.at(-1)?.step ?? 0, problems }));
    process.stdout.write(`${JSON.stringify({ output: file, runs: report })}\n`);
  } else log.info(`report ${file}`);
}

export const command = new Command('report')
  .description(
    'Writes one HTML file about a run, which may still be going, or about several beside each other: curves, held-out ' +
      'accuracy with intervals, events, completions early and late, config. It runs no script and makes no request. Runs that ' +
      'differ only in their seed are drawn as one line with a band.',
  )
  .argument('<runs...>', 'run folders')
  .option(
    '--output <file>',
    "the page (default: the run folder's report.html; for several runs ./report.html)",
    outputFile,
  )
  .option('--json', 'print a summary as one JSON object on standard output')
  .action(run);
