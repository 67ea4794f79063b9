/**
 * Suites of held-out problems for `zero-rl eval`. A suite is written with the keys of a training config, so that a model is
 * evaluated as it was during training: the config of a run is a suite as it stands.
 */
import { resolve } from 'node:path';
import { z } from 'zod';
import { ZeroRlError } from '../errors';
import type { PolicyOptions } from '../policy/types';
import { timed } from '../profile/spans';
import type { TrainConfig, TrainConfigInput } from '../training/config';
import { evaluate, knownGroups, rightShare, type Evaluation } from '../training/evaluate';
import { checkSchema, readYamlFile, resolveConfig } from '../training/load-config';
import { loadInputs } from '../training/open-run';
import type { Sample } from '../training/rollouts';
import type { EvaluationProgress } from '../training/sample-and-score';
import { loadPolicy as defaultLoadPolicy, type LoadPolicy } from '../training/training-policy';
import { stopIdleVerifiers } from '../verifier';
import { comparePaired, type PairedComparison } from './statistics';

const severalSchema = z.strictObject({ suites: z.array(z.record(z.string(), z.unknown())).min(1) });

/** Keys of a training config that say nothing on how to evaluate. */
const OTHER_KEYS = ['model', 'output', 'steps', 'checkpoint', 'rollouts', 'optimizer', 'algorithm', 'kl', 'critic'];

/** A suite and the problems' results under one model. */
export interface SuiteResult {
  suite: string;
  evaluation: Evaluation;
  samples: Sample[];
}

export interface SuiteComparison {
  suite: string;
  first: Evaluation;
  second: Evaluation;
  /** Of the share of right samples of each problem that has a known verdict under both models. */
  accuracy: PairedComparison;
}

/**
 * Reads a suite file: the keys `name`, `data`, `reward`, `rollout` (limits of a completion), `evaluation` and `seed` of a
 * training config, the others ignored, or `suites: [...]`, several of these.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` naming the wrong key
 */
export function readSuites(file: string): TrainConfig[] {
  const content = readYamlFile(file);
  const several = 'suites' in content ? checkSchema(severalSchema, content, file).suites : [content];
  const suites = several.map((suite, i) => {
    const data = (suite.data ?? {}) as Record<string, unknown>;
    const kept = Object.fromEntries(Object.entries(suite).filter(([key]) => !OTHER_KEYS.includes(key)));
    // Problems to train on are not needed: the generator stands in for them.
    const held = data.evaluation === undefined ? data : { ...data, train: 'arithmetic', count: 1 };
    const input = { name: `suite-${i + 1}`, ...kept, data: held, model: '.' };
    return resolveConfig(input as unknown as TrainConfigInput, several.length > 1 ? `suite ${i + 1} of ${file}` : file);
  });
  const names = suites.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new ZeroRlError('ERR_ZERO_RL_CONFIG', `Two suites of ${file} are called ${twice}; give each a name`);
  return suites;
}

export interface EvaluateModelOptions extends PolicyOptions {
  signal?: AbortSignal;
  warn?: (message: string) => void;
  onSuite?: (suite: string) => void;
  /** Told often how far the suite is. */
  onProgress?: (progress: EvaluationProgress) => void;
  /** Default `Policy.load`. */
  loadPolicy?: LoadPolicy;
}

/**
 * Evaluates a model folder on suites, one after the other. The same suites, seeds and problems give the same randomness to
 * every model, so that results pair.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_CHECKPOINT`, `_DATA`, or `_CONFIG` for a suite without held-out problems
 */
export async function evaluateModel(
  model: string,
  suites: readonly TrainConfig[],
  options: EvaluateModelOptions = {},
): Promise<SuiteResult[]> {
  const { device, dtype, threads, signal, warn = () => undefined, loadPolicy = defaultLoadPolicy } = options;
  const policy = await loadPolicy(model, { device, dtype, threads });
  try {
    const results: SuiteResult[] = [];
    for (const suite of suites) {
      options.onSuite?.(suite.name);
      const config = { ...suite, model: resolve(model) };
      const { heldOut: problems, template, reward, closeReward } = await loadInputs(config, { warn });
      try {
        if (problems.length === 0)
          throw new ZeroRlError('ERR_ZERO_RL_CONFIG', `The suite ${suite.name} has no problems; set data.evaluation`);
        const result = await timed('evaluation', () =>
          evaluate({ policy, problems, template, reward, config, signal, onProgress: options.onProgress }),
        );
        results.push({ suite: suite.name, ...result });
      } finally {
        closeReward();
      }
    }
    return results;
  } finally {
    policy.dispose();
    stopIdleVerifiers();
  }
}

/** Pairs the results of two models on the same suites. */
export function compareResults(first: readonly SuiteResult[], second: readonly SuiteResult[]): SuiteComparison[] {
  return first.map((result, i) => {
    const shares = ({ samples }: SuiteResult): Map<number, number> =>
      new Map(knownGroups(samples).map((group) => [group[0].group, rightShare(group)]));
    const [one, two] = [shares(result), shares(second[i])];
    const both = [...one.keys()].filter((group) => two.has(group));
    return {
      suite: result.suite,
      first: result.evaluation,
      second: second[i].evaluation,
      accuracy: comparePaired(
        both.map((group) => one.get(group) ?? 0),
        both.map((group) => two.get(group) ?? 0),
      ),
    };
  });
}
