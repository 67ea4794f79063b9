/** The golden files that test/golden/logits.py and steps.py make, and how to compare with them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CriticStepOptions, StepOptions, TrainingSequence } from '../../src/policy/types';
import type { FixtureModel } from './fixture-model';

export interface LogitsCase extends FixtureModel {
  name: string;
  /** Names and shapes of the parameters in transformers. */
  parameters: Record<string, number[]>;
  sequences: {
    tokens: number[];
    promptLength: number;
    positions: number[];
    /** float32 (positions, vocab) as base64. */
    logits: string;
    /** Per temperature: float32 (tokens after the prompt) as base64. */
    logProbs: string[];
  }[];
}

export interface LogitsGolden {
  temperatures: number[];
  fixture: { name: string; seed: number; count: number; first: string; fnv1a: number };
  cases: LogitsCase[];
}

export interface StepSequence {
  tokens: number[];
  promptLength: number;
  advantages: number | number[];
  oldLogProbs?: number[];
  referenceLogProbs?: number[];
  mask?: number[];
}

export interface StepsCase extends FixtureModel {
  name: string;
  options: StepOptions;
  /** Step s trains on batches[s % batches.length]. */
  batches: StepSequence[][];
  stats: { loss: number; gradNorm: number; entropy: number; kl?: number }[];
  /** Parameters after the last step: float32 as base64. */
  final: Record<string, string>;
}

export interface StepsGolden {
  steps: number;
  cases: StepsCase[];
}

/** Of test/golden/truncation.py; `final` holds some of the parameters. */
export interface TruncationCase extends StepsCase {
  /** `kept`: ids per response token, null where every token was. */
  batches: (StepSequence & { kept: (number[] | null)[] })[][];
  /** Of the first batch before the first step: float32 as base64. */
  keptLogProbs: string[];
}

/** A critic's case of objectives.json. */
export interface CriticCase extends FixtureModel {
  name: 'critic' | 'trunk-critic';
  options: CriticStepOptions;
  batches: { tokens: number[]; promptLength: number; returns: number[]; oldValues: number[]; mask?: number[] }[][];
  stats: { loss: number; gradNorm: number; clipFraction: number }[];
  /** V of the first batch after the last step: float32 as base64. */
  values: string[];
  final: Record<string, string>;
}

function readGolden(name: string): unknown {
  return JSON.parse(readFileSync(join(__dirname, '..', 'golden', 'data', name), 'utf8'));
}

export const logitsGolden = (): LogitsGolden => readGolden('logits.json') as LogitsGolden;
export const stepsGolden = (): StepsGolden => readGolden('steps.json') as StepsGolden;

export const truncationGolden = () => readGolden('truncation.json') as { steps: number; cases: TruncationCase[] };

/** Of test/golden/objectives.py; `final` holds some of the parameters. */
export function objectivesGolden(): StepsGolden & { critic: CriticCase; trunkCritic: CriticCase } {
  const { steps, cases } = readGolden('objectives.json') as { steps: number; cases: (StepsCase | CriticCase)[] };
  const isCritic = (entry: StepsCase | CriticCase): entry is CriticCase => entry.name.endsWith('critic');
  const critics = cases.filter(isCritic);
  return {
    steps,
    cases: cases.filter((entry): entry is StepsCase => !isCritic(entry)),
    critic: critics.find(({ name }) => name === 'critic')!,
    trunkCritic: critics.find(({ name }) => name === 'trunk-critic')!,
  };
}

/** The sequences of a step as `Policy.step` takes them. */
export function asTraining(batch: readonly StepSequence[]): TrainingSequence[] {
  return batch.map(({ advantages, mask, tokens, promptLength, oldLogProbs, referenceLogProbs }) => ({
    tokens,
    promptLength,
    ...(oldLogProbs === undefined ? {} : { oldLogProbs }),
    ...(referenceLogProbs === undefined ? {} : { referenceLogProbs }),
    advantages: typeof advantages === 'number' ? advantages : Float32Array.from(advantages),
    ...(mask === undefined ? {} : { mask: Uint8Array.from(mask) }),
  }));
}

export function decodeFloats(text: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
}

/** Largest absolute difference; NaN and unequal lengths count as infinite. */
export function maxDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let largest = 0;
  for (let index = 0; index < expected.length; index++) {
    const difference = Math.abs(actual[index] - expected[index]);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}

/** log_softmax of logits / temperature in float64. */
export function logSoftmax(logits: ArrayLike<number>, temperature = 1): Float64Array {
  const scaled = Float64Array.from(logits, (value) => value / temperature);
  const largest = scaled.reduce((a, b) => Math.max(a, b), -Infinity);
  const logSum = largest + Math.log(scaled.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  return scaled.map((value) => value - logSum);
}
