/** `zero-rl eval`: a model, or two side by side, on suites of held-out problems. */
import { Command } from 'commander';
import { JsonLinesWriter } from '../data/jsonl-writer';
import { compareResults, evaluateModel, readSuites, type SuiteResult } from '../evaluation/suite';
import { comparisonText, suiteText } from '../observe/evaluation-output';
import { log } from '../observe/log';
import { startProgress, type Progress } from '../observe/progress';
import { formatPercent } from '../observe/svg';
import { sampleRow } from '../training/run-folder';
import type { EvaluationProgress } from '../training/sample-and-score';
import { addEngineOptions, outputFile, typedEngineOptions, type EngineFlags } from './common-options';

interface Flags extends EngineFlags {
  model: string;
  suite: string;
  compare?: string;
  output?: string;
  json?: boolean;
}

async function writeSamples(file: string, results: readonly (SuiteResult & { model: string })[]): Promise<void> {
  const writer = await JsonLinesWriter.open(file);
  for (const { model, suite, samples } of results)
    for (const sample of samples) await writer.write({ model, suite, ...sampleRow(0, sample) });
  await writer.close();
}

async function run(flags: Flags, command: Command): Promise<void> {
  const warn = (message: string): void => log.warn(message);
  const suites = readSuites(flags.suite, warn);
  const engine = typedEngineOptions(flags, command);
  const evaluateFolder = async (model: string): Promise<(SuiteResult & { model: string })[]> => {
    let progress: Progress | undefined;
    let label = '';
    const onSuite = (suite: string): void => {
      progress?.stop();
      progress = undefined;
      label = suite;
      log.info(`${model} on ${suite}`);
    };
    const onProgress = ({ sampled, of, accuracy }: EvaluationProgress): void => {
      progress ??= startProgress({ label, total: of, unit: 'samples' });
      progress.set(sampled, accuracy === null ? undefined : `accuracy ${formatPercent(accuracy)}`);
    };
    try {
      const results = await evaluateModel(model, suites, { ...engine, warn, onSuite, onProgress });
      return results.map((result) => ({ ...result, model }));
    } finally {
      progress?.stop();
    }
  };
  const first = await evaluateFolder(flags.model);
  const second = flags.compare === undefined ? null : await evaluateFolder(flags.compare);
  if (flags.output !== undefined) await writeSamples(flags.output, [...first, ...(second ?? [])]);
  const compared = second && compareResults(first, second);
  if (flags.json) {
    const plain = first.map(({ suite, evaluation }) => ({ suite, ...evaluation }));
    const report = compared
      ? { model: flags.model, compare: flags.compare, suites: compared }
      : { model: flags.model, suites: plain };
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return;
  }
  const texts = compared ? compared.map(comparisonText) : first.map(suiteText);
  process.stdout.write(`${texts.join('\n\n')}\n`);
}

export const command = addEngineOptions(
  new Command('eval')
    .description(
      'Evaluates a model on held-out problems: avg@k, pass@k (unbiased) and maj@k with 95 % intervals over problems. The suite has ' +
        'the keys of a training config (name, data, environment, reward, rollout, evaluation, dtype), or lists several under ' +
        '"suites"; the config of a run will do.',
    )
    .requiredOption('--model <model>', 'Hugging Face model folder, or org/name[@revision] of the hub')
    .requiredOption('--suite <file>', 'YAML file')
    .option('--compare <model>', 'a second model, paired with the first: the same problems, decoding and randomness')
    .option('--output <file>', 'write every sample with its verdict as JSON Lines', outputFile)
    .option('--json', 'print one JSON object on stdout'),
  { from: "the suite's, else ", dtype: "the suite's, else float32" },
).action(run);
