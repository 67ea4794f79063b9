/** save, the training state and create: what is written is what is read, and failures leave nothing half done. */
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Policy, type StepOptions, type TrainingSequence } from '../../src';
import { temporaryFolder } from '../support/fixture-model';
import { createTinyPolicy, tinyConfig, TOKENIZER_FOLDER } from '../support/tiny-policy';

const CPU = { device: 'cpu', threads: 2 } as const;
const batch = (step: number): TrainingSequence[] =>
  Array.from({ length: 4 }, (_, i) => ({
    tokens: Int32Array.from({ length: 12 }, (_, j) => (7 * step + 31 * i + 3 * j) % tinyConfig.vocabSize),
    promptLength: 3,
    advantages: i % 2 === 0 ? 1 : -0.5,
  }));
const options: StepOptions = { learningRate: 1e-2, weightDecay: 0.1 };
const probe = [{ tokens: Int32Array.from({ length: 40 }, (_, i) => 29 * i + 1), promptLength: 1 }];
const scores = async (policy: Policy) => Array.from((await policy.logProbs(probe))[0]);

let folder: string;
const policies: Policy[] = [];
const keep = async (policy: Promise<Policy>) => {
  policies.push(await policy);
  return policy;
};
beforeEach(() => (folder = temporaryFolder()));
afterEach(() => {
  for (const policy of policies.splice(0)) policy.dispose();
  rmSync(folder, { recursive: true });
});

describe('create', () => {
  test('the seed decides the weights; parameterCount counts tied weights once', async () => {
    const [a, b, c] = [
      await keep(createTinyPolicy({ seed: 1 })),
      await keep(createTinyPolicy({ seed: 1 })),
      await keep(createTinyPolicy({ seed: 2 })),
    ];
    const expected = await scores(a);
    expect(await scores(b)).toEqual(expected);
    expect(await scores(c)).not.toEqual(expected);
    const layer = 32 * 32 + 32 + 2 * (32 * 16 + 16) + 32 * 32 + 3 * 32 * 48 + 2 * 32;
    expect(a.parameterCount).toBe(1300 * 32 + 2 * layer + 32);
    expect(a).toMatchObject({ device: 'cpu', dtype: 'float32', optimizerSteps: 0, tokenizer: null, endTokens: [] });
  });

  test.each([
    ['layers: 0', { ...tinyConfig, layers: 0 }, 'num_hidden_layers'],
    ['heads that do not divide', { ...tinyConfig, heads: 3, kvHeads: 2 }, 'num_attention_heads'],
    ['biases that the architecture has not', { ...tinyConfig, mlpBias: true }, 'mlpBias'],
  ])('%s is refused', async (_, config, says) => {
    await expect(Policy.create(config, CPU)).rejects.toMatchObject({
      code: 'ERR_ZERO_RL_CONFIG',
      message: expect.stringContaining(says) as string,
    });
  });

  test('wrong options are refused', async () => {
    await expect(createTinyPolicy({ std: 0 })).rejects.toThrow('for std');
    await expect(createTinyPolicy({ threads: 0 })).rejects.toThrow('for threads but received 0 of type number');
    await expect(createTinyPolicy({ device: 'cuda' })).rejects.toMatchObject({ code: 'ERR_ZERO_RL_CUDA_UNAVAILABLE' });
    await expect(createTinyPolicy({ tokenizerFrom: folder })).rejects.toMatchObject({ code: 'ERR_ZERO_RL_CHECKPOINT' });
    await expect(Policy.load(folder, { dype: 'float32' } as object)).rejects.toThrow('did you mean "dtype"');
  });
});

