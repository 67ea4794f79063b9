/** Where the files of a model lie. */
import { existsSync } from 'node:fs';
import { ZeroRlError } from '../errors';
import { modelFolder, type ModelFolder } from '../hub/model';

/**
 * The folder of a model, downloaded where it is one of the hub.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_HUB`, or `ERR_ZERO_RL_CHECKPOINT` when there is no such folder
 */
export async function locateModel(model: string, signal?: AbortSignal): Promise<ModelFolder> {
  const found = await modelFolder(model, signal);
  if (existsSync(found.folder)) return found;
  throw new ZeroRlError(
    'ERR_ZERO_RL_CHECKPOINT',
    `There is no model folder ${model}; give one that exists, or org/name for a model of the Hugging Face hub`,
  );
}
