/**
 * Writes a policy as a Hugging Face folder. A folder that does not exist yet is made under a temporary name and renamed,
 * so it appears whole; in a folder that exists each file is replaced whole and other files stay.
 */
import { rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { NativeModel } from '../../binding/native';
import { invalidRange, invalidType } from '../errors';
import { makeFolder, output, temporaryName, writeFileAtomically } from './atomic-file';
import type { JsonObject } from '../json-object';
import { CONFIG_FILE, writeTokenizerFiles, type TokenizerFiles } from './checkpoint-folder';
import { configToHuggingFace } from './hugging-face-config';
import type { ModelConfig } from './model-config';
import { stringifyPythonJson } from './python-json';
import type { TensorDtype } from './safetensors';
import { writeModelTensors } from './safetensors-writer';

export interface SaveOptions {
  /** Element type of the weights, rounded from the float32 master weights. Default: `F32` for compute in float32, `BF16` for bfloat16. */
  dtype?: TensorDtype;
}

/** What a save takes beside the weights. */
export interface SaveSource {
  model: NativeModel;
  config: ModelConfig;
  /** Keys of config.json to keep. */
  extra: JsonObject;
  /** Written beside the weights. */
  tokenizerFiles: TokenizerFiles | null;
}

/** Checks that an argument names a folder. */
export function checkFolder(directory: unknown): string {
  if (typeof directory !== 'string') throw invalidType('directory', 'path of a folder', directory);
  if (directory === '') throw invalidRange('directory', 'path of a folder', directory);
  return directory;
}

const DTYPE_NAMES = { F32: 'float32', BF16: 'bfloat16', F16: 'float16' } as const;

async function writeFolder(source: SaveSource, directory: string, dtype: TensorDtype): Promise<void> {
  const { model, config, extra, tokenizerFiles } = source;
  const tensors = model.parameters().map(({ name, shape }) => ({ name, shape, dtype }));
  await writeModelTensors(directory, tensors, (name) => model.readParameter(name, dtype));
  const json = configToHuggingFace(config, DTYPE_NAMES[dtype], extra);
  await writeFileAtomically(join(directory, CONFIG_FILE), `${stringifyPythonJson(json, 2)}\n`);
  if (tokenizerFiles !== null) await writeTokenizerFiles(tokenizerFiles, directory);
}

/** @throws ZeroRlError `ERR_ZERO_RL_OUTPUT` when the folder cannot be written; no half-written file is left. */
export async function savePolicy(source: SaveSource, directory: string, dtype: TensorDtype): Promise<void> {
  const target = resolve(directory);
  if ((await stat(target).catch(() => null)) !== null) return writeFolder(source, target, dtype);
  await makeFolder(dirname(target));
  const temporary = temporaryName(target);
  try {
    await writeFolder(source, temporary, dtype);
    await output(target, () => rename(temporary, target));
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}
