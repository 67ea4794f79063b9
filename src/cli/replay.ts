/** `zero-rl replay`: the rollouts of a step of a run and what their tokens added to the loss, made again and compared with what the run wrote. */
import { Command } from 'commander';
import { JsonLinesWriter } from '../data/jsonl-writer';
import { invalidRange } from '../errors';
import { log } from '../observe/log';
import { coloured, lossText, plain, replayText, weightiest } from '../observe/replay-output';
import { replay, type Replay, type ReplayedSample } from '../training/replay';
import { greatest } from '../extremes';
import { integerOption, outputFile } from './common-options';

interface Flags {
  step: number;
  prompt?: string;
  sample?: number;
  output?: string;
  json?: boolean;
}

interface Choice {
  prompt?: string;
  sample?: number;
}

/** The samples that --prompt and --sample choose. */
function chosenOf(samples: readonly ReplayedSample[], { prompt, sample: index }: Choice): ReplayedSample[] {
  const ids = [...new Set(samples.map(({ id }) => id))];
  if (prompt !== undefined && !ids.includes(prompt)) {
    const rest = ids.length > 8 ? ` or one of ${ids.length - 8} more` : '';
    throw invalidRange('--prompt', `${ids.slice(0, 8).join(', ')}${rest}, a problem of the step,`, prompt);
  }
  const most = greatest(samples.map((row) => row.sample));
  if (index !== undefined && index > most) throw invalidRange('--sample', `integer between 0 and ${most}`, index);
  return samples.filter((row) => (prompt ?? row.id) === row.id && (index ?? row.sample) === row.sample);
}

function print(result: Replay, shown: readonly ReplayedSample[], { prompt, sample }: Choice): void {
  const all = prompt === undefined && sample === undefined;
  const first = weightiest(shown);
  const detailed = new Set(all ? (first ? [first] : []) : shown);
  const colours = process.stdout.isTTY && process.env.NO_COLOR === undefined;
  const text = replayText({ samples: [...shown] }, detailed, colours ? coloured : plain);
  process.stdout.write(`${text}\n\n${lossText(result)}\n`);
  if (all && first) {
    log.info(
      `The tokens shown are those of the sample that moved the loss most, sample ${first.sample} of ${first.id}; ` +
        '--prompt and --sample show others, --json and --output all',
    );
  }
}

async function run(folder: string, flags: Flags): Promise<void> {
  const { step } = flags;
  const choice = { prompt: flags.prompt, sample: flags.sample };
  const result = await replay(folder, step, {
    warn: (message) => log.warn(message),
    onStart: (checkpoint) =>
      log.info(
        checkpoint === step - 1
          ? `from ${checkpoint === 0 ? 'the model that the run began with' : `the checkpoint of step ${checkpoint}`}`
          : `training on from step ${checkpoint}, the nearest before step ${step} that was kept`,
      ),
    onStep: (done) => log.info(`step ${done} of ${step - 1}`),
  });
  const shown = chosenOf(result.samples, choice);
  if (flags.output !== undefined) {
    const writer = await JsonLinesWriter.open(flags.output);
    for (const row of shown) await writer.write(row);
    await writer.close();
  }
  if (flags.json) process.stdout.write(`${JSON.stringify({ ...result, samples: shown })}\n`);
  else if (flags.output === undefined) print(result, shown, choice);
  const { same, written } = result;
  if (written === 0) log.info('The run wrote no rollouts of this step to compare with');
  else if (same === written) log.info(`All ${written} samples that the run wrote came out the same`);
  else {
    log.warn(
      `${written - same} of ${written} samples that the run wrote came out otherwise: another processor, number of threads, ` +
        'version or dtype, changed data, or a config that a resume has changed',
    );
    process.exitCode = 1;
  }
}

export const command = new Command('replay')
  .description(
    'Makes the rollouts of a step of a run again, from the newest checkpoint before it (training on where that is older), and ' +
      'compares them with those that the run wrote; shows what each token added to the loss. Exit code 1 when rollouts differ.',
  )
  .argument('<run>', 'run folder')
  .requiredOption('--step <k>', 'step, from 1', integerOption(1))
  .option('--prompt <id>', 'show the samples of this problem alone, token by token')
  .option('--sample <n>', 'show this sample of each prompt alone, token by token; from 0', integerOption(0))
  .option('--output <file>', 'write every chosen sample with the loss terms of its tokens as JSON Lines', outputFile)
  .option('--json', 'print one JSON object on stdout')
  .action(run);
