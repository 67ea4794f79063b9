/**
 * The optimizer's side of a checkpoint, optimizer.safetensors: the flat float32 buffers `master`, `exp_avg` and
 * `exp_avg_sq` and the number of steps. The master weights are in it, so training goes on bit for bit also where the
 * saved model is rounded. Read and written in chunks.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { NativeModel, NativeState } from '../../binding/native';
import { makeFolder } from './atomic-file';
import { checkpointError, errorCode } from './checkpoint-file';
import { readable, readSafetensorsHeader, type TensorSource } from './safetensors';
import { writeSafetensors } from './safetensors-writer';

export const OPTIMIZER_FILE = 'optimizer.safetensors';

const STATES: readonly [name: string, state: NativeState][] = [
  ['master', 'master'],
  ['exp_avg', 'expAvg'],
  ['exp_avg_sq', 'expAvgSq'],
];
/** Steps as two float32 digits of this base, both exact. */
const STEP_BASE = 2 ** 24;
/** Elements read or written at a time: 64 MiB. */
const CHUNK = 2 ** 24;

/** Where the buffers lie. */
export type TrainingState = Pick<NativeModel, 'stateSize' | 'readState' | 'writeState' | 'optimizerSteps'>;

async function* readChunks(model: TrainingState, state: NativeState): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < model.stateSize; start += CHUNK) {
    yield await model.readState(state, start, Math.min(CHUNK, model.stateSize - start));
  }
}

async function* stepBytes(steps: number): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield new Uint8Array(Float32Array.of(Math.floor(steps / STEP_BASE), steps % STEP_BASE).buffer);
}

/** Writes the file into `directory`, made if need be. @throws ZeroRlError `ERR_ZERO_RL_OUTPUT` */
export async function writeTrainingState(model: TrainingState, directory: string): Promise<void> {
  await makeFolder(directory);
  const buffers = STATES.map(([name]) => ({ name, dtype: 'F32' as const, shape: [model.stateSize] }));
  const tensors = [{ name: 'step', dtype: 'F32' as const, shape: [2] }, ...buffers];
  const steps = model.optimizerSteps;
  await writeSafetensors(join(directory, OPTIMIZER_FILE), tensors, (name) => {
    const found = STATES.find(([tensor]) => tensor === name);
    return found === undefined ? stepBytes(steps) : readChunks(model, found[1]);
  });
}

function findTensor(file: string, tensors: readonly TensorSource[], name: string, size: number): TensorSource {
  const found = tensors.find((tensor) => tensor.name === name);
  if (found?.dtype !== 'F32' || found.shape.length !== 1 || found.shape[0] !== size) {
    throw checkpointError(
      `${file} has no float32 tensor ${name} of ${size} elements; use the training state of this model.`,
    );
  }
  return found;
}

/**
 * Reads the file of `directory` into the model. It is checked as a whole before the model changes.
 * @throws ZeroRlError `ERR_ZERO_RL_CHECKPOINT` when it is missing, damaged or of another model
 */
export async function readTrainingState(model: TrainingState, directory: string): Promise<void> {
  const file = join(directory, OPTIMIZER_FILE);
  const tensors = (await readSafetensorsHeader(file)).map(readable);
  const step = findTensor(file, tensors, 'step', 2);
  const buffers = STATES.map(([name, state]) => ({ state, tensor: findTensor(file, tensors, name, model.stateSize) }));
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw checkpointError(`Cannot read ${file} (${errorCode(error)}); check its permissions.`, error);
  });
  const read = async (position: number, length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length);
    const { bytesRead } = await handle.read(bytes, 0, length, position);
    if (bytesRead !== length)
      throw checkpointError(`${file} became shorter while it was read; restore it and load it again.`);
    return bytes;
  };
  try {
    const [high, low] = new Float32Array((await read(step.byteOffset, step.byteLength)).buffer);
    const steps = high * STEP_BASE + low;
    if (!Number.isSafeInteger(steps) || steps < 0) {
      throw checkpointError(`${file} is damaged: its step count is ${steps}; restore it or start a new run.`);
    }
    for (const { state, tensor } of buffers) {
      for (let start = 0; start < model.stateSize; start += CHUNK) {
        const count = Math.min(CHUNK, model.stateSize - start);
        await model.writeState(state, start, await read(tensor.byteOffset + 4 * start, 4 * count));
      }
    }
    model.optimizerSteps = steps;
  } finally {
    await handle.close();
  }
}
