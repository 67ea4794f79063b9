import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Policy } from '../../src/policy/policy';
import { findDamage } from '../../src/training/checksums';
import { resolvePretrainConfig } from '../../src/training/load-pretrain-config';
import { documentSequences, pretrain, type PretrainMetrics, type PretrainOptions } from '../../src/training/pretrain';
import { modelConfig, type PretrainConfig } from '../../src/training/pretrain-config';
import { openCorpus } from '../../src/training/pretrain-corpus';
import { isLocked } from '../../src/training/run-lock';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'zero-rl-pretrain-'))));
afterAll(() => rm(folder, { recursive: true }));

function smallConfig(name: string): PretrainConfig {
  return resolvePretrainConfig({
    output: join(folder, name),
    seed: 3,
    corpus: { generator: 'arithmetic', heldOutDocuments: 8 },
    model: { hiddenSize: 32, intermediateSize: 64, layers: 2, heads: 2, kvHeads: 1, maxPositions: 128, initStd: 0.08 },
    steps: 12,
    documentsPerStep: 4,
    learningRate: { peak: 0.01, warmupSteps: 2 },
    checkpoints: [4, 8],
    evaluateEvery: 6,
    saveDtype: 'float32',
  });
}

const engine = { device: 'cpu', threads: 1 } as const;

async function collect(config: PretrainConfig, options: PretrainOptions = {}): Promise<PretrainMetrics[]> {
  const steps: PretrainMetrics[] = [];
  for await (const metrics of pretrain(config, { ...engine, ...options })) steps.push(metrics);
  return steps;
}

/** Stops after `last` steps as Ctrl-C does. */
async function interrupt(config: PretrainConfig, last: number): Promise<PretrainMetrics[]> {
  const abort = new AbortController();
  const steps: PretrainMetrics[] = [];
  for await (const metrics of pretrain(config, { ...engine, signal: abort.signal })) {
    steps.push(metrics);
    if (metrics.step === last) abort.abort();
  }
  return steps;
}

/** What does not depend on the clock. */
const deterministic = (metrics: PretrainMetrics) => ({ ...metrics, tokensPerSecond: 0 });

