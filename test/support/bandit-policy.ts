/**
 * A policy without an engine: it chooses one of a few canned completions by a softmax over learnt logits, and learns by
 * REINFORCE, or PPO's clipped ratio of the choice, with momentum. Sampling is keyed by (seed, uid, sample) as in the engine, so runs replay exactly.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  CriticStepOptions,
  CriticStepStats,
  Completion,
  SampleOptions,
  Sequence,
  StepOptions,
  StepStats,
  TrainingSequence,
  ValueSequence,
} from '../../src/policy/types';
import type { TrainingCritic, TrainingPolicy } from '../../src/training/training-policy';

const END = 0;
/** The answer of every problem is 2. */
export const arms = ['It is 2.', '\\boxed{3}', '\\boxed{2}', 'One and one, so \\boxed{2}'];

function uniform(...key: number[]): number {
  return createHash('sha256').update(key.join('/')).digest().readUInt32LE() / 2 ** 32;
}

export class BanditPolicy implements TrainingPolicy {
  readonly parameterCount = arms.length;
  readonly tokenizer = { decode: (ids: ArrayLike<number>) => arms[ids[0] - 1] ?? '' };
  logits = [1, 1, 0, -1];
  momentum = [0, 0, 0, 0];
  disposed = false;
  sampleCalls: { prompts: number; options: SampleOptions }[] = [];
  /** Replaces the gradient norm of a step; a number that is not finite skips the step. */
  gradNorm: (step: number) => number = () => 1;
  /** Runs before each sample call. */
  beforeSample: (call: number) => void = () => undefined;
  private steps = 0;

  static load(directory: string): Promise<BanditPolicy> {
    const policy = new BanditPolicy();
    const file = join(directory, 'weights.json');
    if (existsSync(file)) policy.logits = JSON.parse(readFileSync(file, 'utf8')) as number[];
    return Promise.resolve(policy);
  }

  encodePrompt(prompt: unknown): Int32Array {
    if (typeof prompt !== 'string' || prompt === '') throw new RangeError('Expected a non-empty prompt');
    return Int32Array.from(prompt, (character) => character.charCodeAt(0));
  }

  async sample(prompts: readonly unknown[], options: SampleOptions = {}): Promise<Completion[]> {
    this.sampleCalls.push({ prompts: prompts.length, options });
    this.beforeSample(this.sampleCalls.length);
    await Promise.resolve();
    options.signal?.throwIfAborted();
    const logProbs = this.armLogProbs();
    return prompts.flatMap((_, prompt) =>
      Array.from({ length: options.n ?? 1 }, (__, sample): Completion => {
        let left = uniform(options.seed ?? 0, options.uids?.[prompt] ?? prompt, sample);
        const chosen = logProbs.findIndex((value) => (left -= Math.exp(value)) < 0);
        const arm = chosen < 0 ? arms.length - 1 : chosen;
        const tokens = Int32Array.from([
          arm + 1,
          ...Array.from(arms[arm], (character) => character.charCodeAt(0)),
          END,
        ]);
        const values = new Float32Array(tokens.length);
        values[0] = logProbs[arm];
        return { prompt, sample, tokens, logProbs: values, finishReason: 'stop' };
      }),
    );
  }

  logProbs(sequences: readonly Sequence[]): Promise<Float32Array[]> {
    const logProbs = this.armLogProbs();
    return Promise.resolve(
      sequences.map(({ tokens, promptLength }) => {
        const values = new Float32Array(tokens.length - promptLength);
        values[0] = logProbs[tokens[promptLength] - 1];
        return values;
      }),
    );
  }

