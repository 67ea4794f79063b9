/** Makes the parts of a Policy: from a model folder, or with random weights. */
import type { NativeBinding, NativeModel, NativeModelOptions } from '../../binding/native';
import { decoderDescription } from './decoder-description';
import { checkInteger, checkOneOf, invalidRange, invalidType, isZeroRlError, ZeroRlError } from '../errors';
import { modelFolder } from '../hub/model';
import { loadNativeInBackground } from '../libtorch/load';
import { timed } from '../profile/spans';
import type { Caller } from './caller';
import type { JsonObject } from '../json-object';
import { readCheckpointFolder, readTokenizerFiles, type TokenizerFiles } from './checkpoint-folder';
import { engineThreads, mayUseCuda, resolveDevice } from './device';
import { configToHuggingFace } from './hugging-face-config';
import { MAX_MEMORY_BUDGET_MIB } from './limits';
import { parseModelConfig, type ModelConfig } from './model-config';
import { checkPositive, copyTokens } from './numbers';
import { checkOptions } from './option-keys';
import { checkFolder } from './save';
import { Tokenizer } from './tokenizer';
import type { Dtype, PolicyOptions } from './types';

/** Options of `Policy.create`. */
export interface CreateOptions extends PolicyOptions {
  /** Key of the random weights, default 0. */
  seed?: number;
  /** Standard deviation of the weights, default 0.02. */
  std?: number;
  /** Folder with the tokenizer.json that the policy takes; `save` copies its tokenizer files. Default none. */
  tokenizerFrom?: string;
  /** Default none. */
  endTokens?: readonly number[];
}

export interface PolicyParts {
  binding: NativeBinding;
  model: NativeModel;
  config: ModelConfig;
  tokenizer: Tokenizer | null;
  endTokens: readonly number[];
  device: string;
  dtype: Dtype;
  /** Keys that `save` keeps in config.json. */
  configSource: JsonObject;
  /** What `save` writes beside the weights. */
  tokenizerFiles: TokenizerFiles | null;
}

/** Tied weights count once. */
export function countParameters(model: NativeModel): number {
  return model.parameters().reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}

const POLICY_OPTIONS = ['device', 'dtype', 'masterWeights', 'moments', 'threads', 'memoryMiB'] as const;

/** 0: what the machine gives. */
function memoryBytes({ memoryMiB }: PolicyOptions): number {
  return memoryMiB === undefined ? 0 : checkInteger('memoryMiB', memoryMiB, 1, MAX_MEMORY_BUDGET_MIB) * 2 ** 20;
}

export function checkPolicyOptions(options: PolicyOptions): NativeModelOptions {
  const dtype = checkOneOf('dtype', options.dtype ?? 'float32', ['float32', 'bfloat16']);
  const masterWeights = options.masterWeights ?? true;
  if (typeof masterWeights !== 'boolean') throw invalidType('masterWeights', 'boolean', masterWeights);
  if (!masterWeights && dtype === 'float32')
    throw invalidRange('masterWeights', 'true with dtype float32, whose weights are the masters,', masterWeights);
  const resolved = resolveDevice(options.device);
  // Tests run the operators of devices on the CPU, or on a device that they have made.
  const tested = process.env.ZERO_RL_TEST_DEVICE_ENGINE;
  const device = resolved === 'cpu' && tested?.startsWith('cuda') ? tested : resolved;
  const deviceEngine = device !== 'cpu' || tested === '1';
  const moments = checkOneOf('moments', options.moments ?? 'device', ['device', 'bfloat16', 'host']);
  if (!deviceEngine && moments !== 'device') throw invalidRange('moments', '"device" with the device cpu', moments);
  return {
    device,
    deviceEngine,
    dtype,
    masterWeights,
    moments,
    threads: engineThreads(options.threads),
    memoryBytes: memoryBytes(options),
  };
}

