/**
 * What a run does, as a value: which models it loads and how, what it asks of the policy and the critic, what it writes and what
 * it says. Two configs differ in effect exactly where their traces differ; the configs themselves are no part of it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type {
  CriticStepOptions,
  PolicyOptions,
  SampleOptions,
  Sequence,
  StepOptions,
  TrainingSequence,
  ValueSequence,
} from '../../src/policy/types';
import type { TrainConfigInput } from '../../src/training/config';
import { readRows, type MetricsRow, type SampleRow } from '../../src/training/run-folder';
import { train } from '../../src/training/train';
import type { TrainEvent } from '../../src/training/train-event';
import type { TrainingCritic } from '../../src/training/training-policy';
import { BanditCritic, BanditPolicy } from './bandit-policy';

export interface Trace {
  load: { directory: string; options: PolicyOptions }[];
  criticLoad: string[];
  /** Texts that were made into prompts, in order, and whether with special tokens. */
  prompts: string[];
  specialTokens: unknown[];
  /** `by`: index of the policy in `load`. */
  sample: { by: number; prompts: number; options: Omit<SampleOptions, 'signal'> }[];
  logProbs: { by: number; temperature: unknown }[];
  step: { options: Omit<StepOptions, 'signal'>; advantages: number[] }[];
  criticStep: { options: Omit<CriticStepOptions, 'signal'>; returns: number[] }[];
  follow: { by: number; rate: number }[];
  folder: string;
  output: string;
  files: string[];
  rollouts: Partial<SampleRow>[];
  /** Samples of evaluations. */
  held: Partial<SampleRow>[];
  evaluations: Record<string, unknown>[];
  metrics: Record<string, unknown>[];
  watchdog: number;
  events: string[];
  warnings: string[];
  error: string;
}

const numbers = (values: number | ArrayLike<number>): number[] =>
  typeof values === 'number' ? [values] : Array.from(values);

function withoutSignal<T extends { signal?: AbortSignal }>(options: T): Omit<T, 'signal'> {
  return { ...options, signal: undefined };
}

/** A row without times and sizes of the machine, which would make two equal runs differ. */
function figures(row: MetricsRow): Record<string, unknown> {
  const kept: Record<string, unknown> = { ...row, seconds: 0, tokensPerSecond: 0, memoryMiB: 0 };
  for (const key of ['evaluation', 'emaEvaluation'])
    if (typeof kept[key] === 'object') kept[key] = { ...kept[key], seconds: 0 };
  return kept;
}

function allFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.includes('tfevents'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/** Runs a config on policies that record what is asked of them. */
export async function traceRun(config: TrainConfigInput): Promise<Trace> {
  const trace: Trace = {
    ...{ load: [], criticLoad: [], prompts: [], specialTokens: [], sample: [], logProbs: [], step: [], criticStep: [] },
    ...{
      follow: [],
      folder: '',
      output: '',
      files: [],
      rollouts: [],
      held: [],
      evaluations: [],
      metrics: [],
      watchdog: 0,
    },
    ...{ events: [], warnings: [], error: '' },
  };

  class RecordingCritic extends BanditCritic {
    override step(
      sequences: readonly ValueSequence[],
      options: CriticStepOptions = {},
    ): ReturnType<BanditCritic['step']> {
      const kept = withoutSignal(options);
      trace.criticStep.push({ options: kept, returns: sequences.flatMap(({ returns }) => numbers(returns)) });
      return super.step(sequences, options);
    }
  }

  class RecordingPolicy extends BanditPolicy {
    by = 0;
    override encodePrompt(prompt: unknown, special?: unknown): Int32Array {
      // The turns of an episode come back as tokens.
      if (prompt instanceof Int32Array) return prompt;
      trace.prompts.push(String(prompt));
      trace.specialTokens.push(special);
      return super.encodePrompt(prompt);
    }
    /** Completions are cut off at maxTokens. */
    override async sample(
      prompts: readonly unknown[],
      options: SampleOptions = {},
    ): ReturnType<BanditPolicy['sample']> {
      const kept = withoutSignal(options);
      trace.sample.push({ by: this.by, prompts: prompts.length, options: kept });
      const { maxTokens = Infinity } = options;
      return (await super.sample(prompts, options)).map((rollout) =>
        rollout.tokens.length <= maxTokens
          ? rollout
          : {
              ...rollout,
              tokens: rollout.tokens.slice(0, maxTokens),
              logProbs: rollout.logProbs.slice(0, maxTokens),
              finishReason: 'length',
            },
      );
    }
    override logProbs(
      sequences: readonly Sequence[],
      options?: { temperature?: number },
    ): ReturnType<BanditPolicy['logProbs']> {
      trace.logProbs.push({ by: this.by, temperature: options?.temperature });
      return super.logProbs(sequences);
    }
    override step(sequences: readonly TrainingSequence[], options: StepOptions = {}): ReturnType<BanditPolicy['step']> {
      const kept = withoutSignal(options);
      trace.step.push({ options: kept, advantages: sequences.flatMap(({ advantages }) => numbers(advantages)) });
      return super.step(sequences, options);
    }
    override follow(other: BanditPolicy, rate: number): Promise<void> {
      trace.follow.push({ by: this.by, rate });
      return super.follow(other, rate);
    }
    override save(directory: string): Promise<void> {
      mkdirSync(directory, { recursive: true });
      return super.save(directory);
    }
    trunkCritic(): TrainingCritic {
      trace.criticLoad.push('trunk');
      return new RecordingCritic();
    }
  }

  const say = (event: TrainEvent): void => {
    trace.events.push(event.type === 'phase' ? `phase ${event.phase}` : event.type);
    if (event.type === 'start') trace.folder = event.folder;
    // Sentences may name the folder, which has the time in its name.
    if (event.type === 'warning') trace.warnings.push(event.message.replaceAll(trace.folder || '\0', 'RUN'));
  };
  try {
    const steps = train(config, {
      loadPolicy: (directory, options) => {
        const policy = new RecordingPolicy();
        policy.by = trace.load.length;
        trace.load.push({ directory, options });
        return Promise.resolve(policy);
      },
      loadCritic: (directory) => {
        trace.criticLoad.push(directory);
        return Promise.resolve(new RecordingCritic());
      },
      onEvent: say,
    });
    while (!(await steps.next()).done);
  } catch (error) {
    trace.error = (error as Error).message.replaceAll(trace.folder || '\0', 'RUN');
  }
  const { folder } = trace;
  if (folder === '') return trace;
  const rows = readRows<MetricsRow>(join(folder, 'metrics.jsonl'));
  trace.metrics = rows.filter(({ step }) => step > 0).map((row) => figures(row));
  trace.evaluations = rows.filter(({ evaluation }) => evaluation).map((row) => figures(row));
  trace.files = allFiles(folder);
  for (const name of trace.files) {
    if (/^rollouts.step/.test(name)) trace.rollouts.push(...readRows<SampleRow>(join(folder, name)));
    if (/^evaluations.step/.test(name)) trace.held.push(...readRows<SampleRow>(join(folder, name)));
    if (name.startsWith('watchdog'))
      trace.watchdog += readFileSync(join(folder, name), 'utf8').trim().split('\n').length;
  }
  trace.output = existsSync(folder) ? basename(dirname(folder)) : '';
  trace.folder = basename(folder).replace(/-\d{8}-\d{6}.*$/, '');
  return trace;
}

/** The value at a path such as `sample.0.options.topP`; `length` counts a list. */
export function at(trace: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) => (value === null || value === undefined ? value : (value as Record<string, unknown>)[key]),
      trace,
    );
}
