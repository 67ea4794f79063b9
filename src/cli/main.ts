#!/usr/bin/env node
/**
 * The command line: finds the command and loads its file only, prints errors as one sentence and sets the exit code
 * (0 done, 1 failed, 2 wrong usage). A command is a file beside this one that exports a commander `command`.
 */
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../libtorch/pin';
import { log } from '../observe/log';
import { timed } from '../profile/spans';

interface CommandModule {
  command: Command;
}

interface Entry {
  name: string;
  summary: string;
  load: () => Promise<CommandModule>;
}

const entries: Entry[] = [
  { name: 'train', summary: 'train a model by reinforcement learning', load: () => import('./train.js') },
  { name: 'eval', summary: 'evaluate models on held-out problems', load: () => import('./eval.js') },
  { name: 'replay', summary: 'make the rollouts of a step again', load: () => import('./replay.js') },
  { name: 'pretrain', summary: 'train a base model by next-token prediction', load: () => import('./pretrain.js') },
  { name: 'sample', summary: 'sample completions of prompts', load: () => import('./sample.js') },
  { name: 'logprobs', summary: 'compute log-probabilities of given tokens', load: () => import('./logprobs.js') },
  {
    name: 'dashboard',
    summary: 'serve a live page of runs',
    load: () => import('./dashboard.js'),
  },
  { name: 'verify', summary: 'check answers against right ones', load: () => import('./verify.js') },
  { name: 'bench', summary: 'measure throughput, memory and kernels', load: () => import('./bench.js') },
  { name: 'profile', summary: 'record where the time of another command goes', load: () => import('./profile.js') },
  { name: 'report', summary: 'write a page about one run or several', load: () => import('./report.js') },
  { name: 'export', summary: 'write the tables of a run for other tools', load: () => import('./export.js') },
  { name: 'doctor', summary: 'say what was found on this machine and what to do', load: () => import('./doctor.js') },
  { name: 'libtorch', summary: 'install libtorch into the cache', load: () => import('./libtorch.js') },
];

/** Prints one sentence, with the stack and causes where ZERO_RL_LOG is `debug`. */
function report(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`zero-rl: ${message}\n`);
  if (log.isDebug()) console.error(error);
}

/** Arguments that a check refused are wrong usage; everything else is a failure. */
function exitCode(error: unknown): 1 | 2 {
  if (error instanceof CommanderError) return 2;
  return (error instanceof TypeError || error instanceof RangeError) && error.message.startsWith('Expected ') ? 2 : 1;
}

/** Runs one command line (without `node` and the script) and returns the exit code. */
export async function main(argv: string[]): Promise<number> {
  const program = new Command('zero-rl')
    .description('Trains base language models to reason by reinforcement learning with rule-checked rewards.')
    .version(packageVersion)
    .helpCommand('help [command]', 'show the help of a command')
    // What follows a command is its own: profile hands it on.
    .enablePositionalOptions();
  const asked = argv[0] === 'help' ? argv[1] : argv.find((word) => !word.startsWith('-'));
  for (const entry of entries) {
    const command = entry.name === asked ? (await timed('load modules', entry.load)).command : new Command(entry.name);
    program.addCommand(command.summary(entry.summary));
  }
  prepare(program);
  try {
    if (argv[0] === 'help' && argv.length > 1 && !entries.some(({ name }) => name === asked))
      program.error(`unknown command '${asked}'`);
    await program.parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    // Commander has printed its own message.
    if (!(error instanceof CommanderError)) report(error);
    return exitCode(error);
  }
}

const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();

/** What commander says of wrong usage, in the form of all other errors. */
function usageError(command: Command, said: string): string {
  const sentence = said
    .trim()
    .replace(/^error: /, '')
    .replace(/\n\(Did/, ' (did')
    .replace(/\.$/, '');
  return `zero-rl: ${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}; see ${pathOf(command)} --help\n`;
}

function prepare(command: Command): void {
  command.exitOverride();
  command.configureOutput({ outputError: (text, write) => write(usageError(command, text)) });
  command.commands.forEach(prepare);
}

if (require.main === module) {
  // A reader such as head may close standard output early.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  void main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
}
