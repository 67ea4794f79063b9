/** Bad input to Policy: one clear error each, and the policy goes on working. */
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Policy, type TrainingSequence } from '../../src';
import {
  fixtureTensors,
  safetensorsBytes,
  temporaryFolder,
  writeFixtureModel,
  type StoredTensor,
} from '../support/fixture-model';
import { maxDifference, stepsGolden } from '../support/golden';

const CPU = { device: 'cpu', dtype: 'float32', threads: 2 } as const;
const model = stepsGolden().cases[0];
const vocabulary = model.config.vocab_size;
const context = model.config['max_position_embeddings'] as number;
const training = (advantages: TrainingSequence['advantages']): TrainingSequence[] => [
  { tokens: [1, 2, 3, 4], promptLength: 1, advantages },
];

describe('a folder that cannot be loaded', () => {
  let folder: string;
  beforeEach(() => (folder = temporaryFolder()));
  afterEach(() => rmSync(folder, { recursive: true }));

  const norm = 'model.layers.1.input_layernorm.weight';
  const change = (edit: (tensors: Record<string, StoredTensor>) => void) => {
    const tensors = fixtureTensors(model);
    edit(tensors);
    writeFixtureModel(model, folder);
    writeFileSync(join(folder, 'model.safetensors'), safetensorsBytes(tensors));
  };
  const cases: { name: string; prepare: () => void; says: RegExp }[] = [
    {
      name: 'a missing tensor',
      prepare: () =>
        change((tensors) => {
          Reflect.deleteProperty(tensors, norm);
        }),
      says: /layers\.1\.input_layernorm/,
    },
    {
      name: 'a wrong shape',
      prepare: () => change((tensors) => (tensors[norm] = { ...tensors[norm], shape: [2, 16] })),
      says: /layers\.1\.input_layernorm/,
    },
    {
      name: 'a dtype that is not a float',
      prepare: () => change((tensors) => (tensors[norm] = { ...tensors[norm], dtype: 'I32' })),
      says: /layers\.1\.input_layernorm.*I32|I32.*layers\.1\.input_layernorm/,
    },
    {
      name: 'a truncated file',
      prepare: () => {
        writeFixtureModel(model, folder);
        truncateSync(join(folder, 'model.safetensors'), 20_000);
      },
      says: /model\.safetensors/,
    },
    {
      name: 'no weights',
      prepare: () => writeFileSync(join(folder, 'config.json'), JSON.stringify(model.config)),
      says: /safetensors/,
    },
    {
      name: 'an unknown architecture',
      prepare: () => {
        const config = { ...model.config, model_type: 'mamba', architectures: ['MambaForCausalLM'] };
        writeFixtureModel(model, folder);
        writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
      },
      says: /[Mm]amba/,
    },
  ];
  test.each(cases)('$name', async ({ prepare, says }) => {
    prepare();
    await expect(Policy.load(folder, CPU)).rejects.toMatchObject({
      name: 'ZeroRlError',
      code: 'ERR_ZERO_RL_CHECKPOINT',
      message: expect.stringMatching(says) as string,
    });
  });

  test('a missing folder', async () => {
    await expect(Policy.load(join(folder, 'nothing'), CPU)).rejects.toMatchObject({ code: 'ERR_ZERO_RL_CHECKPOINT' });
  });
});

