/** A model as a folder: one on disk, or the files of a hub repository that Policy.load needs. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { isZeroRlError, ZeroRlError } from '../errors';
import { CONFIG_FILE, TOKENIZER_FILES } from '../policy/checkpoint-folder';
import { INDEX_FILE, SINGLE_FILE } from '../policy/safetensors';
import { parseHubId, repositoryTitle } from './repository';
import { downloadSnapshot } from './snapshot';

const SHARD = /^model-\d+-of-\d+\.safetensors$/;

/** Of a repository's files those of a model folder; a single safetensors file wins over shards, as in loading. */
function selectModelFiles(files: readonly string[], title: string): string[] {
  const weights = files.includes(SINGLE_FILE)
    ? [SINGLE_FILE]
    : files.filter((file) => file === INDEX_FILE || SHARD.test(file));
  if (!files.includes(CONFIG_FILE) || weights.length === 0) {
    const missing = files.includes(CONFIG_FILE) ? SINGLE_FILE : CONFIG_FILE;
    throw new ZeroRlError(
      'ERR_ZERO_RL_CHECKPOINT',
      `${title} has no ${missing}; choose a repository with weights in safetensors, or convert it with transformers.`,
    );
  }
  return [CONFIG_FILE, ...weights, ...TOKENIZER_FILES.filter((file) => files.includes(file))];
}

export interface ModelFolder {
  folder: string;
  /** `org/name@commit` for a model of the hub, else the path: what names the same weights again. */
  pinned: string;
}

/**
 * The folder of `model`: a path, or `org/name[@revision]` of the hub, which is downloaded where the cache does not have it.
 * A folder of that name comes first.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_HUB` saying what to do when it cannot be had, `ERR_ZERO_RL_CHECKPOINT` when the
 * repository holds no model
 */
export async function modelFolder(model: string, signal?: AbortSignal): Promise<ModelFolder> {
  const id = existsSync(model) || path.isAbsolute(model) ? null : parseHubId(model);
  if (id === null) return { folder: model, pinned: model };
  const title = `The model ${repositoryTitle({ type: 'model', ...id })}`;
  const { folder, commit } = await downloadSnapshot(
    { type: 'model', ...id },
    { select: (files) => selectModelFiles(files, title), signal },
  ).catch((error: unknown) => {
    if (!isZeroRlError(error) || error.code !== 'ERR_ZERO_RL_HUB' || model.startsWith('hf:')) throw error;
    // It may have been meant as a path.
    throw new ZeroRlError(error.code, `There is no folder ${model}. ${error.message}`, { cause: error });
  });
  return { folder, pinned: `${model.startsWith('hf:') ? 'hf:' : ''}${id.name}@${commit}` };
}