describe('pretrain', () => {
  test('reports the cross-entropy of its batches, learns, and leaves folders that load', async () => {
    const config = smallConfig('whole');
    const steps = await collect(config);
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));

    using final = await Policy.load(config.output, engine);
    const [separator] = final.endTokens;
    const corpus = await openCorpus(config.corpus, config.seed);
    const sequences = [0, 1, 2, 3].flatMap((index) =>
      documentSequences(final.tokenizer!.encode(corpus.document(index), { addSpecialTokens: false }), separator, 128),
    );
    using untrained = await Policy.create(modelConfig(config, final.config.vocabSize), {
      ...engine,
      seed: 3,
      std: 0.08,
    });
    const logProbs = (await untrained.logProbs(sequences)).flatMap((values) => [...values]);
    const crossEntropy = -logProbs.reduce((sum, value) => sum + value, 0) / logProbs.length;
    expect(steps[0].loss).toBeCloseTo(crossEntropy, 5);
    expect(steps[0].tokens).toBe(logProbs.length);

    const heldOut = steps.map(({ heldOutLoss }) => heldOutLoss);
    expect(heldOut.map((loss) => loss !== null)).toEqual(steps.map(({ step }) => step % 6 === 0));
    expect(heldOut[11]!).toBeLessThan(heldOut[5]!);
    expect(heldOut[11]!).toBeLessThan(0.8 * steps[0].loss);

    using earlier = await Policy.load(join(config.output, 'checkpoints', 'step-4'), engine);
    expect(earlier.config).toEqual(final.config);
    expect(earlier.tokenizer?.encode('12+3')).toEqual(final.tokenizer?.encode('12+3'));
    expect(await readdir(config.output)).not.toContain('state');
  });

  test('goes on after an interruption to the very same weights', async () => {
    const whole = smallConfig('uninterrupted');
    const broken = smallConfig('interrupted');
    const expected = await collect(whole);
    const before = await interrupt(broken, 5);
    const after = await collect(broken, { resume: true });
    expect([...before, ...after].map(deterministic)).toEqual(expected.map(deterministic));
    const weights = (config: PretrainConfig) => readFile(join(config.output, 'model.safetensors'));
    expect((await weights(broken)).equals(await weights(whole))).toBe(true);
    using later = await Policy.load(join(broken.output, 'checkpoints', 'step-8'), engine);
    expect(later.tokenizer?.vocabSize).toBe(later.config.vocabSize);
    expect(await collect(broken, { resume: true })).toEqual([]);
    const logged = (await readFile(join(broken.output, 'metrics.jsonl'), 'utf8')).trim().split('\n');
    expect(logged.map((line) => (JSON.parse(line) as PretrainMetrics).step)).toEqual(expected.map(({ step }) => step));
  });

  test('drops the log of steps that a killed run did not save', async () => {
    const config = smallConfig('killed');
    await interrupt(config, 3);
    const log = join(config.output, 'metrics.jsonl');
    await appendFile(log, '{"step":4,"loss":9}\n{"step":5,"lo');
    await collect(config, { resume: true });
    const logged = (await readFile(log, 'utf8')).trim().split('\n');
    expect(logged.map((line) => (JSON.parse(line) as PretrainMetrics).step)).toEqual(
      Array.from({ length: 12 }, (_, i) => i + 1),
    );
    expect(logged.join()).not.toContain('"loss":9}');
  });

  test('refuses to overwrite a run, to resume none, and to resume with other settings', async () => {
    const config = smallConfig('guarded');
    await expect(collect(config, { resume: true })).rejects.toMatchObject({ code: 'ERR_ZERO_RL_CONFIG' });
    await interrupt(config, 1);
    await expect(collect(config)).rejects.toThrow(/--resume or choose another output/);
    await expect(collect({ ...config, seed: 4 }, { resume: true })).rejects.toThrow(/other settings/);
  });

  test('goes on from the state before a damaged one, and refuses where all are damaged', async () => {
    const config = { ...smallConfig('damaged'), saveEvery: 2 };
    await interrupt(config, 5);
    const states = join(config.output, 'state');
    expect((await readdir(states)).sort()).toEqual(['step-4', 'step-5']);
    const flip = async (step: number): Promise<void> => {
      const file = join(states, `step-${step}`, 'optimizer.safetensors');
      const bytes = await readFile(file);
      bytes[bytes.length - 1] ^= 1;
      await writeFile(file, bytes);
    };
    await flip(5);
    await flip(4);
    const warnings: string[] = [];
    const options = { resume: true, warn: (message: string) => warnings.push(message) };
    await expect(collect(config, options)).rejects.toMatchObject({ code: 'ERR_ZERO_RL_CHECKPOINT' });
    expect((await readdir(states)).sort()).toEqual(['step-4', 'step-5']);
    expect(warnings).toEqual([]);
    await flip(4);
    const steps = await collect(config, options);
    expect(steps[0].step).toBe(5);
    expect(warnings).toEqual([expect.stringMatching(/state of step 5 is damaged .* goes on from that of step 4/)]);
    expect(await findDamage(join(config.output, 'checkpoints', 'step-8'))).toBeNull();
    expect(await readdir(join(config.output, 'checkpoints', 'step-8'))).toContain('SHA256SUMS');
  });

  test('an output is written by one pre-training at a time', async () => {
    const config = smallConfig('locked');
    const first = pretrain(config, engine);
    await first.next();
    await expect(collect(config)).rejects.toMatchObject({ code: 'ERR_ZERO_RL_OUTPUT' });
    await first.return(undefined);
    expect(isLocked(config.output)).toBe(false);
  });

  test.each(['step', 'logProbs'] as const)(
    'an abort within %s saves the state, and nothing differs later',
    async (call) => {
      const whole = await collect(smallConfig(`whole-${call}`));
      const config = smallConfig(`aborted-${call}`);
      const abort = new AbortController();
      const original = Reflect.get(Policy.prototype, call) as (...parameters: unknown[]) => Promise<unknown>;
      let calls = 0;
      const spy = jest.spyOn(Policy.prototype, call as 'step').mockImplementation(function (
        this: Policy,
        ...parameters
      ) {
        if (++calls === (call === 'step' ? 3 : 1)) abort.abort();
        return original.apply(this, parameters) as ReturnType<Policy['step']>;
      });
      const before = await collect(config, { signal: abort.signal });
      spy.mockRestore();
      expect(before.map(({ step }) => step)).toEqual(call === 'step' ? [1, 2] : [1, 2, 3, 4, 5]);
      const after = await collect(config, { resume: true });
      expect([...before, ...after].map(deterministic)).toEqual(whole.map(deterministic));
    },
  );
});
