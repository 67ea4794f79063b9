/** `zero-rl train`: a run from a config, or one that goes on. */
import { dirname, join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { isZeroRlError } from '../errors';
import { dashboardBeside, type DashboardProcess } from '../observe/dashboard/beside';
import { log } from '../observe/log';
import { startProgress, type Progress } from '../observe/progress';
import {
  evaluationLine,
  offlinePlanText,
  outcomeTable,
  planText,
  previewText,
  stepTable,
} from '../observe/train-output';
import { formatSeconds } from '../observe/svg';
import { makeFolder } from '../policy/atomic-file';
import { timedSync } from '../profile/spans';
import type { TrainConfig, TrainConfigInput } from '../training/config';
import { advantageFormula, lossFormula } from '../training/formulas';
import { applyAssignments, readYamlFile, resolveConfig } from '../training/load-config';
import { isUnreachable, planOffline } from '../training/offline-plan';
import { planRun } from '../training/plan';
import { checkRunFolder, runFiles } from '../training/run-folder';
import { train } from '../training/train';
import type { TrainEvent } from '../training/train-event';
import { addEngineOptions, addSetOption, ofConfig, typedEngineOptions, type EngineFlags } from './common-options';

interface Flags extends EngineFlags {
  set?: string[];
  resume?: string;
  discardSteps?: boolean;
  dryRun?: boolean;
  dashboard?: boolean;
  json?: boolean;
}

/** Exit codes of an interrupted run: 128 + the signal's number, as shells have it. */
const INTERRUPTED = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

function readConfig(file: string | undefined, flags: Flags, command: Command): TrainConfig {
  if ((file === undefined) === (flags.resume === undefined))
    command.error('error: give either a config file, or --resume RUN to go on with a run', { exitCode: 2 });
  if (flags.resume !== undefined) checkRunFolder(flags.resume);
  const source = file ?? join(flags.resume ?? '', runFiles.config);
  const config = applyAssignments(readYamlFile(source), flags.set ?? []);
  Object.assign(config, typedEngineOptions(flags, command));
  // The runs may have been moved.
  if (flags.resume !== undefined) config.output = dirname(resolve(flags.resume));
  return resolveConfig(config as TrainConfigInput, source, (hint) => log.warn(hint));
}

const shown = (path: string): string => {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
};

async function dryRun(config: TrainConfig, json?: boolean): Promise<void> {
  const print = (plan: object, text: string): void =>
    void process.stdout.write(json ? `${JSON.stringify(plan)}\n` : `${text}\n`);
  try {
    const plan = await planRun(config, { warn: (message) => log.warn(message) });
    print(plan, planText(plan, config));
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    const plan = planOffline(config, error);
    print(plan, offlinePlanText(plan, config));
  }
}

/** Prints the events of a run; what was left unsaid when it ends is for the caller. */
function reporter(
  config: TrainConfig,
  json: boolean | undefined,
): { onEvent: (event: TrainEvent) => void; progress: Progress; folder: () => string; kept: () => number } {
  const progress = startProgress({ label: config.name, total: config.steps, unit: 'steps', plainLines: false });
  let folder = '';
  /** Steps that the newest checkpoint has. */
  let kept = 0;
  const onEvent = (event: TrainEvent): void => {
    switch (event.type) {
      case 'start':
        folder = event.folder;
        kept = event.step;
        progress.line(`run folder ${shown(folder)}`);
        progress.line(
          `${event.parameters.toLocaleString('en-US')} parameters, ${event.problems} problems, ${event.heldOut} held out`,
        );
        progress.line(`${advantageFormula(config)}\n${lossFormula(config)}`);
        if (event.step >= event.config.steps)
          progress.line(
            `all ${event.config.steps} steps of this run are done; --set steps=${2 * event.config.steps} would go on with it`,
          );
        else if (event.step > 0) progress.line(`going on after step ${event.step}`);
        progress.set(event.step);
        break;
      case 'difficulty':
        progress.advance(0, `measuring pass rates, ${event.measured} of ${event.total}`);
        if (event.measured === event.total) progress.line(`pass rates of ${event.total} problems measured`);
        break;
      case 'phase':
        if (event.phase === 'evaluation') progress.advance(0, 'evaluating');
        if (event.phase === 'preview') progress.advance(0, 'looking at a few prompts');
        break;
      case 'preview':
        progress.line(previewText(event.preview, config));
        break;
      case 'evaluation':
        progress.line(evaluationLine(event.step, event.evaluation));
        if (event.emaEvaluation) progress.line(evaluationLine(event.step, event.emaEvaluation, 'its moving average'));
        break;
      case 'pause':
        progress.line(
          event.paused
            ? `paused after step ${event.step}, as asked; remove control/pause in the run folder to go on`
            : 'going on',
        );
        break;
      case 'warning':
        progress.line(`warning: ${event.message}`);
        break;
      case 'checkpoint':
        kept = event.step;
        log.debug(`checkpoint ${event.path}`);
        break;
      case 'finish': {
        progress.stop();
        const { before, after, summary, report } = event;
        if (json) {
          process.stdout.write(`${JSON.stringify({ folder, report, ...summary })}\n`);
          break;
        }
        if (before && after) process.stdout.write(`\n${outcomeTable(before, after)}\n`);
        process.stdout.write(
          `\ntrained in ${formatSeconds(summary.seconds.training)}, ${formatSeconds(summary.seconds.total)} in all\n`,
        );
        if (report !== null) process.stdout.write(`report ${shown(report)}\n`);
      }
    }
  };
  return { onEvent, progress, folder: () => folder, kept: () => kept };
}

async function startBeside(output: string, progress: Progress): Promise<DashboardProcess | null> {
  await makeFolder(output);
  const dashboard = await dashboardBeside(output);
  progress.line(dashboard ? `dashboard ${dashboard.url}` : 'warning: the dashboard did not start');
  return dashboard;
}

async function run(file: string | undefined, flags: Flags, command: Command): Promise<void> {
  const config = timedSync('config', () => readConfig(file, flags, command));
  if (flags.dryRun) return dryRun(config, flags.json);
  const abort = new AbortController();
  const interruption: { by: keyof typeof INTERRUPTED | null } = { by: null };
  const { onEvent, progress, folder, kept } = reporter(config, flags.json);
  const stop = (signal: keyof typeof INTERRUPTED): void => {
    // A terminal that closes may send SIGHUP twice.
    if (interruption.by !== null) return;
    interruption.by = signal;
    // A second signal has its default effect: it ends the process at once.
    process.off('SIGINT', stop).off('SIGTERM', stop);
    progress.line('stopping: a checkpoint is being saved; once more to stop without it');
    abort.abort();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', stop);
  // A terminal or pipe that has gone takes no more lines; what the run does lies in its folder.
  const streams = [process.stdout, process.stderr];
  const ignore = (): void => undefined;
  for (const stream of streams) stream.on('error', ignore);
  const dashboard = flags.dashboard ? await startBeside(config.output, progress) : null;
  progress.line(`loading ${shown(config.model)} and the data`);
  try {
    const lines = stepTable(config);
    for await (const step of train(config, {
      signal: abort.signal,
      resume: flags.resume,
      discardSteps: flags.discardSteps,
      onEvent,
    })) {
      for (const line of lines(step)) progress.line(line);
      progress.set(step.step, `reward ${step.rewardMean.toFixed(3)}`);
    }
  } catch (error) {
    progress.stop();
    if (isZeroRlError(error) && error.code === 'ERR_ZERO_RL_ABORTED') {
      // Before the first step only the error knows the folder.
      const next = folder() === '' ? error.message : `go on with: zero-rl train --resume ${shown(folder())}`;
      log.info(`Stopped ${interruption.by === null ? 'as asked' : `by ${interruption.by}`}; ${next}`);
      process.exitCode = interruption.by === null ? 1 : INTERRUPTED[interruption.by];
      return;
    }
    if (folder() !== '') {
      log.info(`Steps up to ${kept()} are kept; go on with: zero-rl train --resume ${shown(folder())}`);
    }
    throw error;
  } finally {
    progress.stop();
    dashboard?.stop();
    process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGHUP', stop);
    for (const stream of streams) stream.off('error', ignore);
  }
}

export const command = new Command('train')
  .description(
    'Trains a model by reinforcement learning. Ctrl-C saves a checkpoint and exits with 130 (SIGTERM 143, SIGHUP 129); a second one stops at once.',
  )
  .argument('[config]', 'YAML file, for example recipes/demo.yaml')
  .option('--resume <run>', 'go on with a run folder from its newest checkpoint')
  .option(
    '--discard-steps',
    'with --resume: go on even where steps are erased and done again that a checkpoint should have kept',
  )
  .option('--dry-run', 'print the formulas in force and the time and memory predicted, and train nothing')
  .option('--dashboard', 'serve a live page of the runs in the output folder as long as this one trains')
  .option('--json', 'print the outcome as one JSON object on stdout');
addSetOption(command);
addEngineOptions(command, { ...ofConfig, trains: true }).action(run);
