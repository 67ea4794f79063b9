/** `zero-rl profile`: any other command with a record of where its time goes. */
import { Command, CommanderError } from 'commander';
import { log } from '../observe/log';
import { writeFileAtomically } from '../policy/atomic-file';
import { readSummary } from '../profile/read-summary';
import { commandText, takeProfile } from '../profile/session';
import { summarize } from '../profile/summary';
import { compareProfiles, comparisonText, summaryText } from '../profile/text';
import { writeTrace } from '../profile/trace';
import { integerOption, outputFile } from './common-options';

/** Exit code of a command that was called wrongly: there is nothing to profile. */
const WRONG_USAGE = 2;

interface Flags {
  output: string;
  summary?: string;
  kernels: number;
  compare?: boolean;
  json?: boolean;
}

function compare(files: string[], flags: Flags, self: Command): void {
  if (files.length !== 2) self.error('error: --compare takes two summaries', { exitCode: 2 });
  const comparison = compareProfiles(readSummary(files[0]), readSummary(files[1]));
  process.stdout.write(`${flags.json ? JSON.stringify(comparison) : comparisonText(comparison)}\n`);
}

async function run(command: string[], flags: Flags, self: Command): Promise<void> {
  if (flags.compare) {
    compare(command, flags, self);
    return;
  }
  if (command.length === 0 || command[0] === 'profile')
    self.error('error: name the command to profile, e.g. zero-rl profile -- train recipes/demo.yaml', { exitCode: 2 });
  if (flags.json) self.error('error: --json goes with --compare; --summary writes the figures of one', { exitCode: 2 });
  const { main } = await import('./main.js');
  const work = async (): Promise<number> => {
    const code = await main(command);
    if (code === WRONG_USAGE) throw new CommanderError(WRONG_USAGE, 'zero-rl.usage', 'The command did not run');
    return code;
  };
  const { result, profile } = await takeProfile({ command, kernelsPerCall: flags.kernels }, work);
  const summary = summarize(profile);
  await writeTrace(flags.output, profile, summary);
  if (flags.summary !== undefined) {
    const memory = profile.memory.map(({ time, rssMiB, heapMiB }) => ({
      seconds: (time - profile.start) / 1e9,
      rssMiB,
      heapMiB,
    }));
    const { memory: peaks, ...rest } = summary;
    const content = { ...rest, memory: { ...peaks, timeline: memory } };
    await writeFileAtomically(flags.summary, `${JSON.stringify(content, null, 1)}\n`);
  }
  // Standard output is the command's own.
  process.stderr.write(`\n${summaryText(summary)}\n\n`);
  log.info(`trace in ${flags.output}: open it at ui.perfetto.dev or chrome://tracing`);
  if (result !== 0) log.warn(`${commandText(command)} ended with code ${result}`);
  process.exitCode = result;
}

export const command = new Command('profile')
  .description(
    'Runs another command of zero-rl and records where its time goes: phases of the event loop, sections of the engine, and ' +
      'every kernel with its time, least bytes and FLOPs against the bandwidth and peak measured in the same process. Writes ' +
      'a trace for Perfetto or chrome://tracing and prints tables on standard error. With --compare it sets two summaries ' +
      'side by side.',
  )
  .argument('[command...]', 'the command with its arguments, best after --; with --compare two summaries')
  .option('--output <file>', 'the trace', outputFile, 'trace.json')
  .option('--summary <file>', 'write the tables and the memory timeline as JSON', outputFile)
  .option(
    '--kernels <count>',
    'kernels of every engine call in the trace, on each thread; the tables count all',
    integerOption(0),
    500,
  )
  .option('--compare', 'compare two summaries')
  .option('--json', 'with --compare: print one JSON object on standard output')
  .passThroughOptions()
  .action(run);
