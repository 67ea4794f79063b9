/**
 * The bits of a sequence's log-probs depend on the sequence, the weights, the dtype and the instruction set alone: not on
 * its batch, its place there, the prompts that others share with it or the number of threads. In float32 sampling gives
 * the very log-probs that scoring gives.
 */
import { Policy, type Dtype, type ModelConfig, type Rollout, type Sequence } from '../../src';
import { differingBits, differingRows } from '../support/bits';

// No size is a multiple of 16, and products reach over several tiles of columns.
const config: ModelConfig = {
  architecture: 'qwen3',
  vocabSize: 307,
  hiddenSize: 88,
  intermediateSize: 150,
  layers: 2,
  heads: 6,
  kvHeads: 2,
  headDim: 18,
  maxPositions: 256,
  rmsNormEps: 1e-6,
  tieWordEmbeddings: false,
  attentionBias: true,
  outputBias: true,
  mlpBias: false,
  qkNorm: true,
  rope: { theta: 10_000, scaling: null },
};
const THREADS = [1, 2, 3, 4];
/** Around the borders of tiles of 16 and 32 tokens. */
const LENGTHS = [1, 2, 15, 16, 17, 31, 32, 33, 64, 65];

const createPolicy = (dtype: Dtype, threads: number): Promise<Policy> =>
  Policy.create(config, { seed: 4, std: 0.2, device: 'cpu', dtype, threads });

/** Token t of the sequence `key`. */
const token = (key: number, t: number): number => (key * 131 + t * 29 + key * t) % config.vocabSize;
const tokensOf = (key: number, length: number): Int32Array => Int32Array.from({ length }, (_, t) => token(key, t));

/** 64 sequences: every length as a whole with several prompts, and responses of several lengths. */
const sequences: Sequence[] = Array.from({ length: 64 }, (_, i) => {
  const length = 1 + LENGTHS[i % LENGTHS.length] + (i >= 40 ? 20 : 0);
  const prompts = [1, length - 1, Math.ceil(length / 2), Math.min(16, length - 1), Math.min(17, length - 1)];
  return { tokens: tokensOf(i, length), promptLength: prompts[i % 7] ?? 1 };
});

/** Groups of four sequences with one prompt, of every length, and responses of different lengths. */
const groups: Sequence[] = LENGTHS.flatMap((length, group) =>
  [1, 7, 16, 33].map((response, i) => ({
    tokens: Int32Array.from([...tokensOf(200 + group, length), ...tokensOf(300 + 4 * group + i, response)]),
    promptLength: length,
  })),
);

/** The order i → i·step mod count. */
const shuffled = (count: number, step: number): number[] => Array.from({ length: count }, (_, i) => (i * step) % count);

async function scoreAlone(policy: Policy, wanted: readonly Sequence[]): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  for (const sequence of wanted) rows.push((await policy.logProbs([sequence]))[0]);
  return rows;
}

async function scoreInOrder(policy: Policy, wanted: readonly Sequence[], order: number[]): Promise<Float32Array[]> {
  const rows = await policy.logProbs(order.map((i) => wanted[i]));
  const place = new Map(order.map((i, at) => [i, at]));
  return wanted.map((_, i) => rows[place.get(i)!]);
}

const scoring = (rollouts: Rollout[], prompts: Int32Array[]): Sequence[] =>
  rollouts.map(({ prompt, tokens }) => ({
    tokens: Int32Array.from([...prompts[prompt], ...tokens]),
    promptLength: prompts[prompt].length,
  }));

const logProbsOf = (rollouts: Rollout[]): Float32Array[] => rollouts.map(({ logProbs }) => logProbs);
const inOrder = (rollouts: Rollout[]): Rollout[] =>
  rollouts.toSorted((a, b) => a.prompt - b.prompt || a.sample - b.sample);

