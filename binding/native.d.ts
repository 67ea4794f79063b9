/**
 * The typed contract of the addon. Arguments are trusted here: src/policy validates them.
 * Promises settle on the event loop; the work runs on the engine thread, one job at a time.
 * Errors carry a `code` of src/errors.ts.
 */

/** Tensors that are stored as one matrix or vector, one after the other; see native/model/description.h. */
export interface NativeBlock {
  role:
    | 'embedding'
    | 'attentionNorm'
    | 'qkv'
    | 'qkvBias'
    | 'queryNorm'
    | 'keyNorm'
    | 'attentionOutput'
    | 'attentionOutputBias'
    | 'attentionOutputNorm'
    | 'mlpNorm'
    | 'gateUp'
    | 'gateUpBias'
    | 'down'
    | 'downBias'
    | 'mlpOutputNorm'
    | 'finalNorm'
    | 'head';
  /** −1: of no layer. */
  layer: number;
  tensors: { name: string; shape: number[] }[];
}

/** A decoder as data, see native/model/description.h. */
export interface NativeDecoder {
  vocabSize: number;
  hiddenSize: number;
  intermediateSize: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  maxPositions: number;
  rmsNormEps: number;
  /** A critic: a head (1, hiddenSize) in place of the vocabulary's. */
  valueHead: boolean;
  rope: {
    theta: number;
    scaling:
      | null
      | { type: 'linear'; factor: number }
      | {
          type: 'llama3';
          factor: number;
          lowFreqFactor: number;
          highFreqFactor: number;
          originalMaxPositions: number;
        };
  };
  /** What the tensors of a layer do not say: whether queries and keys are rotated, and what their norm, if any, is over. */
  layers: { rotary: boolean; qkNorm: 'none' | 'head' | 'projection' }[];
  /** In storage order. */
  blocks: NativeBlock[];
}

/** Where a tensor's bytes lie in a safetensors file; checked by src/policy/safetensors.ts. */
export interface NativeTensorSource {
  name: string;
  file: string;
  dtype: 'F32' | 'BF16' | 'F16';
  byteOffset: number;
  byteLength: number;
}

export interface NativeSampleRequest {
  /** All prompts' tokens, one after the other. */
  tokens: Int32Array;
  /** Prompt i is tokens[offsets[i] ... offsets[i + 1]). */
  offsets: Int32Array;
  /** One key per prompt. */
  uids: Float64Array;
  /** Samples of each prompt: firstSample ... firstSample + n − 1, each the key of its randomness beside the uid. */
  n: number;
  firstSample: number;
  /** `low`: takes slots that nothing normal waits for, and gives them back where something does. */
  priority: 'normal' | 'low';
  maxTokens: number;
  temperature: number;
  topP: number;
  topK: number;
  minP: number;
  stopTokens: Int32Array;
  /** UTF-8 stop strings; those of a model whose token bytes are set. */
  stopStrings: Uint8Array[];
  seed: number;
  /** Whether rollouts of truncated draws have `keptTokens`. */
  keptTokens: boolean;
  /** 0: the engine decides. */
  maxBatch: number;
}

export interface NativeRollout {
  prompt: number;
  sample: number;
  tokens: Int32Array;
  logProbs: Float32Array;
  /** Where draws were truncated: log of the mass drawn from, one per token. */
  logMass?: Float32Array;
  /** Nats, one per token: of the distribution that logProbs are of. */
  entropies: Float32Array;
  /** Of native/model/kept_sets.h, where it was asked for and draws were truncated. */
  keptTokens?: Uint8Array;
  finishReason: 'stop' | 'length';
}

export interface NativeSampleStats {
  steps: number;
  slotSteps: number;
  liveSlotSteps: number;
  promptTokens: number;
  cachedTokens: number;
  newTokens: number;
  seconds: number;
}

export interface NativeSequences {
  tokens: Int32Array;
  /** Sequence i is tokens[offsets[i] ... offsets[i + 1]). */
  offsets: Int32Array;
  promptLengths: Int32Array;
  /** What the response tokens of each sequence were drawn from (null: all of the vocabulary); null: of all sequences. */
  keptTokens: (Uint8Array | null)[] | null;
}

export interface NativeStepRequest extends NativeSequences {
  /** One value per response token, sequences one after the other. */
  advantages: Float32Array;
  /** The token's weight in the aggregated loss (0 = masked), one per response token. */
  weights: Float32Array;
  oldLogProbs: Float32Array | null;
  referenceLogProbs: Float32Array | null;
  /** `value`: the loss of a critic; advantages are then returns and oldLogProbs old values. */
  objective: 'reinforce' | 'ppo' | 'gspo' | 'cispo' | 'value';
  clipLow: number;
  clipHigh: number;
  /** 0: none. */
  dualClip: number;
  sequenceRatio: 'geometric-mean' | 'product';
  entropyCoefficient: number;
  klCoefficient: number;
  klCorrected: boolean;
  klEstimator: 'k2' | 'k3';
  temperature: number;
  learningRate: number;
  beta1: number;
  beta2: number;
  eps: number;
  weightDecay: number;
  /** 0: no clipping. */
  maxGradNorm: number;
  /** Bytes; 0 on a device: most of what is free. */
  memoryBudget: number;
}

