/** A Hugging Face model folder as a whole: what Policy.load needs from it, and the files that a save takes along. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { copyFileAtomically, makeFolder, writeFileAtomically } from './atomic-file';
import type { JsonObject } from '../json-object';
import { log } from '../observe/log';
import { checkpointError, fileSize, readJsonObject } from './checkpoint-file';
import { parameterShapes, VALUE_HEAD } from './decoder-description';
import { parseEndTokens, parseModelConfig, type ModelConfig } from './model-config';
import { matchParameters, readTensorSources, type TensorSource } from './safetensors';
import { withOwnHead } from './tied-head';

export const CONFIG_FILE = 'config.json';
export const TOKENIZER_FILE = 'tokenizer.json';

export interface CheckpointFolder {
  directory: string;
  config: ModelConfig;
  /** config.json as it was read; `save` keeps its unknown keys. */
  source: JsonObject;
  /** One per parameter, in the order of `parameterShapes(config)`; a critic that starts from a policy has none for its head. */
  tensors: TensorSource[];
  /** Empty when the folder names none. */
  endTokens: number[];
  hasTokenizer: boolean;
}

/** Everything but the weights that makes a folder loadable elsewhere; copied where it exists. */
export const TOKENIZER_FILES = [
  TOKENIZER_FILE,
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'generation_config.json',
  'vocab.json',
  'merges.txt',
  'tokenizer.model',
];

/**
 * Reads and checks all of a folder but tensor data. `critic`: with a value head, which the folder may lack.
 * @throws ZeroRlError ERR_ZERO_RL_CHECKPOINT naming the file and what to do
 */
export async function readCheckpointFolder(directory: string, critic = false): Promise<CheckpointFolder> {
  const stats = await stat(directory).catch(() => null);
  if (!stats?.isDirectory()) {
    throw checkpointError(`${directory} is not a folder; give the path of a downloaded Hugging Face model.`);
  }
  const file = join(directory, CONFIG_FILE);
  const source = await readJsonObject(file);
  if (source === null) throw checkpointError(`${file} is missing; give the path of a Hugging Face model folder.`);
  const described = parseModelConfig(source, file);
  warnOfWindow(directory, described, source);
  const generationConfig = await readJsonObject(join(directory, 'generation_config.json'));
  const endTokens = parseEndTokens(source, generationConfig, described.vocabSize);
  const sources = await readTensorSources(directory);
  const config = critic ? described : await withOwnHead(described, sources, directory);
  const headless = critic && !sources.some(({ name }) => name === VALUE_HEAD);
  const shapes = parameterShapes(config, critic).filter(({ name }) => !(headless && name === VALUE_HEAD));
  const tensors = matchParameters(shapes, sources, directory);
  const hasTokenizer = (await fileSize(join(directory, TOKENIZER_FILE))) !== null;
  return { directory, config, source, tensors, endTokens, hasTokenizer };
}

function warnOfWindow(directory: string, { maxPositions }: ModelConfig, source: JsonObject): void {
  const positions = source.max_position_embeddings;
  if (typeof positions !== 'number' || positions <= maxPositions) return;
  log.warn(
    `${directory}: layers attend to the last ${maxPositions} tokens only, which is not implemented beyond the first ${maxPositions}, so that is the longest sequence here instead of ${positions}`,
  );
}

/** Tokenizer, chat template and generation settings of a folder by file name: a save needs them after the folder has gone. */
export type TokenizerFiles = ReadonlyMap<string, Buffer>;

export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const files = new Map<string, Buffer>();
  for (const name of TOKENIZER_FILES) {
    if ((await fileSize(join(folder, name))) !== null) files.set(name, await readFile(join(folder, name)));
  }
  return files;
}

/** @throws ZeroRlError ERR_ZERO_RL_OUTPUT */
export async function writeTokenizerFiles(files: TokenizerFiles, folder: string): Promise<void> {
  for (const [name, bytes] of files) await writeFileAtomically(join(folder, name), bytes);
}

/**
 * Copies tokenizer, chat template and generation settings into the folder of a save.
 * @returns the names of the files copied
 * @throws ZeroRlError ERR_ZERO_RL_OUTPUT
 */
export async function copyTokenizerFiles(from: string, to: string): Promise<string[]> {
  await makeFolder(to);
  const copied: string[] = [];
  if (await sameFolder(from, to)) return copied;
  for (const name of TOKENIZER_FILES) {
    if ((await fileSize(join(from, name))) === null) continue;
    await copyFileAtomically(join(from, name), join(to, name));
    copied.push(name);
  }
  return copied;
}

async function sameFolder(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([stat(a).catch(() => null), stat(b)]);
  return first !== null && first.dev === second.dev && first.ino === second.ino;
}
