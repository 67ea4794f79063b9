/** End-to-end throughput, peak memory and share of the roofline of one workload on one model. */
import type { NativeMachine } from '../../binding/native';
import { checkInteger, checkOneOf, invalidRange } from '../errors';
import { modelFolder } from '../hub/model';
import { loadNative } from '../libtorch/load';
import { readCheckpointFolder } from '../policy/checkpoint-folder';
import { defaultThreads } from '../policy/device';
import { checkPolicyOptions } from '../policy/open';
import { Policy } from '../policy/policy';
import { checkFolder } from '../policy/save';
import type { Dtype, PolicyOptions, TrainingSequence } from '../policy/types';
import { bestOf, measureMachine, reportMachine, type MachineReport } from './machine';
import { peakRssMiB, resetPeak } from './memory';
import { boundOf } from './roofline';
import { median } from './statistics';
import { creditedTokens, makePrompts, makeSequences, TASKS, type Task, type Workload } from './workload';

export interface BenchOptions extends Workload, PolicyOptions {
  /** Hugging Face model folder; needs no tokenizer. */
  model: string;
  /** Measures the machine in a second instead of several. Default false. */
  quick?: boolean;
}

export interface Roofline extends MachineReport {
  /** The least seconds that the machine could take; the formulas stand in roofline.ts. */
  boundSeconds: number;
  /** boundSeconds / seconds. */
  fraction: number;
  /** FLOPs of products and attention per second over the peak: the model's utilisation of the machine. */
  flopsFraction: number;
  /** What boundSeconds consists of. */
  parts: Record<string, number>;
}

export interface BenchResult {
  task: Task;
  batch: number;
  group: number;
  prompt: number;
  tokens: number;
  dtype: Dtype;
  device: string;
  threads: number;
  instructionSet: string;
  parameters: number;
  /** Median of the runs. */
  seconds: number;
  /** New tokens for `sample`, prompt and new tokens for `logprobs` and `step`, per second of the median run. */
  tokensPerSecond: number;
  /** Seconds of every counted run. */
  runs: number[];
  /** Peak resident memory of the process from before the model was loaded to the end of the last run. */
  peakRssMiB: number;
  roofline: Roofline;
}

/** One model with one workload, to be run as often as wanted. The machine is measured before the model is loaded. */
export class Bench implements Disposable {
  readonly runs: number[] = [];
  private count = 0;

  private constructor(
    private readonly policy: Policy,
    private readonly options: BenchOptions & { threads: number },
    private readonly before: NativeMachine,
    private readonly sequences: TrainingSequence[],
  ) {}

  /**
   * @throws RangeError for a workload that is none, errors of Policy.load
   */
  static async open(options: BenchOptions): Promise<Bench> {
    checkOneOf('task', options.task, TASKS);
    for (const name of ['batch', 'group', 'prompt', 'tokens'] as const) checkInteger(name, options[name], 1);
    if (options.batch % options.group !== 0) {
      throw invalidRange('batch', `multiple of the group ${options.group}`, options.batch);
    }
    const { device, dtype, masterWeights, threads = defaultThreads(), memoryMiB } = options;
    const engine = { device, dtype, masterWeights, threads, memoryMiB };
    checkPolicyOptions(engine);
    const { folder } = await modelFolder(checkFolder(options.model));
    const { maxPositions, vocabSize } = (await readCheckpointFolder(folder)).config;
    if (options.prompt + options.tokens > maxPositions) {
      throw invalidRange('prompt + tokens', `at most ${maxPositions} (the context)`, options.prompt + options.tokens);
    }
    const before = await measureMachine(threads, options.quick);
    resetPeak();
    const policy = await Policy.load(folder, engine);
    const sequences = options.task === 'sample' ? [] : makeSequences(options, vocabSize);
    return new Bench(policy, { ...options, threads }, before, sequences);
  }

  /** Runs the workload once; counted runs stand in the result. Returns the seconds. */
  async run(counted = true): Promise<number> {
    const seed = this.count++;
    // Of its own: those of a run before are cached.
    const prompts = this.options.task === 'sample' ? makePrompts(this.options, this.policy.config.vocabSize, seed) : [];
    const start = performance.now();
    await this.work(prompts, seed);
    const seconds = (performance.now() - start) / 1000;
    if (counted) this.runs.push(seconds);
    return seconds;
  }

  /** Measures the machine again and sums up; there must have been a counted run. */
  async result(): Promise<BenchResult> {
    const peak = peakRssMiB();
    const { task, batch, group, prompt, tokens, threads } = this.options;
    const { config, dtype, device, parameterCount } = this.policy;
    const after = await measureMachine(threads, this.options.quick);
    const machine = bestOf(this.before, after);
    const seconds = median(this.runs);
    const bound = boundOf(this.options, config, parameterCount, dtype, machine);
    const report = reportMachine(this.before, after, dtype);
    return {
      task,
      batch,
      group,
      prompt,
      tokens,
      dtype,
      device,
      threads,
      instructionSet: loadNative().instructionSet,
      parameters: parameterCount,
      seconds,
      tokensPerSecond: creditedTokens(this.options) / seconds,
      runs: this.runs,
      peakRssMiB: peak,
      roofline: {
        boundSeconds: bound.seconds,
        fraction: bound.seconds / seconds,
        flopsFraction: bound.flops / seconds / (report.peakGigaflopsPerSecond * 1e9),
        parts: bound.parts,
        ...report,
      },
    };
  }

  dispose(): void {
    this.policy.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private async work(prompts: Int32Array[], seed: number): Promise<void> {
    const { task, group, tokens } = this.options;
    if (task === 'sample') {
      await this.policy.sample(prompts, { n: group, maxTokens: tokens, stopTokens: [], seed });
    } else if (task === 'logprobs') {
      await this.policy.logProbs(this.sequences);
    } else {
      await this.policy.step(this.sequences, { learningRate: 1e-6, maxGradNorm: 1 });
    }
  }
}
