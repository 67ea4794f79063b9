/** Steps on rollouts whose draws kept a part of the vocabulary against float64 PyTorch (test/golden/truncation.py). */
import { rmSync } from 'node:fs';
import { Policy, type TrainingSequence } from '../../src';
import { temporaryFolder, writeFixtureModel } from '../support/fixture-model';
import { asTraining, decodeFloats, maxDifference, truncationGolden, type TruncationCase } from '../support/golden';
import { encodeKept } from '../support/kept-tokens';
import { readSafetensors } from '../support/read-safetensors';

const golden = truncationGolden();
const CPU = { device: 'cpu', dtype: 'float32', threads: 2 } as const;
const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

function batchesOf({ batches, config }: TruncationCase): TrainingSequence[][] {
  return batches.map((batch) =>
    asTraining(batch).map((sequence, i) => ({
      ...sequence,
      keptTokens: encodeKept(batch[i].kept, config.vocab_size),
    })),
  );
}

test.each(golden.cases)('$name', async (reference) => {
  const { options, stats: expected, final, keptLogProbs } = reference;
  const folder = writeFixtureModel(reference);
  folders.push(folder);
  using policy = await Policy.load(folder, CPU);
  const batches = batchesOf(reference);
  const scored = await policy.logProbs(
    batches[0].map(({ tokens, promptLength, keptTokens }) => ({ tokens, promptLength, keptTokens })),
    { temperature: options.temperature },
  );
  scored.forEach((values, i) => expect(maxDifference(values, decodeFloats(keptLogProbs[i]))).toBeLessThan(2e-5));
  for (let step = 0; step < golden.steps; step++) {
    const stats = await policy.step(batches[step % batches.length], options);
    expect(Math.abs(stats.loss - expected[step].loss)).toBeLessThan(1e-4);
    expect(Math.abs(stats.gradNorm / expected[step].gradNorm - 1)).toBeLessThan(1e-4);
    expect(Math.abs(stats.entropy - expected[step].entropy)).toBeLessThan(1e-4);
  }
  const saved = temporaryFolder();
  folders.push(saved);
  await policy.save(saved);
  const tensors = readSafetensors(saved);
  const wrong = Object.keys(final).filter(
    (name) => maxDifference(tensors.get(name)!.values, decodeFloats(final[name])) > 2e-5,
  );
  expect(wrong).toEqual([]);
});