describe('a loaded policy', () => {
  let folder: string;
  let policy: Policy;
  beforeAll(async () => {
    folder = writeFixtureModel(model);
    policy = await Policy.load(folder, CPU);
  });
  afterAll(() => {
    policy.dispose();
    rmSync(folder, { recursive: true });
  });

  const long = (length: number) => Int32Array.from({ length }, (_, i) => i % vocabulary);
  const wrong: { name: string; call: () => Promise<unknown>; error: typeof RangeError; says: string }[] = [
    {
      name: 'a prompt token beyond the vocabulary',
      call: () => policy.sample([Int32Array.of(1, vocabulary)], { n: 1 }),
      error: RangeError,
      says: `Expected token id between 0 and ${vocabulary - 1} for prompts[0][1] but received ${vocabulary} of type number`,
    },
    {
      name: 'a scored token beyond the vocabulary',
      call: () => policy.logProbs([{ tokens: [1, 2, vocabulary + 5], promptLength: 1 }]),
      error: RangeError,
      says: 'sequences[0].tokens[2]',
    },
    {
      name: 'a negative token',
      call: () => policy.step([{ tokens: [1, -1], promptLength: 1, advantages: 1 }]),
      error: RangeError,
      says: 'sequences[0].tokens[1]',
    },
    { name: 'an empty prompt', call: () => policy.sample([new Int32Array(0)]), error: RangeError, says: 'prompts[0]' },
    {
      name: 'a prompt as long as the context',
      call: () => policy.sample([long(context)]),
      error: RangeError,
      says: `${context - 1}`,
    },
    {
      name: 'a sequence longer than the context',
      call: () => policy.logProbs([{ tokens: long(context + 1), promptLength: 1 }]),
      error: RangeError,
      says: `${context}`,
    },
    {
      name: 'n = 0',
      call: () => policy.sample([Int32Array.of(1)], { n: 0 }),
      error: RangeError,
      says: 'for n but received 0 of type number',
    },
    {
      name: 'promptLength 0',
      call: () => policy.logProbs([{ tokens: [1, 2], promptLength: 0 }]),
      error: RangeError,
      says: 'promptLength',
    },
    {
      name: 'a NaN advantage',
      call: () => policy.step(training(NaN)),
      error: RangeError,
      says: 'sequences[0].advantages',
    },
    {
      name: 'a NaN among the advantages',
      call: () => policy.step(training(Float32Array.of(1, NaN, 1))),
      error: RangeError,
      says: 'sequences[0].advantages[1]',
    },
    {
      name: 'too few advantages',
      call: () => policy.step(training(Float32Array.of(1, 1))),
      error: RangeError,
      says: 'sequences[0].advantages',
    },
    {
      name: 'ppo without old log-probs',
      call: () => policy.step(training(1), { objective: 'ppo' }),
      error: TypeError,
      says: 'oldLogProbs',
    },
    {
      name: 'a KL term without reference log-probs',
      call: () => policy.step(training(1), { kl: { coefficient: 0.1 } }),
      error: TypeError,
      says: 'referenceLogProbs',
    },
    {
      name: 'text without a tokenizer',
      call: () => policy.sample(['one']),
      error: TypeError,
      says: 'tokenizer',
    },
  ];
  test.each(wrong)('$name', async ({ call, error, says }) => {
    const sequences = [{ tokens: [1, 2, 3], promptLength: 1 }];
    const before = await policy.logProbs(sequences);
    // In an async wrapper, so that a synchronous throw counts as well.
    const failure: unknown = await (async () => call())().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(failure).toBeInstanceOf(error);
    expect((failure as Error).message).toContain(says);
    expect((failure as Error).message).toMatch(/^Expected .* for .* but received .*$/);
    const after = await policy.logProbs(sequences);
    expect(maxDifference(after[0], before[0])).toBe(0);
  });

  test('the longest prompt and sequence that fit are taken', async () => {
    const [rollout] = await policy.sample([long(context - 1)], { maxTokens: 9, stopTokens: [] });
    expect(rollout).toMatchObject({ finishReason: 'length' });
    expect(rollout.tokens).toHaveLength(1);
    const [values] = await policy.logProbs([{ tokens: long(context), promptLength: 1 }]);
    expect(values).toHaveLength(context - 1);
  });
});

describe('ending early', () => {
  let folder: string;
  let policy: Policy;
  beforeEach(async () => {
    folder = writeFixtureModel(model);
    policy = await Policy.load(folder, CPU);
  });
  afterEach(() => {
    policy.dispose();
    rmSync(folder, { recursive: true });
  });

  const many = Array.from({ length: 1500 }, (_, i) => ({
    tokens: Int32Array.from({ length: context }, (_, j) => (i + j) % vocabulary),
    promptLength: 1,
  }));
  const calls: { name: string; call: (signal: AbortSignal) => Promise<unknown> }[] = [
    {
      name: 'sample',
      call: (signal) => policy.sample([Int32Array.of(1)], { n: 20_000, maxTokens: 200, stopTokens: [], signal }),
    },
    { name: 'logProbs', call: (signal) => policy.logProbs(many, { signal }) },
    {
      name: 'step',
      call: (signal) =>
        policy.step(
          many.map((sequence) => ({ ...sequence, advantages: 1 })),
          { learningRate: 0.1, signal },
        ),
    },
  ];

  test.each(calls)('an aborted $name rejects, changes nothing and leaves the policy usable', async ({ call }) => {
    const probe = [{ tokens: [1, 2, 3], promptLength: 1 }];
    const before = await policy.logProbs(probe);
    const reason = new Error('enough');
    const controller = new AbortController();
    const pending = call(controller.signal);
    setImmediate(() => controller.abort(reason));
    await expect(pending).rejects.toBe(reason);

    const withoutReason = new AbortController();
    const second = call(withoutReason.signal);
    setImmediate(() => withoutReason.abort());
    await expect(second).rejects.toMatchObject({ code: 'ERR_ZERO_RL_ABORTED' });

    const already = new AbortController();
    already.abort(reason);
    await expect(call(already.signal)).rejects.toBe(reason);
    const after = await policy.logProbs(probe);
    expect(maxDifference(after[0], before[0])).toBe(0);
  });

  test('a stream ends at abort after the rollouts that were done', async () => {
    const controller = new AbortController();
    let seen = 0;
    const read = async () => {
      const options = { n: 20_000, maxTokens: 50, stopTokens: [], signal: controller.signal };
      for await (const rollout of policy.stream([Int32Array.of(1)], options)) {
        seen += rollout.tokens.length > 0 ? 1 : 0;
        controller.abort(new Error('enough'));
      }
    };
    await expect(read()).rejects.toThrow('enough');
    expect(seen).toBeGreaterThan(0);
  });

  test('dispose ends the work under way, and later calls say so', async () => {
    const pending = policy.logProbs(many);
    policy.dispose();
    await expect(pending).rejects.toMatchObject({ code: expect.stringMatching(/_(ABORTED|DISPOSED)$/) as string });
    policy.dispose();
    const disposed = { name: 'ZeroRlError', code: 'ERR_ZERO_RL_DISPOSED' };
    const after: (() => Promise<unknown>)[] = [
      () => policy.sample([Int32Array.of(1)]),
      () => policy.logProbs([{ tokens: [1, 2], promptLength: 1 }]),
      () => policy.step(training(1)),
      () => policy.save(folder),
    ];
    for (const call of after) await expect((async () => call())()).rejects.toMatchObject(disposed);
  });
});
