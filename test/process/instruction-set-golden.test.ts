/**
 * Every instruction set with 1 to 4 threads against transformers and float64 PyTorch: the golden cases of test/native in
 * the tolerances that hold there.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StepStats } from '../../src/policy/types';
import { childProgram, runChild } from '../support/child';
import { temporaryFolder, writeFixtureModel } from '../support/fixture-model';
import { decodeFloats, logitsGolden, maxDifference, stepsGolden } from '../support/golden';
import { readSafetensors } from '../support/read-safetensors';

interface Outcome {
  instructionSet: string;
  results: {
    threads: number;
    logits: number[][][][];
    steps: { stats: StepStats[]; saved: string }[];
  }[];
}

// One of each kind, the smallest; grouped and multi-query heads, biases, norms of heads, of projections and after sublayers,
// layers that do not rotate, tied and free heads.
const logits = logitsGolden();
const logitsCases = logits.cases.filter(({ name }) =>
  [
    'qwen2-grouped-tied',
    'qwen3-multihead-linear-rope',
    'llama-multiquery-llama3-rope',
    'olmo2-multihead-bias-tied',
    'smollm3-multiquery-list-bias',
  ].includes(name),
);
const steps = stepsGolden();
const stepsCases = steps.cases.filter(({ name }) =>
  ['qwen2-reinforce-token-mean', 'qwen3-ppo-k2-seq-mean-token-mean', 'olmo2-ppo-k3-token-mean'].includes(name),
);

let folder: string;
let jobs: string;
beforeAll(() => {
  folder = temporaryFolder();
  jobs = join(folder, 'jobs.json');
  const content = {
    logits: logitsCases.map((model) => ({
      folder: writeFixtureModel(model),
      sequences: model.sequences.map(({ tokens, promptLength }) => ({ tokens, promptLength })),
      temperatures: logits.temperatures,
    })),
    steps: stepsCases.map((model) => ({
      folder: writeFixtureModel(model),
      batches: model.batches,
      options: model.options,
      steps: steps.steps,
      output: join(folder, model.name),
    })),
  };
  writeFileSync(jobs, JSON.stringify(content));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The set that this processor runs when `wanted` is asked for: the best one below it. */
function expectedSet(wanted: string): string {
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' ') ?? [];
  const has = (...names: string[]): boolean => names.every((name) => flags.includes(name));
  const avx2 = has('avx2', 'fma', 'f16c');
  const avx512 = avx2 && has('avx512f', 'avx512bw', 'avx512dq', 'avx512vl');
  const best = [
    ...(avx2 ? ['avx2'] : []),
    ...(avx512 ? ['avx512'] : []),
    ...(avx512 && has('avx512_bf16') ? ['avx512bf16'] : []),
    ...(avx512 && has('avx512_bf16', 'amx_tile', 'amx_bf16') ? ['amx'] : []),
  ];
  if (wanted.startsWith('avx512') || wanted === 'amx')
    return best.includes(wanted) ? wanted : (best.at(-1) ?? 'portable');
  return wanted !== 'portable' && avx2 ? 'avx2' : 'portable';
}

describe.each(['portable', 'avx2', 'avx512', 'avx512bf16', 'amx'])('%s', (set) => {
  let outcome: Outcome;
  beforeAll(async () => {
    const ended = await runChild([childProgram('golden.cjs'), jobs], { env: { ZERO_RL_ISA: set } });
    // Up to four threads, on however few processors.
    expect(ended.stderr.replace(/^zero-rl: warn: \d threads share .*\n/gm, '')).toBe('');
    outcome = JSON.parse(ended.stdout) as Outcome;
  });

  test('is what runs, with one to four threads', () => {
    expect(outcome.instructionSet).toBe(expectedSet(set));
    expect(outcome.results.map(({ threads }) => threads)).toEqual([1, 2, 3, 4]);
  });

  test.each(logitsCases.map(({ name }, index) => ({ name, index })))(
    'log-probs of $name are within 1e-4 at every temperature',
    ({ index }) => {
      for (const { logits: computed } of outcome.results) {
        logits.temperatures.forEach((_, temperature) => {
          logitsCases[index].sequences.forEach(({ logProbs }, i) => {
            const actual = computed[index][temperature][i];
            expect(maxDifference(actual, decodeFloats(logProbs[temperature]))).toBeLessThan(1e-4);
          });
        });
      }
    },
  );

  test.each(stepsCases.map(({ name }, index) => ({ name, index })))(
    'ten steps of $name end within 2e-5 of float64',
    ({ index }) => {
      const reference = stepsCases[index];
      for (const result of outcome.results) {
        const { stats, saved } = result.steps[index];
        stats.forEach((values, step) => {
          const expected = reference.stats[step];
          expect(Math.abs(values.loss - expected.loss)).toBeLessThan(1e-4);
          expect(Math.abs(values.gradNorm / expected.gradNorm - 1)).toBeLessThan(1e-4);
        });
        const weights = readSafetensors(saved);
        for (const [name, values] of Object.entries(reference.final)) {
          expect(maxDifference(weights.get(name)!.values, decodeFloats(values))).toBeLessThan(2e-5);
        }
      }
    },
  );
});
