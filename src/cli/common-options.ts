/** Options and behaviour that several commands share: the engine, JSON Lines in and out, interruption. */
import { realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { ZeroRlError } from '../errors';
import type { Dtype, PolicyOptions } from '../policy/types';

/** Parses an integer option of at least `minimum`. */
export function integerOption(minimum: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? NaN : Number(text);
    if (!Number.isSafeInteger(value) || value < minimum) {
      throw new InvalidArgumentError(`Expected an integer of at least ${minimum}.`);
    }
    return value;
  };
}

/** Parses a number option in [minimum, maximum]. */
export function numberOption(minimum = -Infinity, maximum = Infinity): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? NaN : Number(text);
    if (!Number.isFinite(value) || value < minimum || value > maximum) {
      const range =
        minimum === -Infinity
          ? ''
          : maximum === Infinity
            ? ` of at least ${minimum}`
            : ` between ${minimum} and ${maximum}`;
      throw new InvalidArgumentError(`Expected a number${range}.`);
    }
    return value;
  };
}

function dtypeOption(text: string): Dtype {
  if (text !== 'float32' && text !== 'bfloat16') throw new InvalidArgumentError('Expected float32 or bfloat16.');
  return text;
}

function deviceOption(text: string): string {
  if (!/^(auto|cpu|cuda(:\d+)?)$/.test(text)) throw new InvalidArgumentError('Expected auto, cpu, cuda or cuda:N.');
  return text;
}

interface EngineDefaults {
  /** What --device and --threads are where they are not given and no config says so. */
  from?: string;
  /** What --dtype is where it is not given. Default float32. */
  dtype?: string;
  /** Whether the command takes optimizer steps, which --no-master-weights is about. Default false. */
  trains?: boolean;
  /** Whether it loads a model, which --memory is about. Default true. */
  loads?: boolean;
}

/** The options of {@link addEngineOptions} as commander has them. */
export interface EngineFlags extends Omit<PolicyOptions, 'moments' | 'memoryMiB'> {
  memory?: number;
}

/** Adds --device, --dtype, --threads and --memory; every command that loads a model takes them. Commander holds no defaults of theirs. */
export function addEngineOptions(
  command: Command,
  { from = '', dtype = 'float32', trains = false, loads = true }: EngineDefaults = {},
): Command {
  command
    .option('--device <name>', `auto, cpu, cuda or cuda:N (default: ${from}ZERO_RL_DEVICE, else auto)`, deviceOption)
    .option('--dtype <name>', `compute dtype, float32 or bfloat16 (default: ${dtype})`, dtypeOption)
    .option('--threads <count>', `threads of the engine (default: ${from}the processors available)`, integerOption(1));
  if (loads)
    command.option('--memory <MiB>', `most memory of a model in MiB (default: ${from}what is free)`, integerOption(1));
  if (trains) command.option('--no-master-weights', 'bfloat16: train without float32 masters, by stochastic rounding');
  return command;
}

/** {@link addEngineOptions} of a command whose config has these keys too. */
export const ofConfig = { from: "the config's, else ", dtype: "the config's, else float32" };

/** Adds --set, which gathers assignments `key=value`. */
export function addSetOption(command: Command): Command {
  return command.option(
    '--set <key=value>',
    'set one key of the config, e.g. kl.initCoefficient=0.1; may be repeated',
    (text, before: string[] | undefined) => {
      if (!/^\s*[^=\s]+\s*=/.test(text)) throw new InvalidArgumentError('Expected key=value.');
      return [...(before ?? []), text];
    },
  );
}

/** Parses the name of a file that is written at the end: what cannot be written is told before the work. */
export function outputFile(text: string): string {
  const folder = dirname(resolve(text));
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new InvalidArgumentError(`There is no folder ${folder}.`);
  if (statSync(text, { throwIfNoEntry: false })?.isDirectory()) throw new InvalidArgumentError('It is a folder.');
  return text;
}

/** The options of {@link addEngineOptions} as Policy takes them. */
export function engineOptions({ device, dtype, masterWeights, threads, memory }: EngineFlags): PolicyOptions {
  return { device, dtype, masterWeights, threads, memoryMiB: memory };
}

/** Those of the engine's options that were typed; the others are the config's. */
export function typedEngineOptions(flags: EngineFlags, command: Command): PolicyOptions {
  const typed = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
  const options = Object.entries(engineOptions(flags));
  return Object.fromEntries(options.filter(([name]) => typed(name === 'memoryMiB' ? 'memory' : name)));
}

export interface JsonLinesFlags {
  input: string;
  output: string;
  strict?: boolean;
  json?: boolean;
}

/** Adds --input, --output, --strict and --json. */
export function addJsonLinesOptions(command: Command, input: string, output: string): Command {
  return command
    .requiredOption('--input <file>', `JSON Lines of ${input}; - is standard input`)
    .option('--output <file>', `JSON Lines of ${output}; - is standard output`, '-')
    .option('--strict', 'stop at the first bad line')
    .option('--json', 'print a summary as one JSON object on standard output (needs a file for --output)');
}

function sameFile(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}

/** Refuses combinations of {@link addJsonLinesOptions} that would mix up or overwrite data. */
export function checkJsonLinesFlags(command: Command, flags: JsonLinesFlags): void {
  if (flags.json && flags.output === '-') {
    command.error('error: --json prints on standard output; give a file for --output', { exitCode: 2 });
  }
  if (flags.input !== '-' && sameFile(flags.input, flags.output)) {
    command.error('error: --output would overwrite --input; give another file', { exitCode: 2 });
  }
}

/**
 * Runs `work` with a signal that SIGINT and SIGTERM abort; a second one ends the process as usual. `work` that rejects
 * after that fails with one sentence made of `done()`, which says what is kept.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>, done: () => string): Promise<T> {
  const controller = new AbortController();
  const abort = (): void => {
    stopListening();
    controller.abort();
  };
  const stopListening = (): void => {
    process.removeListener('SIGINT', abort).removeListener('SIGTERM', abort);
  };
  process.once('SIGINT', abort).once('SIGTERM', abort);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    throw new ZeroRlError('ERR_ZERO_RL_ABORTED', `Interrupted: ${done()}`, { cause: error });
  } finally {
    stopListening();
  }
}