/** A linear value on the hidden states, [H] each. */
export interface NativeTrunkHead {
  weights: Float32Array;
  expAvg: Float32Array;
  expAvgSq: Float32Array;
  /** Optimizer steps taken. */
  steps: number;
}

export interface NativeStepStats {
  loss: number;
  gradNorm: number;
  entropy: number;
  kl: number;
  logProbDifference: number;
  clipFraction: number;
  tokens: number;
  /** Of these, those in sequences that were run; means over tokens are over these. */
  measuredTokens: number;
  totalTokens: number;
  microBatches: number;
  applied: boolean;
  seconds: number;
}

/** Set from the event loop, polled by the engine. */
export class AbortFlag {
  constructor();
  abort(): void;
}

export type NativeState = 'master' | 'expAvg' | 'expAvgSq';

export interface NativeModelOptions {
  /** `cpu` or `cuda:N`, whose libraries have been mapped. */
  device: string;
  /** On `cpu` too the operators of devices, for tests of them. */
  deviceEngine: boolean;
  dtype: 'float32' | 'bfloat16';
  /** Without them bfloat16 weights are trained as they are, by stochastic rounding. */
  masterWeights: boolean;
  /** Of AdamW on a device: in the dtype it computes them in, rounded, or in memory of the host. */
  moments: 'device' | 'bfloat16' | 'host';
  threads: number;
  /** Most that the engine may hold where its weights are; 0: what the machine gives. */
  memoryBytes: number;
}

/** Weights are made by the first job, `load` or `initialize`; what is synchronous works after that. */
export class NativeModel {
  constructor(decoder: NativeDecoder, options: NativeModelOptions);
  /** Hugging Face names and shapes, in storage order. */
  parameters(): { name: string; shape: number[] }[];
  /** Maps the files and fills every parameter. */
  load(tensors: NativeTensorSource[]): Promise<void>;
  /** Normal(0, std) weights (output projections scaled by 1/sqrt(2·layers)), zero biases, unit norms. */
  initialize(seed: number, std: number): Promise<void>;
  /** What each token id adds to a text, one after the other, and where each ends; before requests with stop strings. */
  setTokenBytes(bytes: Uint8Array, ends: Int32Array): void;
  sample(
    request: NativeSampleRequest,
    onRollouts: (rollouts: NativeRollout[]) => void,
    flag: AbortFlag,
  ): Promise<NativeSampleStats>;
  /** One value per response token, sequences one after the other; a critic's values. */
  logProbs(request: NativeSequences, temperature: number, flag: AbortFlag): Promise<Float32Array>;
  step(request: NativeStepRequest, flag: AbortFlag): Promise<NativeStepStats>;
  /** h·weights for the normed hidden state h before each response token, sequences one after the other. */
  trunkValues(request: NativeSequences, weights: Float32Array, flag: AbortFlag): Promise<Float32Array>;
  /** An AdamW step of the head alone on the objective `value`; resolves with the new head, equal where not applied. */
  trunkStep(
    request: NativeStepRequest,
    head: NativeTrunkHead,
    flag: AbortFlag,
  ): Promise<NativeStepStats & { head: NativeTrunkHead }>;
  /** Bytes of one parameter (little endian), converted from the master weights. */
  readParameter(name: string, dtype: 'F32' | 'BF16' | 'F16'): Promise<Uint8Array>;
  /** Elements of each flat training buffer. */
  readonly stateSize: number;
  /** Bytes of elements [start, start + count) of a flat training buffer, in float32. */
  readState(state: NativeState, start: number, count: number): Promise<Uint8Array>;
  writeState(state: NativeState, start: number, bytes: Uint8Array): Promise<void>;
  /** Optimizer steps taken. */
  optimizerSteps: number;
  /** master ← master + rate·(that of `other`, which has the same parameters − master). */
  follow(other: NativeModel, rate: number): Promise<void>;
  /** Frees the buffers once queued work is done. */
  dispose(): void;
}

/** Bytes per second at one working set, that of all threads together. */
export interface NativeBandwidth {
  bytes: number;
  /** Each thread reads its own slice. */
  read: number;
  /** memcpy; bytes read and written. */
  copy: number;
}

/**
 * FLOP/s of register-blocked products of our own on vectors, of the best at::mm tried, and of the processor's matrix units alone
 * on what lies in the nearest cache (0: none), which no product of matrices from memory reaches.
 */
export interface NativePeak {
  own: number;
  aten: number;
  tiles: number;
}

/** What the machine can do at best with the given threads. */
export interface NativeMachine {
  /** By growing working set; the last lies beyond the last-level cache. */
  bandwidth: NativeBandwidth[];
  float32: NativePeak;
  bfloat16: NativePeak;
  /** Seconds of an empty parallel region. */
  forkJoin: number;
}