describe('save', () => {
  test('into a new folder: weights, config, end tokens and tokenizer come back', async () => {
    const policy = await keep(createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER, endTokens: [7, 9] }));
    const target = join(folder, 'deep', 'model');
    await policy.save(target);
    expect(readdirSync(join(folder, 'deep'))).toEqual(['model']);
    expect(readdirSync(target).sort()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
    const loaded = await keep(Policy.load(target, CPU));
    expect(await scores(loaded)).toEqual(await scores(policy));
    expect(loaded.config).toEqual(policy.config);
    expect(loaded.endTokens).toEqual([7, 9]);
    expect(Array.from(loaded.tokenizer!.encode('a text'))).toEqual(Array.from(policy.tokenizer!.encode('a text')));
  });

  test('into a folder that exists: other files stay, the model is replaced', async () => {
    const first = await keep(createTinyPolicy({ seed: 1 }));
    const second = await keep(createTinyPolicy({ seed: 2 }));
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    await first.save(folder);
    await second.save(folder);
    expect(readdirSync(folder).sort()).toEqual(['config.json', 'model.safetensors', 'notes.txt']);
    expect(await scores(await keep(Policy.load(folder, CPU)))).toEqual(await scores(second));
  });

  test.each([
    ['F32', 'float32', 4],
    ['BF16', 'bfloat16', 2],
    ['F16', 'float16', 2],
  ] as const)('dtype %s', async (dtype, name, bytes) => {
    const policy = await keep(createTinyPolicy());
    await policy.save(folder, { dtype });
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
    expect(config.torch_dtype).toBe(name);
    const size = readFileSync(join(folder, 'model.safetensors')).length;
    expect(size).toBeGreaterThan(bytes * policy.parameterCount);
    expect(size).toBeLessThan(bytes * policy.parameterCount + 10_000);
    const [before, after] = [await scores(policy), await scores(await keep(Policy.load(folder, CPU)))];
    const worst = Math.max(...before.map((value, i) => Math.abs(value - after[i])));
    expect(worst).toBeLessThan(dtype === 'F32' ? 1e-30 : 0.5);
  });

  test('the weights are those of the call, whatever is asked for meanwhile', async () => {
    const policy = await keep(createTinyPolicy());
    const before = await scores(policy);
    const saved = policy.save(join(folder, 'a'));
    const stepped = policy.step(batch(0), options);
    await Promise.all([saved, stepped]);
    expect(await scores(policy)).not.toEqual(before);
    expect(await scores(await keep(Policy.load(join(folder, 'a'), CPU)))).toEqual(before);
  });

  test('a place that cannot be written is one error, and the policy goes on', async () => {
    const policy = await keep(createTinyPolicy());
    const file = join(folder, 'file');
    writeFileSync(file, 'x');
    const refused = { name: 'ZeroRlError', code: 'ERR_ZERO_RL_OUTPUT' };
    await expect(policy.save(file)).rejects.toMatchObject(refused);
    await expect(policy.save(join(file, 'below'))).rejects.toMatchObject(refused);
    await expect(policy.saveTrainingState(join(file, 'below'))).rejects.toMatchObject(refused);
    expect(readFileSync(file, 'utf8')).toBe('x');
    expect(readdirSync(folder)).toEqual(['file']);
    await expect(policy.save('')).rejects.toThrow(RangeError);
    await expect(policy.save(folder, { dtype: 'F64' as 'F32' })).rejects.toThrow('for dtype');
    await expect(policy.logProbs(probe)).resolves.toHaveLength(1);
  });

  test('dispose ends a save and leaves no half-written folder', async () => {
    const policy = await keep(createTinyPolicy());
    const saving = policy.save(join(folder, 'model'));
    policy.dispose();
    await expect(saving).rejects.toMatchObject({ code: 'ERR_ZERO_RL_ABORTED' });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('training state', () => {
  test.each(['float32', 'bfloat16'] as const)('training goes on bit for bit after a resume, %s', async (dtype) => {
    const straight = await keep(createTinyPolicy({ dtype }));
    for (let step = 0; step < 3; step++) await straight.step(batch(step), options);
    await straight.save(folder);
    await straight.saveTrainingState(folder);
    expect(existsSync(join(folder, 'optimizer.safetensors'))).toBe(true);

    const resumed = await keep(Policy.load(folder, { ...CPU, dtype }));
    await resumed.loadTrainingState(folder);
    expect(resumed.optimizerSteps).toBe(3);
    for (let step = 3; step < 6; step++) {
      const [a, b] = [await straight.step(batch(step), options), await resumed.step(batch(step), options)];
      expect({ ...b, seconds: 0 }).toEqual({ ...a, seconds: 0 });
    }
    expect(await scores(resumed)).toEqual(await scores(straight));
    expect(resumed.optimizerSteps).toBe(6);
  });

  test('a save has the tokenizer also when the folder that the policy came from is gone', async () => {
    const source = join(folder, 'source');
    const made = await keep(createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER }));
    await made.save(source);
    const policy = await keep(Policy.load(source, CPU));
    rmSync(source, { recursive: true });
    await policy.save(join(folder, 'target'));
    expect(existsSync(join(folder, 'target', 'tokenizer.json'))).toBe(true);
  });

  test('without the state training goes on differently', async () => {
    const straight = await keep(createTinyPolicy());
    await straight.step(batch(0), options);
    await straight.save(folder);
    const fresh = await keep(Policy.load(folder, CPU));
    expect(fresh.optimizerSteps).toBe(0);
    await straight.step(batch(1), options);
    await fresh.step(batch(1), options);
    expect(await scores(fresh)).not.toEqual(await scores(straight));
  });

  test('a missing, truncated or foreign file is refused and changes nothing', async () => {
    const policy = await keep(createTinyPolicy());
    await policy.step(batch(0), options);
    const before = await scores(policy);
    const refused = { name: 'ZeroRlError', code: 'ERR_ZERO_RL_CHECKPOINT' };
    await expect(policy.loadTrainingState(folder)).rejects.toMatchObject(refused);

    const other = await keep(Policy.create({ ...tinyConfig, layers: 1 }, CPU));
    await other.saveTrainingState(folder);
    await expect(policy.loadTrainingState(folder)).rejects.toMatchObject(refused);

    await policy.saveTrainingState(folder);
    truncateSync(join(folder, 'optimizer.safetensors'), 1000);
    await expect(policy.loadTrainingState(folder)).rejects.toMatchObject(refused);
    expect(await scores(policy)).toEqual(before);
    expect(policy.optimizerSteps).toBe(1);
  });
});

describe('dispose', () => {
  test('is idempotent, also through using, and a disposed policy says so', async () => {
    let inner: Policy;
    {
      using policy = await createTinyPolicy();
      inner = policy;
    }
    inner.dispose();
    const disposed = expect.objectContaining({ code: 'ERR_ZERO_RL_DISPOSED' }) as Error;
    expect(() => inner.optimizerSteps).toThrow(disposed);
    expect(() => inner.stream([[1]])).toThrow(disposed);
    await expect(inner.saveTrainingState(folder)).rejects.toEqual(disposed);
    await expect(inner.loadTrainingState(folder)).rejects.toEqual(disposed);
  });

  test('an error names the line of the caller', async () => {
    const policy = await createTinyPolicy();
    policy.dispose();
    const failure = await policy.logProbs(probe).catch((error: unknown) => error);
    expect((failure as Error).stack).toContain('policy-save.test.ts');
  });
});
