// The inputs of a run: batch n of a seed is the same on every machine. The generators are those of the property tests.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { loadTypescript } from './load-typescript.mjs';
import { readCases } from '../verifier-cases/read.mjs';

/** Inputs of one batch. */
export const BATCH = 200;

/** Repetitions and levels of one mutation at the most. */
const MOST = 3000;

/** Cases with longer texts are left out: they take their time, and mutations make long texts of short ones anyway. */
const LONGEST_CASE = 20_000;

const folder = new URL('../verifier-cases/', import.meta.url);
/** Labelled cases. */
export const cases = readdirSync(folder)
  .filter((name) => name.endsWith('.jsonl'))
  .flatMap((name) => readCases(fileURLToPath(new URL(name, folder))))
  .filter(({ gold, completion }) => gold.length + completion.length < LONGEST_CASE)
  .map(({ gold, completion }) => ({ gold, completion }));

const { arbitraryInput } = loadTypescript('../support/arbitrary-answers/inputs.ts');
const input = arbitraryInput(cases, MOST);

/** The inputs of batch `number`. */
export function batch(seed, number) {
  return fc.sample(input, { seed: (seed * 1_000_003 + number * 7919) | 0, numRuns: BATCH });
}