describe.each<Dtype>(['float32', 'bfloat16'])('%s', (dtype) => {
  let policies: Policy[];
  beforeAll(async () => {
    policies = [];
    for (const threads of THREADS) policies.push(await createPolicy(dtype, threads));
  });
  afterAll(() => {
    for (const policy of policies) policy.dispose();
  });

  describe('scoring', () => {
    let alone: Float32Array[];
    let groupsAlone: Float32Array[];
    beforeAll(async () => {
      alone = await scoreAlone(policies[0], sequences);
      groupsAlone = await scoreAlone(policies[0], groups);
    });

    test.each(THREADS)('with %i threads 64 sequences have the bits that each has alone', async (threads) => {
      const policy = policies[threads - 1];
      expect(differingRows(await policy.logProbs(sequences), alone)).toBe('');
      expect(differingRows(await scoreInOrder(policy, sequences, shuffled(64, 37)), alone)).toBe('');
    });

    test.each(THREADS)('with %i threads each alone has the same bits', async (threads) => {
      const some = [...sequences.slice(0, 10), ...sequences.slice(-5)];
      const expected = [...alone.slice(0, 10), ...alone.slice(-5)];
      expect(differingRows(await scoreAlone(policies[threads - 1], some), expected)).toBe('');
    });

    test.each(THREADS)(
      'with %i threads sequences that share prompts have the bits that each has alone',
      async (threads) => {
        const policy = policies[threads - 1];
        expect(differingRows(await policy.logProbs(groups), groupsAlone)).toBe('');
        // Members of a group stand apart, between strangers.
        const mixed = [...groups, ...sequences];
        const order = shuffled(mixed.length, 37);
        expect(differingRows(await scoreInOrder(policy, mixed, order), [...groupsAlone, ...alone])).toBe('');
      },
    );

    test('one prompt with many responses has the bits of each alone', async () => {
      const prompt = tokensOf(999, 33);
      const many = Array.from({ length: 64 }, (_, i) => ({
        tokens: Int32Array.from([...prompt, ...tokensOf(400 + i, 1 + (i % 40))]),
        promptLength: prompt.length,
      }));
      expect(differingRows(await policies[1].logProbs(many), await scoreAlone(policies[0], many))).toBe('');
    });

    test('where a sequence is cut into prompt and response does not change its bits', async () => {
      const tokens = tokensOf(77, 66);
      const cuts = [1, 15, 16, 17, 32, 33, 64, 65];
      const [whole] = await policies[0].logProbs([{ tokens, promptLength: 1 }]);
      const rows = await policies[1].logProbs(cuts.map((promptLength) => ({ tokens, promptLength })));
      expect(
        differingRows(
          rows,
          cuts.map((cut) => whole.subarray(cut - 1)),
        ),
      ).toBe('');
    });
  });

  describe('sampling', () => {
    const prompts = LENGTHS.map((length, i) => tokensOf(500 + i, length));
    const uids = prompts.map((_, i) => 70 + i);
    const options = { n: 4, maxTokens: 40, stopTokens: [3, 50, 120], seed: 8, uids };
    let expected: Rollout[];
    beforeAll(async () => {
      expected = inOrder(await policies[0].sample(prompts, options));
    });

    function expectEqual(actual: Rollout[], wanted = expected): void {
      const sorted = inOrder(actual);
      expect(sorted.map(({ tokens }) => Array.from(tokens))).toEqual(wanted.map(({ tokens }) => Array.from(tokens)));
      expect(differingRows(logProbsOf(sorted), logProbsOf(wanted))).toBe('');
    }

    test('completions have different lengths, so that batches change on the way', () => {
      expect(new Set(expected.map(({ tokens }) => tokens.length)).size).toBeGreaterThan(5);
    });

    test.each(THREADS)('%i threads give the bits of one', async (threads) => {
      expectEqual(await policies[threads - 1].sample(prompts, options));
    });

    test.each([1, 3, 7])('at most %i sequences at a time give the same bits', async (maxBatch) => {
      expectEqual(await policies[1].sample(prompts, { ...options, maxBatch }));
    });

    test('a prompt alone, in another order or without its group gives the same bits', async () => {
      for (const [i, prompt] of prompts.entries()) {
        const own = expected.filter((rollout) => rollout.prompt === i);
        const alone = await policies[1].sample([prompt], { ...options, uids: [uids[i]] });
        expectEqual(alone, own);
      }
      const order = shuffled(prompts.length, 7);
      const other = await policies[1].sample(
        order.map((i) => prompts[i]),
        { ...options, uids: order.map((i) => uids[i]) },
      );
      expectEqual(other.map((rollout) => ({ ...rollout, prompt: order[rollout.prompt] })));
      const first = await policies[1].sample(prompts, { ...options, n: 1 });
      expectEqual(
        first,
        expected.filter(({ sample }) => sample === 0),
      );
    });
  });

  test('training gives the same bits with any number of threads', async () => {
    const trained: Float32Array[] = [];
    for (const threads of THREADS) {
      using policy = await createPolicy(dtype, threads);
      for (let step = 0; step < 2; step++) {
        await policy.step(
          groups.map((sequence, i) => ({ ...sequence, advantages: (i % 3) - 1 })),
          { learningRate: 1e-2, eps: 1e-3 },
        );
      }
      trained.push(Float32Array.from((await policy.logProbs(sequences)).flatMap((row) => Array.from(row))));
    }
    const untrained = (await policies[0].logProbs(sequences)).flatMap((row) => Array.from(row));
    expect(differingBits(trained[0], Float32Array.from(untrained))).toBeGreaterThan(0);
    expect(trained.map((values) => differingBits(values, trained[0]))).toEqual(THREADS.map(() => 0));
  });
});

describe('sampled log-probs are those of scoring, bit for bit', () => {
  const prompts = LENGTHS.map((length, i) => tokensOf(600 + i, length));

  test.each(
    [
      { n: 1, temperature: 1 },
      { n: 8, temperature: 1 },
      { n: 4, temperature: 0.7 },
      { n: 4, temperature: 1, topP: 0.9 },
      { n: 4, temperature: 1.3, topK: 40, minP: 0.01 },
      { n: 3, temperature: 1, maxBatch: 5 },
    ].flatMap((setting) => [1, 2, 3].map((threads) => ({ ...setting, threads }))),
  )('%p', async ({ threads, ...setting }) => {
    using policy = await createPolicy('float32', threads);
    const rollouts = await policy.sample(prompts, { ...setting, maxTokens: 70, stopTokens: [3], seed: 2 });
    expect(Math.max(...rollouts.map(({ tokens }) => tokens.length))).toBe(70);
    const wanted = scoring(rollouts, prompts);
    const { temperature } = setting;
    expect(differingRows(logProbsOf(rollouts), await policy.logProbs(wanted, { temperature }))).toBe('');
    using single = await createPolicy('float32', 1);
    const reversed = await single.logProbs(wanted.toReversed(), { temperature });
    expect(differingRows(logProbsOf(rollouts), reversed.toReversed())).toBe('');
  });
});
