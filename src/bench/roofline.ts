/**
 * The least time that a machine could take for a workload. Letters: W parameters in matrix products (layers and head), e
 * bytes of an element of the compute dtype, kv = 2·L·Hk·D·e bytes of keys and values per token, V vocabulary, F the
 * peak of the dtype, BW(x) the bandwidth at a working set of x bytes. A prompt that a group shares counts once.
 *
 *   decode step      max(W·e / BW(W·e), 2·W·B / F) + max(kv bytes / BW(kv bytes), 4·Hq·D·L·context / F) + 4·B·V / BW(4·B·V)
 *                    kv bytes: each group's prompt once and each sequence's own tokens; the last term are logits
 *                    written and read once at two bytes each
 *   prefill, scoring (2·W + 4·Hq·D·L·(keys that a token sees)) / F per token; the head only where it is needed
 *   step             three times scoring (forward and two products each backward) + 28 bytes · parameters / BW of AdamW
 *
 * It is a bound, not a prediction: fork and join, norms, activations and packing cost nothing in it.
 */
import type { NativeMachine } from '../../binding/native';
import type { ModelConfig } from '../policy/model-config';
import type { Dtype } from '../policy/types';
import { bandwidthAt, peakOf } from './machine';
import type { Workload } from './workload';

export interface Bound {
  /** The least seconds. */
  seconds: number;
  /** What they consist of. */
  parts: Record<string, number>;
  /** FLOPs of matrix products and attention. */
  flops: number;
}

const ADAMW_BYTES = 28;

/** FLOPs and bytes of a decoder, per token where nothing else is said. */
class Costs {
  readonly elementBytes: number;
  /** Parameters in the products of all layers. */
  readonly layerParameters: number;
  readonly headParameters: number;
  readonly kvBytes: number;
  /** FLOPs of one query over one key, in all layers. */
  readonly pairFlops: number;

  constructor(config: ModelConfig, dtype: Dtype) {
    const { hiddenSize, intermediateSize, layers, heads, kvHeads, headDim, vocabSize } = config;
    this.elementBytes = dtype === 'float32' ? 4 : 2;
    const attention = hiddenSize * headDim * (2 * heads + 2 * kvHeads);
    this.layerParameters = layers * (attention + 3 * hiddenSize * intermediateSize);
    this.headParameters = vocabSize * hiddenSize;
    this.kvBytes = 2 * layers * kvHeads * headDim * this.elementBytes;
    this.pairFlops = 4 * heads * headDim * layers;
  }

  get weightBytes(): number {
    return this.elementBytes * (this.layerParameters + this.headParameters);
  }
}

/** Pairs of query and key for `count` tokens after `before` others. */
const causalPairs = (before: number, count: number): number => count * before + (count * (count + 1)) / 2;

/** FLOPs of one pass over prompts and responses; the last token of a response predicts nothing. */
function scoringFlops(costs: Costs, { batch, group, prompt, tokens }: Workload): number {
  const prompts = batch / group;
  const run = prompts * prompt + batch * (tokens - 1);
  const headRows = prompts + batch * (tokens - 1);
  const pairs = prompts * causalPairs(0, prompt) + batch * causalPairs(prompt, tokens - 1);
  return 2 * costs.layerParameters * run + 2 * costs.headParameters * headRows + costs.pairFlops * pairs;
}

function sampleBound(costs: Costs, workload: Workload, vocabSize: number, machine: NativeMachine, peak: number): Bound {
  const { batch, group, prompt, tokens } = workload;
  const prompts = batch / group;
  const read = (bytes: number): number => bytes / bandwidthAt(machine, bytes, 'read');
  const sampler = (4 * batch * vocabSize) / bandwidthAt(machine, 4 * batch * vocabSize, 'copy');
  const prefillFlops =
    2 * prompts * (costs.layerParameters * prompt + costs.headParameters) +
    costs.pairFlops * prompts * causalPairs(0, prompt);
  const stepFlops = 2 * (costs.layerParameters + costs.headParameters) * batch;
  const parts = {
    prefill: Math.max(read(costs.weightBytes), prefillFlops / peak),
    weights: (tokens - 1) * Math.max(read(costs.weightBytes), stepFlops / peak),
    attention: 0,
    sampler: tokens * sampler,
  };
  let flops = prefillFlops + stepFlops * (tokens - 1);
  for (let own = 1; own < tokens; own++) {
    const attentionFlops = costs.pairFlops * batch * (prompt + own);
    parts.attention += Math.max(read(costs.kvBytes * (prompts * prompt + batch * own)), attentionFlops / peak);
    flops += attentionFlops;
  }
  return { seconds: Object.values(parts).reduce((sum, part) => sum + part, 0), parts, flops };
}

/** The bound of one run of a workload. `parameters` counts those that the optimizer updates. */
export function boundOf(
  workload: Workload,
  config: ModelConfig,
  parameters: number,
  dtype: Dtype,
  machine: NativeMachine,
): Bound {
  const costs = new Costs(config, dtype);
  const peak = peakOf(machine, dtype);
  if (workload.task === 'sample') return sampleBound(costs, workload, config.vocabSize, machine, peak);
  const forward = scoringFlops(costs, workload);
  const weights = costs.weightBytes / bandwidthAt(machine, costs.weightBytes, 'read');
  const pass = (flops: number): number => Math.max(weights, flops / peak);
  if (workload.task === 'logprobs')
    return { seconds: pass(forward), parts: { forward: pass(forward) }, flops: forward };
  const optimizerBytes = ADAMW_BYTES * parameters;
  const parts = {
    forward: pass(forward),
    backward: pass(2 * forward),
    optimizer: optimizerBytes / bandwidthAt(machine, optimizerBytes, 'copy'),
  };
  return { seconds: parts.forward + parts.backward + parts.optimizer, parts, flops: 3 * forward };
}