export interface NativeKernelRequest {
  /** A name that native/bench/kernel_case.cc lists. */
  kernel: string;
  dtype: 'float32' | 'bfloat16';
  /** The sizes that the kernel's case takes, see native/bench/cases_*.cc. */
  sizes: Record<string, number>;
  /** Key of the operands. */
  seed: number;
  threads: number;
  /** Timed pairs of kernel and twin; 0 measures no time. */
  samples: number;
  /** Least seconds of one sample. */
  seconds: number;
  /** Whether to compare the results with those of the ATen twin. */
  compare: boolean;
}

export interface NativeKernelRun {
  /** Seconds of one call, a value per sample. */
  seconds: number[];
  /** The same of the ATen twin; one value where it is very slow. */
  twinSeconds: number[];
  /** Each operand read once and each result written once. */
  bytes: number;
  flops: number;
  /** Largest |kernel − twin| / (|twin| + root mean square of the twin) of each result; empty unless compared. */
  differences: Record<string, number>;
}

/** What the engine's threads did, recorded while a profile is taken. */
export interface NativeThreadRecord {
  /** The system's. */
  id: number;
  name: string;
  /** Events that were lost because they were not drained in time; sums hold them all the same. */
  dropped: number;
  /**
   * Seven numbers an event: 0 for a section or 1 for a kernel, its index in `sections` or `kernels`, 1 for bfloat16, start
   * and duration in ns of the clock of process.hrtime, least bytes, FLOPs.
   */
  events: Float64Array;
}

export interface NativeKernelTotal {
  section: string;
  kernel: string;
  dtype: 'float32' | 'bfloat16';
  /** Each call had one thread; the others were at calls of their own. */
  shared: boolean;
  calls: number;
  /** Sum over the calls. */
  seconds: number;
  /** Each operand read once and each result written once. */
  bytes: number;
  flops: number;
}

/** Process-wide: one profile at a time. */
export interface NativeProfile {
  /** Forgets what was recorded before. For the trace, each thread keeps so many kernels of every job. */
  start(kernelEventsPerJob: number): void;
  stop(): void;
  /** The events since the last call. */
  drain(): NativeThreadRecord[];
  /** Sums over every call since the start, and the engine's threads. */
  totals(): Promise<{ threads: number; kernels: NativeKernelTotal[] }>;
  readonly sections: readonly string[];
  readonly kernels: readonly string[];
}

export interface NativeBinding {
  /** The libtorch that is loaded, e.g. "2.11". */
  readonly torchVersion: string;
  /** Version of this package that the addon was built from. */
  readonly addonVersion: string;
  /** Kernels in use: "portable", "avx2" or "avx512". */
  readonly instructionSet: string;
  /**
   * Compute capabilities (10 · major + minor) of the CUDA devices that the driver gives, and those that the kernels were compiled
   * for, as CMake has them but for commas; throws with the driver's words.
   */
  readonly cudaDevices: () => { architectures: string; capabilities: number[] };
  readonly NativeModel: typeof NativeModel;
  readonly AbortFlag: typeof AbortFlag;
  /** The best of `samples` measurements of each quantity; takes a second or two and up to 1 GiB meanwhile. */
  measureMachine(threads: number, samples: number): Promise<NativeMachine>;
  /** The same of a device, `cuda:N`: bytes per second of a copy, read and written, and FLOP/s of bfloat16 products. */
  measureDevice(device: string): Promise<{ copy: number; product: number }>;
  runKernel(request: NativeKernelRequest): Promise<NativeKernelRun>;
  readonly profile: NativeProfile;
  /**
   * Differences of an operator of devices from its twin (see NativeKernelRun). `kernel` is a name that
   * native/bench/operator_cases_*.cc list. `runner`: on the CPU with one thread for a block or with all those that the
   * device would have, or on the device.
   */
  compareOperator(
    request: NativeKernelRequest & { runner: 'serial' | 'emulation' | 'cuda' },
  ): Promise<Record<string, number>>;
  /**
   * Records a step that native/bench/recorded_step.cc names on the values 1, 2, 3 of a device and replays it, all of that
   * twice, and gives what the values are after each recording and replay.
   */
  runRecordedStep(device: string, step: string): Promise<number[]>;
  /** Names of the operators of devices that have kernels for a device; those for CUDA once their library is loaded. */
  operatorsFor(device: 'cpu' | 'cuda'): string[];
  /**
   * Bytes of the host that this process may use and how many of them are free, see native/runtime/memory_budget.h. `root`:
   * of the file system, for tests.
   */
  machineMemory(root?: string): { limit: number; available: number };
  /** For tests: work on the engine's threads of which one (`failing`; −1: none) has no memory. The number that ended well. */
  poolFailure(threads: number, failing: number): Promise<number>;
  /** For tests: says on standard output, when the process exits, whether the engine has ended by then. Before the first model. */
  reportExit(): void;
  /**
   * For tests: bytes that a workspace (native/runtime/workspace.h) holds after each pass, which takes tensors of so many bytes;
   * a number instead of a pass trims it to that.
   */
  workspaceHistory(passes: readonly (readonly number[] | number)[]): number[];
}
