/** `zero-rl replay`: the rollouts of a step of a run, made again and compared with what the run wrote. */
import { Command } from 'commander';
import { JsonLinesWriter } from '../data/jsonl-writer';
import { checkInteger } from '../errors';
import { log } from '../observe/log';
import { formatNumber } from '../observe/svg';
import { replay, type Replay, type ReplayedSample } from '../training/replay';

interface Flags {
  step: string;
  prompt?: string;
  output?: string;
  json: boolean;
}

function sampleText(row: ReplayedSample): string {
  const verdict = row.correct === null ? '' : row.correct ? ', right' : ', wrong';
  const advantage = row.advantage === undefined ? '' : `, advantage ${formatNumber(row.advantage)}`;
  const nats = row.logProbs.reduce((sum, value) => sum + value, 0);
  const cut = row.finishReason === 'length' ? ', cut off' : '';
  const same = { true: ', as written', false: ', NOT as written', null: '' }[
    String(row.same) as 'true' | 'false' | 'null'
  ];
  const head = `sample ${row.sample}: reward ${row.reward === null ? '–' : formatNumber(row.reward)} (${row.reason}${verdict})${advantage}, ${row.length} tokens${cut}, ${nats.toFixed(1)} nats${same}`;
  const written = row.written ? [`  the run wrote: ${JSON.stringify(row.written.completion)}`] : [];
  return [head, `  ${JSON.stringify(row.completion)}`, ...written].join('\n');
}

function replayText({ samples }: Replay): string {
  const lines: string[] = [];
  let uid = NaN;
  for (const row of samples) {
    if (row.uid !== uid) lines.push('', `prompt ${row.id}, answer ${row.answer}: ${JSON.stringify(row.prompt)}`);
    ({ uid } = row);
    lines.push(sampleText(row));
  }
  return lines.slice(1).join('\n');
}

async function run(folder: string, flags: Flags): Promise<void> {
  const step = checkInteger('--step', Number(flags.step), 1);
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
  const shown = result.samples.filter(({ id }) => flags.prompt === undefined || id === flags.prompt);
  if (flags.output !== undefined) {
    const writer = await JsonLinesWriter.open(flags.output);
    for (const row of shown) await writer.write(row);
    await writer.close();
  }
  const chosen = { ...result, samples: shown };
  if (flags.json) process.stdout.write(`${JSON.stringify(chosen)}\n`);
  else if (flags.output === undefined) process.stdout.write(`${replayText(chosen)}\n`);
  const { same, written } = result;
  if (written === 0) log.info('The run wrote no rollouts of this step to compare with');
  else if (same === written) log.info(`All ${written} samples that the run wrote came out the same`);
  else {
    log.warn(
      `${written - same} of ${written} samples that the run wrote came out otherwise: another processor, number of threads, ` +
        'version or dtype, changed data, or steps before the watchdog went back',
    );
    process.exitCode = 1;
  }
}

export const command = new Command('replay')
  .description(
    'Makes the rollouts of a step of a run again, from the newest checkpoint before it (training on where that is older), and ' +
      'compares them with those that the run wrote. Exit code 1 when they differ.',
  )
  .argument('<run>', 'run folder')
  .requiredOption('--step <k>', 'step, from 1')
  .option('--prompt <id>', 'show the samples of this problem alone')
  .option('--output <file>', 'write every sample with its tokens and log-probs as JSON Lines')
  .option('--json', 'print one JSON object on stdout', false)
  .action(run);
