/** What `zero-rl bench` runs: random prompts and sequences of one length, from a seed. */
import { RandomStream } from '../data/random';
import type { TrainingSequence } from '../policy/types';

export const TASKS = ['sample', 'logprobs', 'step'] as const;
export type Task = (typeof TASKS)[number];

export interface Workload {
  task: Task;
  /** Sequences in all. */
  batch: number;
  /** Sequences that share a prompt; a divisor of `batch`. */
  group: number;
  /** Tokens of a prompt. */
  prompt: number;
  /** New tokens of a sequence. */
  tokens: number;
}

function randomTokens(stream: RandomStream, count: number, vocabSize: number): Int32Array {
  return Int32Array.from({ length: count }, () => stream.integer(0, vocabSize - 1));
}

export function makePrompts({ batch, group, prompt }: Workload, vocabSize: number, seed = 0): Int32Array[] {
  const stream = new RandomStream(seed, 'bench prompts');
  return Array.from({ length: batch / group }, () => randomTokens(stream, prompt, vocabSize));
}

/** Prompt and response; the advantages of a group add up to about 0 as RLOO's do. */
export function makeSequences(workload: Workload, vocabSize: number, seed = 0): TrainingSequence[] {
  const stream = new RandomStream(seed, 'bench responses');
  return makePrompts(workload, vocabSize, seed).flatMap((prompt) =>
    Array.from({ length: workload.group }, (_, i) => ({
      tokens: Int32Array.from([...prompt, ...randomTokens(stream, workload.tokens, vocabSize)]),
      promptLength: prompt.length,
      advantages: i % 2 === 0 ? 1 : -1,
    })),
  );
}

/** Tokens that a run is credited with: new ones for `sample`, prompt and new ones otherwise. */
export function creditedTokens({ task, batch, prompt, tokens }: Workload): number {
  return batch * (task === 'sample' ? tokens : prompt + tokens);
}
