/** `zero-rl export`: the tables of a run for other tools. */
import { Command } from 'commander';
import { writeMetrics, writeSamples } from '../export/run-tables';
import { log } from '../observe/log';
import { startProgress } from '../observe/progress';
import { readRun } from '../observe/run-view';
import { timed } from '../profile/spans';
import { outputFile } from './common-options';

interface Flags {
  rollouts?: string;
  evaluations?: string;
  metrics?: string;
  json?: boolean;
}

async function run(path: string, flags: Flags, self: Command): Promise<void> {
  if (flags.rollouts === undefined && flags.evaluations === undefined && flags.metrics === undefined)
    self.error('error: name what to export: --rollouts, --evaluations or --metrics FILE', { exitCode: 2 });
  const view = await readRun(path);
  const { problems } = view;
  const rows: Record<string, number> = {};
  const { rollouts, evaluations, metrics } = flags;
  await timed('work', async () => {
    const total = (rollouts ? view.rollouts.length : 0) + (evaluations ? view.evaluations.length : 0);
    using progress = total > 0 ? startProgress({ label: 'export', total, unit: 'steps' }) : null;
    const onFile = (): void => progress?.advance();
    if (rollouts !== undefined) rows.rollouts = await writeSamples(rollouts, view.rollouts, problems, onFile);
    if (evaluations !== undefined)
      rows.evaluations = await writeSamples(evaluations, view.evaluations, problems, onFile);
    if (metrics !== undefined) rows.metrics = await writeMetrics(metrics, view);
  });
  for (const problem of problems) log.warn(problem);
  if (flags.json) process.stdout.write(`${JSON.stringify({ run: view.path, rows, problems })}\n`);
  else for (const [name, count] of Object.entries(rows)) log.info(`${count} rows of ${name} written`);
}

export const command = new Command('export')
  .description(
    'Writes the samples of a run, and its metrics, as tables: Parquet, metrics also as CSV. The run may still be going. ' +
      'TensorBoard reads the run folder itself.',
  )
  .argument('<run>', 'run folder')
  .option('--rollouts <file>', 'training samples as Parquet', outputFile)
  .option('--evaluations <file>', 'held-out samples as Parquet', outputFile)
  .option('--metrics <file>', 'a row a step, as CSV where the name ends in .csv, else as Parquet', outputFile)
  .option('--json', 'print a summary as one JSON object on standard output')
  .action(run);
