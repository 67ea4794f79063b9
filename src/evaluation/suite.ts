/**
 * Suites of held-out problems for `zero-rl eval`. A suite is written with the keys of a training config, so that a model is
 * evaluated as it was during training: the config of a run is a suite as it stands.
 */
import { z } from 'zod';
import { ZeroRlError } from '../errors';
import { isJsonObject } from '../json-object';
import type { PolicyOptions } from '../policy/types';
import { timed } from '../profile/spans';
import type { TrainConfig, TrainConfigInput } from '../training/config';
import { evaluate, knownGroups, rightShare, type Evaluation } from '../training/evaluate';
import { checkSchema, readYamlFile, resolveConfig } from '../training/load-config';
import { loadHeldOut } from '../training/load-data';
import { loadTask, type TaskOptions } from '../training/load-task';
import { locateModel } from '../training/locate-model';
import { openPolicy } from '../training/open-policy';
import { fittingProblems } from '../training/prompt-length';
import { checkTimeouts, type Sample } from '../training/rollouts';
import type { EvaluationProgress } from '../training/sample-and-score';
import {
  abortable,
  loadPolicy as defaultLoadPolicy,
  type LoadPolicy,
  type TrainingPolicy,
} from '../training/training-policy';
import { stopIdleVerifiers } from '../verifier';
import { comparePaired, type PairedComparison } from './statistics';

const severalSchema = z.strictObject({ suites: z.array(z.record(z.string(), z.unknown())).min(1) });

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
  /** Of the share of right samples of each problem that has a known verdict under both models; null where none has. */
  accuracy: PairedComparison | null;
}

/**
 * Reads a suite file: a training config, or `suites: [...]`, several of these. Where `data.evaluation` names the problems, neither
 * `data.train` nor `model` is needed. What is evaluated and how is said by `name`, `data`, `environment`, `reward`, `rollout`
 * (limits of a completion), `evaluation`, `dtype`, `device`, `threads` and `memoryMiB`; the other keys are checked as in training, and no more.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` naming the wrong key
 */
export function readSuites(file: string, hint?: (message: string) => void): TrainConfig[] {
  const content = readYamlFile(file);
  const several = 'suites' in content ? checkSchema(severalSchema, content, file).suites : [content];
  const suites = several.map((suite, i) => {
    const { data } = suite;
    // Problems to train on are not loaded; the name of a generator stands in for them.
    const held = isJsonObject(data) && data.evaluation !== undefined ? { train: 'arithmetic', ...data } : data;
    const input = { name: `suite-${i + 1}`, model: '.', ...suite, data: held };
    const where = several.length > 1 ? `suite ${i + 1} of ${file}` : file;
    return resolveConfig(input as unknown as TrainConfigInput, where, hint);
  });
  const names = suites.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new ZeroRlError('ERR_ZERO_RL_CONFIG', `Two suites of ${file} are called ${twice}; give each a name`);
  return suites;
}

/** Where the engine's options are left out, those of each suite count. */
export interface EvaluateModelOptions
  extends Pick<PolicyOptions, 'device' | 'dtype' | 'threads' | 'memoryMiB'>, Partial<TaskOptions> {
  signal?: AbortSignal;
  onSuite?: (suite: string) => void;
  /** Told often how far the suite is. */
  onProgress?: (progress: EvaluationProgress) => void;
  /** Default `Policy.load`. */
  loadPolicy?: LoadPolicy;
}

/** The suite with the engine's options in force. A policy that stands still needs no masters and has no moments. */
function withEngine(suite: TrainConfig, options: EvaluateModelOptions): TrainConfig {
  const { device = suite.device, dtype = suite.dtype, threads = suite.threads, memoryMiB = suite.memoryMiB } = options;
  return { ...suite, device, dtype, threads, memoryMiB, masterWeights: dtype === 'float32', moments: 'device' };
}

/**
 * Evaluates a model, a folder or `org/name[@revision]` of the hub, on suites, one after the other. The same suites, seeds and
 * problems give the same randomness to every model, so that results pair.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_CHECKPOINT`, `_HUB`, `_DATA`, or `_CONFIG` for a suite without held-out problems
 */
export async function evaluateModel(
  model: string,
  suites: readonly TrainConfig[],
  options: EvaluateModelOptions = {},
): Promise<SuiteResult[]> {
  const { signal, warn = () => undefined, onProgress } = options;
  const loadPolicy = abortable(options.loadPolicy ?? defaultLoadPolicy, signal);
  const { folder } = await locateModel(model, signal);
  let loaded: { engine: string; policy: TrainingPolicy } | null = null;
  const load: LoadPolicy = async (_, engine) => {
    const key = JSON.stringify(engine);
    if (loaded?.engine === key) return loaded.policy;
    loaded?.policy.dispose();
    loaded = null;
    loaded = { engine: key, policy: await loadPolicy(folder, engine) };
    return loaded.policy;
  };
  const results: SuiteResult[] = [];
  try {
    for (const suite of suites.map((each) => withEngine(each, options))) {
      options.onSuite?.(suite.name);
      const { closeReward, checkProblems, needs, ...task } = await loadTask(suite, { ...options, warn });
      try {
        const { heldOut: problems } = await loadHeldOut(suite, { warn, signal, needs });
        if (problems.length === 0)
          throw new ZeroRlError('ERR_ZERO_RL_CONFIG', `The suite ${suite.name} has no problems; set data.evaluation`);
        // That some reward is for none of them says nothing: a run may train on more sources.
        checkProblems(problems);
        const result = await timed('evaluation', async () => {
          const opened = { ...task, ...(await openPolicy(folder, suite, load, task)), signal };
          const fitting = await fittingProblems('held-out', problems, { ...opened, warn });
          return evaluate({ ...opened, problems: fitting, onProgress });
        });
        checkTimeouts(result.samples);
        results.push({ suite: suite.name, ...result });
      } finally {
        closeReward();
      }
    }
    return results;
  } finally {
    (loaded as { policy: TrainingPolicy } | null)?.policy.dispose();
    stopIdleVerifiers();
  }
}

/** Pairs the results of two models on the same suites. */
export function compareResults(first: readonly SuiteResult[], second: readonly SuiteResult[]): SuiteComparison[] {
  return first.map((result, i) => {
    // By what the problems are: a model whose context is shorter may lack some.
    const shares = ({ samples }: SuiteResult): Map<string, number> =>
      new Map(
        knownGroups(samples).map((group) => {
          const { id, problem } = group[0].prompt.problem;
          return [JSON.stringify([id, problem]), rightShare(group)];
        }),
      );
    const [one, two] = [shares(result), shares(second[i])];
    const both = [...one.keys()].filter((group) => two.has(group));
    return {
      suite: result.suite,
      first: result.evaluation,
      second: second[i].evaluation,
      accuracy:
        both.length === 0
          ? null
          : comparePaired(
              both.map((group) => one.get(group) ?? 0),
              both.map((group) => two.get(group) ?? 0),
            ),
    };
  });
}
