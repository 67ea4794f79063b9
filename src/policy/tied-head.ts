/**
 * Whether a model that ties its head to the embedding really does. Where the file holds an `lm_head.weight` that is not the
 * embedding, transformers 5 uses both whatever `tie_word_embeddings` says; so do we.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { log } from '../observe/log';
import { checkpointError, errorCode } from './checkpoint-file';
import type { ModelConfig } from './model-config';
import type { StoredTensor } from './safetensors';

const CHUNK_BYTES = 2 ** 20;

async function part(handle: FileHandle, tensor: StoredTensor, from: number, buffer: Buffer): Promise<Buffer> {
  const length = Math.min(buffer.length, tensor.byteLength - from);
  const { bytesRead } = await handle.read(buffer, 0, length, tensor.byteOffset + from);
  if (bytesRead < length) throw checkpointError(`${tensor.file} became shorter while it was read; try again.`);
  return buffer.subarray(0, length);
}

async function sameBytes(a: StoredTensor, b: StoredTensor): Promise<boolean> {
  if (a.dtype !== b.dtype || a.byteLength !== b.byteLength) return false;
  const handles: FileHandle[] = [];
  try {
    for (const { file } of [a, b]) handles.push(await open(file, 'r'));
    const buffers = [Buffer.alloc(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)];
    for (let from = 0; from < a.byteLength; from += CHUNK_BYTES) {
      const first = await part(handles[0], a, from, buffers[0]);
      if (!first.equals(await part(handles[1], b, from, buffers[1]))) return false;
    }
    return true;
  } catch (error) {
    if (errorCode(error) === 'ERR_ZERO_RL_CHECKPOINT') throw error;
    throw checkpointError(`Cannot read ${a.file} (${errorCode(error)}); check its permissions.`, error);
  } finally {
    for (const handle of handles) await handle.close();
  }
}

/** `config` as the weights have it: not tied where they hold a head of its own, which is said once. */
export async function withOwnHead(
  config: ModelConfig,
  tensors: readonly StoredTensor[],
  directory: string,
): Promise<ModelConfig> {
  const find = (name: string): StoredTensor | undefined => tensors.find((tensor) => tensor.name === name);
  const [embedding, head] = [find('model.embed_tokens.weight'), find('lm_head.weight')];
  if (!config.tieWordEmbeddings || !embedding || !head || (await sameBytes(embedding, head))) return config;
  log.warn(
    `${directory}: tie_word_embeddings is true, but lm_head.weight differs from the embedding, so both are used, as transformers does`,
  );
  return { ...config, tieWordEmbeddings: false };
}
