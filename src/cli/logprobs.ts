/** `zero-rl logprobs`: log-probs of given sequences from a file. */
import { Command } from 'commander';
import { float32ToJson } from '../data/jsonl-writer';
import type { JsonObject } from '../json-object';
import { Policy } from '../policy/policy';
import { checkSequence } from '../policy/sequence-request';
import {
  addEngineOptions,
  addJsonLinesOptions,
  checkJsonLinesFlags,
  engineOptions,
  numberOption,
  type JsonLinesFlags,
  type EngineFlags,
} from './common-options';
import { runJsonLinesJob, type Item } from './jsonl-job';

interface Flags extends JsonLinesFlags, EngineFlags {
  model: string;
  temperature: number;
}

type Checked = ReturnType<typeof checkSequence>;

/** Tokens scored at a time. */
const BATCH_TOKENS = 2 ** 15;

async function logProbs(flags: Flags, self: Command): Promise<void> {
  checkJsonLinesFlags(self, flags);
  using policy = await Policy.load(flags.model, engineOptions(flags));
  const { temperature } = flags;
  // Wrong options fail before the output is opened.
  await policy.logProbs([], { temperature });
  let tokens = 0;

  const run = async (
    batch: readonly Item<Checked>[],
    write: (result: object) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> => {
    const sequences = batch.map(({ value }) => value);
    const values = await policy.logProbs(sequences, { temperature, signal });
    for (const [i, { id, value }] of batch.entries()) {
      tokens += value.tokens.length;
      await write({ id, logProbs: float32ToJson(values[i]) });
    }
  };
  const summary = await runJsonLinesJob({
    flags,
    unit: 'sequences',
    parse: (line: JsonObject) => checkSequence('sequence', line, policy.config),
    resultsPerItem: 1,
    size: ({ tokens: sequence }) => sequence.length,
    batchSize: BATCH_TOKENS,
    run,
  });
  if (flags.json) {
    const { badLines, results, seconds } = summary;
    const report = { sequences: results, badLines, tokens, seconds, tokensPerSecond: tokens / seconds };
    process.stdout.write(`${JSON.stringify({ ...report, output: flags.output })}\n`);
  }
}

export const command = new Command('logprobs')
  .description(
    'Scores sequences. Each line is {id, tokens, promptLength}; each result {id, logProbs}, one per token after the prompt.',
  )
  .requiredOption('--model <folder>', 'Hugging Face model folder');
addJsonLinesOptions(command, '{id, tokens, promptLength}', '{id, logProbs}').option(
  '--temperature <value>',
  'divides the logits',
  numberOption(0),
  1,
);
addEngineOptions(command).action(logProbs);
