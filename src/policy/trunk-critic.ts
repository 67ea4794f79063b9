/**
 * A value function without a network of its own: V = h·w for the policy's normed hidden state h before a response token, with
 * learnt weights w. Its gradient ends at w, so it changes nothing of the policy; it costs a forward pass and next to no memory,
 * and knows what a linear map can read off the policy's states.
 */
import { join } from 'node:path';
import type { NativeModel, NativeTrunkHead } from '../../binding/native';
import { Caller } from './caller';
import { checkSignal, type EngineCalls } from './engine-calls';
import { VALUE_HEAD } from './decoder-description';
import type { ModelConfig } from './model-config';
import { checkOptions } from './option-keys';
import { makeFolder } from './atomic-file';
import { checkFolder } from './save';
import { packSequences } from './sequence-request';
import { writeSafetensors } from './safetensors-writer';
import { readTrainingState, writeTrainingState, type TrainingState } from './training-state';
import type { CriticStepOptions, CriticStepStats, Sequence, ValueSequence } from './types';
import { buildValueStepRequest, criticStats } from './value-step-request';

/** The weights of a saved head, [1, hidden size], float32. */
export const VALUE_HEAD_FILE = 'value_head.safetensors';

const BUFFERS = { master: 'weights', expAvg: 'expAvg', expAvgSq: 'expAvgSq' } as const;

/** What it works on: the engine's model of a policy and the policy's calls. */
export interface Trunk {
  model: NativeModel;
  calls: EngineCalls;
  config: ModelConfig;
  device: string;
}

const bytesOf = (values: Float32Array): Uint8Array => new Uint8Array(values.slice().buffer);

export class TrunkCritic {
  readonly parameterCount: number;
  private head: NativeTrunkHead;
  /** Settles when the last step asked for is done: each starts from the head that the one before left. */
  private last: Promise<unknown> = Promise.resolve();

  /** V = 0 everywhere. Made by `Policy.trunkCritic`. */
  constructor(private readonly trunk: Trunk) {
    const size = trunk.config.hiddenSize;
    this.parameterCount = size;
    const zeros = (): Float32Array => new Float32Array(size);
    this.head = { weights: zeros(), expAvg: zeros(), expAvgSq: zeros(), steps: 0 };
  }

  /** As `Critic.values`, with the policy's weights as they are now. */
  async values(sequences: readonly Sequence[], options?: { signal?: AbortSignal }): Promise<Float32Array[]> {
    const caller = new Caller();
    const { calls, config, model } = this.trunk;
    calls.checkUsable(caller);
    const signal = checkSignal(checkOptions('options', options, ['signal']).signal);
    const { responseOffsets, ...request } = packSequences(sequences, config);
    if (sequences.length === 0) return [];
    await this.last;
    const values = await calls.run(caller, signal, (flag) => model.trunkValues(request, this.head.weights, flag));
    return Array.from(sequences, (_, i) => values.slice(responseOffsets[i], responseOffsets[i + 1]));
  }

  /** One optimizer step of the head on the clipped squared error; otherwise as `Policy.step`. */
  async step(sequences: readonly ValueSequence[], options?: CriticStepOptions): Promise<CriticStepStats> {
    const caller = new Caller();
    const { calls, config, device, model } = this.trunk;
    calls.checkUsable(caller);
    const request = buildValueStepRequest(sequences, options, config, device);
    const signal = checkSignal(options?.signal);
    return this.inTurn(async () => {
      const result = await calls.run(caller, signal, (flag) => model.trunkStep(request, this.head, flag));
      this.head = result.head;
      return criticStats(result);
    });
  }

  /** Writes the weights, {@link VALUE_HEAD_FILE}. @throws ZeroRlError `ERR_ZERO_RL_OUTPUT` */
  async save(directory: string): Promise<void> {
    const caller = new Caller();
    this.trunk.calls.checkUsable(caller);
    const target = checkFolder(directory);
    await this.inTurn(async () => {
      await makeFolder(target);
      const tensors = [{ name: VALUE_HEAD, dtype: 'F32' as const, shape: [1, this.parameterCount] }];
      await writeSafetensors(join(target, VALUE_HEAD_FILE), tensors, () => Promise.resolve(bytesOf(this.head.weights)));
    });
  }

  /** Writes weights, moments and step count, so that training goes on bit for bit. Errors as for {@link save}. */
  async saveTrainingState(directory: string): Promise<void> {
    this.trunk.calls.checkUsable(new Caller());
    const target = checkFolder(directory);
    await this.inTurn(() => writeTrainingState(this.stateOf({ ...this.head }), target));
  }

  /** Reads what {@link saveTrainingState} wrote. @throws ZeroRlError `ERR_ZERO_RL_CHECKPOINT` */
  async loadTrainingState(directory: string): Promise<void> {
    this.trunk.calls.checkUsable(new Caller());
    const source = checkFolder(directory);
    await this.inTurn(async () => {
      const read = { ...this.head };
      await readTrainingState(this.stateOf(read), source);
      this.head = read;
    });
  }

  /** Nothing to free: the weights of the trunk are the policy's. */
  dispose(): void {}

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work);
    this.last = result.catch(() => undefined);
    return result;
  }

  /** `head` as a file of training state knows it. */
  private stateOf(head: NativeTrunkHead): TrainingState {
    return {
      stateSize: this.parameterCount,
      get optimizerSteps() {
        return head.steps;
      },
      set optimizerSteps(steps) {
        head.steps = steps;
      },
      readState: (state, start, count) => Promise.resolve(bytesOf(head[BUFFERS[state]].subarray(start, start + count))),
      writeState: (state, start, bytes) => {
        const values = head[BUFFERS[state]].slice();
        new Uint8Array(values.buffer).set(bytes, 4 * start);
        head[BUFFERS[state]] = values;
        return Promise.resolve();
      },
    };
  }
}