  step(sequences: readonly TrainingSequence[], options: StepOptions = {}): Promise<StepStats> {
    this.steps++;
    const probabilities = this.armLogProbs().map(Math.exp);
    const gradNorm = this.gradNorm(this.steps);
    const applied = Number.isFinite(gradNorm);
    const gradient = arms.map(() => 0);
    let clipped = 0;
    for (const { tokens, promptLength, advantages, oldLogProbs } of sequences) {
      const arm = tokens[promptLength] - 1;
      let advantage = typeof advantages === 'number' ? advantages : advantages[0];
      if (options.objective === 'ppo') {
        const { low = 0.2, high = 0.2 } = options.clip ?? {};
        const ratio = probabilities[arm] / Math.exp(oldLogProbs?.[0] ?? NaN);
        const beyond = advantage > 0 ? ratio > 1 + high : ratio < 1 - low;
        clipped += beyond ? 1 : 0;
        advantage *= beyond ? 0 : ratio;
      }
      gradient.forEach(
        (_, i) => (gradient[i] += (advantage * ((i === arm ? 1 : 0) - probabilities[i])) / sequences.length),
      );
    }
    if (applied) {
      this.momentum = this.momentum.map((value, i) => 0.5 * value + gradient[i]);
      this.logits = this.logits.map((value, i) => value + (options.learningRate ?? 0) * this.momentum[i]);
    }
    const tokens = sequences.reduce((sum, { tokens: all, promptLength }) => sum + all.length - promptLength, 0);
    const totalTokens = sequences.reduce((sum, { tokens: all }) => sum + all.length, 0);
    const entropy = -probabilities.reduce((sum, p) => sum + p * Math.log(p), 0);
    const clipFraction = clipped / sequences.length;
    const rest = { kl: 0, logProbDifference: 0, clipFraction, microBatches: 1, seconds: 0 };
    const counts = { tokens, measuredTokens: tokens, totalTokens };
    return Promise.resolve({ loss: applied ? 0 : NaN, gradNorm, entropy, ...counts, applied, ...rest });
  }

  save(directory: string): Promise<void> {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'weights.json'), JSON.stringify(this.logits));
    return Promise.resolve();
  }

  saveTrainingState(directory: string): Promise<void> {
    writeFileSync(join(directory, 'momentum.json'), JSON.stringify(this.momentum));
    return Promise.resolve();
  }

  loadTrainingState(directory: string): Promise<void> {
    this.momentum = JSON.parse(readFileSync(join(directory, 'momentum.json'), 'utf8')) as number[];
    return Promise.resolve();
  }

  follow(other: BanditPolicy, rate: number): Promise<void> {
    this.logits = this.logits.map((value, i) => value + rate * (other.logits[i] - value));
    return Promise.resolve();
  }

  dispose(): void {
    this.disposed = true;
  }

  private armLogProbs(): number[] {
    const total = Math.log(this.logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
    return this.logits.map((logit) => logit - total);
  }
}

/** V of the choice as one learnt number, what it is worth before it is made; 0 after it, where the reward is certain. */
export class BanditCritic implements TrainingCritic {
  readonly parameterCount = 1;
  value = 0;
  steps = 0;

  values(sequences: readonly Sequence[]): Promise<Float32Array[]> {
    return Promise.resolve(
      sequences.map(({ tokens, promptLength }) => {
        const values = new Float32Array(tokens.length - promptLength);
        values[0] = this.value;
        return values;
      }),
    );
  }

  step(sequences: readonly ValueSequence[], options: CriticStepOptions = {}): Promise<CriticStepStats> {
    this.steps++;
    const errors = sequences.map(({ returns }) => returns[0] - this.value);
    const error = errors.reduce((sum, value) => sum + value, 0) / errors.length;
    this.value += (options.learningRate ?? 0) * error;
    const tokens = sequences.reduce((sum, { returns }) => sum + returns.length, 0);
    const rest = { clipFraction: 0, totalTokens: tokens, microBatches: 1, applied: true, seconds: 0 };
    return Promise.resolve({ loss: error ** 2 / 2, gradNorm: Math.abs(error), tokens, ...rest });
  }

  save(directory: string): Promise<void> {
    mkdirSync(directory, { recursive: true });
    return Promise.resolve();
  }

  saveTrainingState(directory: string): Promise<void> {
    writeFileSync(join(directory, 'value.json'), JSON.stringify(this.value));
    return Promise.resolve();
  }

  loadTrainingState(directory: string): Promise<void> {
    this.value = JSON.parse(readFileSync(join(directory, 'value.json'), 'utf8')) as number;
    return Promise.resolve();
  }

  dispose(): void {
    // It holds nothing.
  }
}