/** The same, with the libraries of a CUDA device mapped beside the event loop before it is looked for. */
async function engineOptions(options: PolicyOptions): Promise<NativeModelOptions> {
  // What goes wrong here is said by resolveDevice.
  if (mayUseCuda(options.device)) await loadNativeInBackground(true).catch(() => undefined);
  return checkPolicyOptions(options);
}

/** Makes the engine's model and fills it; frees it where that fails. */
async function fillModel(
  caller: Caller,
  config: ModelConfig,
  engine: NativeModelOptions,
  fill: (model: NativeModel) => Promise<void>,
  valueHead = false,
): Promise<{ binding: NativeBinding; model: NativeModel }> {
  const binding = await loadNativeInBackground(engine.device !== 'cpu');
  let model: NativeModel | undefined;
  try {
    model = new binding.NativeModel(decoderDescription(config, valueHead), engine);
    await fill(model);
    return { binding, model };
  } catch (error) {
    model?.dispose();
    throw caller.fromNative(error);
  }
}

/** `critic`: a model with a value head, zero where the folder has none. */
export async function loadPolicyParts(
  caller: Caller,
  directory: string,
  options: PolicyOptions | undefined,
  critic = false,
): Promise<PolicyParts> {
  const engine = await engineOptions(checkOptions('options', options, POLICY_OPTIONS));
  return timed('load model', async () => {
    const folder = await readCheckpointFolder((await modelFolder(checkFolder(directory))).folder, critic);
    const { config, endTokens } = folder;
    const tokenizer = await Tokenizer.load(folder.directory);
    const tokenizerFiles = await readTokenizerFiles(folder.directory);
    const filled = await fillModel(caller, config, engine, (model) => model.load(folder.tensors), critic);
    return {
      ...filled,
      config,
      tokenizer,
      endTokens,
      device: engine.device,
      dtype: engine.dtype,
      configSource: folder.source,
      tokenizerFiles,
    };
  });
}

/** The configuration as its config.json would be read again, so that every field is checked. */
function checkConfig(config: ModelConfig): ModelConfig {
  if (typeof (config as unknown) !== 'object' || (config as unknown) === null) {
    throw invalidType('config', 'ModelConfig object', config);
  }
  try {
    return parseModelConfig(configToHuggingFace(config, 'float32'), 'config');
  } catch (error) {
    if (!isZeroRlError(error)) throw error;
    throw new ZeroRlError('ERR_ZERO_RL_CONFIG', (error as Error).message, { cause: error });
  }
}

export async function createPolicyParts(
  caller: Caller,
  config: ModelConfig,
  options: CreateOptions | undefined,
): Promise<PolicyParts> {
  const given = checkOptions('options', options, [...POLICY_OPTIONS, 'seed', 'std', 'tokenizerFrom', 'endTokens']);
  const checked = checkConfig(config);
  const engine = await engineOptions(given);
  const seed = checkInteger('seed', given.seed ?? 0, 0);
  const std = checkPositive('std', given.std ?? 0.02);
  const endTokens = Array.from(copyTokens('endTokens', given.endTokens ?? [], checked.vocabSize));
  const tokenizerFrom = given.tokenizerFrom === undefined ? null : checkFolder(given.tokenizerFrom);
  const tokenizer = tokenizerFrom === null ? null : await Tokenizer.load(tokenizerFrom);
  if (tokenizerFrom !== null && tokenizer === null) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_CHECKPOINT',
      `${tokenizerFrom} holds no tokenizer.json; name a folder that has one.`,
    );
  }
  const filled = await fillModel(caller, checked, engine, (model) => model.initialize(seed, std));
  return {
    ...filled,
    config: checked,
    tokenizer,
    endTokens,
    device: engine.device,
    dtype: engine.dtype,
    configSource: endTokens.length > 0 ? { eos_token_id: endTokens.length === 1 ? endTokens[0] : endTokens } : {},
    tokenizerFiles: tokenizerFrom === null ? null : await readTokenizerFiles(tokenizerFrom),
  };
}
