/** `zero-rl pretrain`: next-token training of a small model from random weights. */
import { Command } from 'commander';
import { log } from '../observe/log';
import { duration, startProgress } from '../observe/progress';
import { readPretrainConfig } from '../training/load-pretrain-config';
import { pretrain } from '../training/pretrain';
import { addEngineOptions, addSetOption, engineOptions, type EngineFlags } from './common-options';

interface Flags extends EngineFlags {
  set?: string[];
  resume?: boolean;
  json?: boolean;
}

async function run(file: string, flags: Flags): Promise<void> {
  const { set, resume } = flags;
  const config = readPretrainConfig(file, set);
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const progress = startProgress({ label: 'pretrain', total: config.steps, unit: 'steps' });
  const started = performance.now();
  let step = 0;
  let heldOutLoss: number | null = null;
  try {
    const warn = (message: string): void => progress.line(`warning: ${message}`);
    for await (const metrics of pretrain(config, { ...engineOptions(flags), resume, signal: abort.signal, warn })) {
      step = metrics.step;
      progress.set(step, `loss ${metrics.loss.toFixed(3)}  ${Math.round(metrics.tokensPerSecond)} tokens/s`);
      if (metrics.heldOutLoss !== null) {
        heldOutLoss = metrics.heldOutLoss;
        progress.line(
          `step ${step}/${config.steps}  loss ${metrics.loss.toFixed(4)}  held-out loss ${heldOutLoss.toFixed(4)}  ` +
            `${Math.round(metrics.tokensPerSecond)} tokens/s`,
        );
      }
    }
  } finally {
    progress.stop();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
  const seconds = (performance.now() - started) / 1000;
  const done = !abort.signal.aborted || step === config.steps;
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ output: config.output, done, step, heldOutLoss, seconds })}\n`);
  }
  if (done) log.info(`The model is in ${config.output} (${duration(seconds)}).`);
  else {
    log.info(`Stopped; the state is saved in ${config.output}, go on with --resume.`);
    process.exitCode = 1;
  }
}

export const command = new Command('pretrain')
  .description('Next-token training: makes a small base model with checkpoints at stated steps.')
  .argument('<config>', 'YAML file, for example configs/pretrain.yaml')
  .option('--resume', 'go on with the run in the output folder')
  .option('--json', 'print a summary as one JSON object on stdout');
addSetOption(command);
addEngineOptions(command).action(run);
