/** How each side is started. A side that cannot be is left out, with the reason. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { Worker } from './worker.mjs';

const here = import.meta.dirname;
const START_SECONDS = 300;

/** The GGUF file of a model in a type, written once. */
function ggufFile(context, model, type) {
  const file = path.join(context.work, `${path.basename(path.resolve(model))}-${type}.gguf`);
  if (existsSync(file)) return file;
  mkdirSync(context.work, { recursive: true });
  const script = path.join(here, 'peers/write_gguf.py');
  const temporary = `${file}.part`;
  const made = spawnSync(context.python, [script, '--model', model, '--output', temporary, '--type', type], {
    encoding: 'utf8',
  });
  if (made.status !== 0)
    throw new Error(`the GGUF file could not be written: ${made.stderr.trim().split('\n').at(-1)}`);
  renameSync(temporary, file);
  return file;
}

function command(side, workload, model, given, context) {
  const settings = { ...given };
  delete settings.environment;
  const common = { ...workload, threads: context.threads };
  if (side === 'zero-rl') {
    const options = { ...common, ...settings, model, quick: context.quick };
    return [process.execPath, path.join(here, 'ours.mjs'), JSON.stringify(options)];
  }
  if (side === 'transformers') {
    const script = path.join(here, 'peers/transformers_peer.py');
    return [context.python, script, JSON.stringify({ ...common, ...settings, model })];
  }
  const file = ggufFile(context, model, settings.type);
  const vocabulary = JSON.parse(readFileSync(path.join(model, 'config.json'), 'utf8')).vocab_size;
  const options = { ...common, ...settings, file, vocabulary, package: context.nodeLlamaCpp };
  return [process.execPath, path.join(here, 'peers/llama_peer.mjs'), JSON.stringify(options)];
}

/** Starts a side; the model is loaded when this returns. */
export async function start(side, workload, model, settings, context) {
  const worker = new Worker(command(side, workload, model, settings, context), {
    cpus: context.cpus,
    environment: settings.environment,
  });
  try {
    worker.version = (await worker.answer(START_SECONDS)).ready;
    return worker;
  } catch (error) {
    await worker.kill();
    throw error;
  }
}

/** The sides that take part in a row. */
export function sidesOf(workload, context) {
  return [
    'zero-rl',
    ...(context.python ? ['transformers'] : []),
    ...(context.python && context.nodeLlamaCpp && workload.task === 'sample' ? ['node-llama-cpp'] : []),
  ];
}
