import fc from 'fast-check';
import { verify, verifyBatch, VerifierPool } from '../../../../src/verifier';
import { Batch, chunkMessage, type Chunk, type VerifyCase } from '../../../../src/verifier/batch/batch';
import type { Verdict } from '../../../../src/verifier/verdict';

const makeBatch = (cases: VerifyCase[], workers = 2): Batch =>
  new Batch(cases, { statement: 'any', timeoutMs: 1000, workers });
const repeated = (count: number, length = 1): VerifyCase[] =>
  Array.from({ length: count }, (_, i) => ({ gold: String(i >> 2), completion: 'x'.repeat(length) }));
const takeAll = (batch: Batch): Chunk[] => {
  const chunks: Chunk[] = [];
  for (let chunk = batch.take(); chunk !== null; chunk = batch.take()) chunks.push(chunk);
  return chunks;
};
const verdictOf = (index: number): Verdict => ({ correct: true, reason: 'equal', extracted: String(index), ms: 0 });
const sizes = (chunks: Chunk[]): number[] => chunks.map(({ indices }) => indices.length);

test('chunks share a batch evenly, but are neither tiny nor without bound', () => {
  expect(sizes(takeAll(makeBatch(repeated(10))))).toEqual([10]);
  expect(sizes(takeAll(makeBatch(repeated(640))))).toEqual(Array.from({ length: 16 }, () => 40));
  expect(Math.max(...sizes(takeAll(makeBatch(repeated(100_000)))))).toBe(256);
});

test('long texts make chunks of few cases, a very long one a chunk of its own', () => {
  expect(sizes(takeAll(makeBatch(repeated(9, 100_000))))).toEqual([2, 2, 2, 2, 1]);
  const [small, huge] = [repeated(1)[0], repeated(1, 2 ** 20)[0]];
  expect(sizes(takeAll(makeBatch([small, huge, small])))).toEqual([1, 1, 1]);
});

test('a message sends the gold of neighbours once', () => {
  const [chunk] = takeAll(makeBatch(repeated(7)));
  expect(chunkMessage(chunk)).toMatchObject({ golds: ['0', '1'], goldOf: [0, 0, 0, 0, 1, 1, 1] });
});

test('results come in order, whatever the order of the chunks, also when some are given back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 800 }), fc.infiniteStream(fc.nat(9)), async (count, choices) => {
      const batch = makeBatch(repeated(count), 1);
      const held: Chunk[] = [];
      while (!batch.settled) {
        const chunk = batch.take();
        if (chunk) held.push(chunk);
        const choice = choices.next().value ?? 0;
        if (chunk && choice > 2) continue;
        const [done] = held.splice(choice % held.length, 1);
        const kept = choice === 1 ? done.indices.splice(choice % done.indices.length, 1) : [];
        batch.giveBack(kept);
        if (done.indices.length > 0) batch.finish(done.indices, done.indices.map(verdictOf));
      }
      const verdicts = await batch.promise;
      expect(verdicts.map(({ extracted }) => Number(extracted))).toEqual(Array.from({ length: count }, (_, i) => i));
    }),
    { numRuns: 50 },
  );
});

test('a failed batch hands out nothing more and stays failed', async () => {
  const batch = makeBatch(repeated(40));
  const chunk = batch.take()!;
  batch.fail(new Error('first'));
  batch.fail(new Error('second'));
  batch.finish(chunk.indices, chunk.indices.map(verdictOf));
  expect(batch.take()).toBeNull();
  await expect(batch.promise).rejects.toThrow('first');
});

test('run from sources, where no worker can load, verdicts are the same', async () => {
  const cases = ['\\boxed{1}', 'none', '#### 2'].map((completion) => ({ gold: '1', completion }));
  const plain = ({ correct, reason, extracted }: Verdict) => [correct, reason, extracted];
  const expected = cases.map(({ gold, completion }) => plain(verify(gold, completion)));
  expect((await verifyBatch(cases)).map(plain)).toEqual(expected);
  await expect(verifyBatch(cases, { signal: AbortSignal.abort(new Error('early')) })).rejects.toThrow('early');
  const pool = new VerifierPool();
  await pool.dispose();
  await expect(pool.verify(cases)).rejects.toMatchObject({ code: 'ERR_ZERO_RL_DISPOSED' });
});
