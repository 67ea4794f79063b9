/** `zero-rl sample`: completions of prompts from a file. */
import { Command } from 'commander';
import { float32ToJson } from '../data/jsonl-writer';
import type { JsonObject } from '../json-object';
import { Policy } from '../policy/policy';
import type { Rollout, SampleOptions } from '../policy/types';
import {
  addEngineOptions,
  addJsonLinesOptions,
  checkJsonLinesFlags,
  engineOptions,
  integerOption,
  numberOption,
  type JsonLinesFlags,
  type EngineFlags,
} from './common-options';
import { runJsonLinesJob, type Item } from './jsonl-job';

interface Flags extends JsonLinesFlags, EngineFlags {
  model: string;
  n: number;
  maxTokens: number;
  temperature: number;
  topP: number;
  topK: number;
  minP: number;
  seed: number;
  stopToken?: number[];
  stopString?: string[];
  endTokens: boolean;
  specialTokens: boolean;
  maxBatch?: number;
}

/** Completions worked on at a time: enough to keep the batch full, little enough to hold in memory. */
const BATCH_COMPLETIONS = 4096;

/** `{ prompt }` or `{ tokens }` of a line as checked token ids. */
function parsePrompt(line: JsonObject, policy: Policy, addSpecialTokens: boolean): Int32Array {
  const has = (key: string): boolean => line[key] !== undefined && line[key] !== null;
  if (has('prompt') === has('tokens')) throw new TypeError('Expected either "prompt" or "tokens" in the object');
  if (has('tokens')) {
    if (!Array.isArray(line.tokens)) throw new TypeError('Expected an array of token ids for "tokens"');
    return policy.encodePrompt(line.tokens as number[]);
  }
  if (typeof line.prompt !== 'string') throw new TypeError('Expected a string for "prompt"');
  return policy.encodePrompt(line.prompt, addSpecialTokens);
}

async function sample(flags: Flags, self: Command): Promise<void> {
  checkJsonLinesFlags(self, flags);
  using policy = await Policy.load(flags.model, engineOptions(flags));
  const stopTokens = [...(flags.endTokens ? policy.endTokens : []), ...(flags.stopToken ?? [])];
  const options: SampleOptions = {
    n: flags.n,
    maxTokens: flags.maxTokens,
    temperature: flags.temperature,
    topP: flags.topP,
    topK: flags.topK,
    minP: flags.minP,
    seed: flags.seed,
    stopTokens,
    stopStrings: flags.stopString ?? [],
    maxBatch: flags.maxBatch,
  };
  // Wrong options fail before the output is opened.
  await policy.sample([], options);
  let newTokens = 0;

  const run = async (
    batch: readonly Item<Int32Array>[],
    write: (result: object) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> => {
    const waiting = new Map<number, Rollout>();
    let next = 0;
    const flush = async (all: boolean): Promise<void> => {
      for (; next < batch.length * flags.n && (all || waiting.has(next)); next++) {
        const rollout = waiting.get(next);
        if (rollout === undefined) continue;
        waiting.delete(next);
        newTokens += rollout.tokens.length;
        await write({
          id: batch[rollout.prompt].id,
          sample: rollout.sample,
          tokens: Array.from(rollout.tokens),
          logProbs: float32ToJson(rollout.logProbs),
          ...(rollout.logMass ? { logMass: float32ToJson(rollout.logMass) } : {}),
          text: rollout.text,
          finishReason: rollout.finishReason,
        });
      }
    };
    const prompts = batch.map(({ value }) => value);
    const uids = batch.map(({ index }) => index);
    try {
      for await (const rollout of policy.stream(prompts, { ...options, uids, signal })) {
        waiting.set(rollout.prompt * flags.n + rollout.sample, rollout);
        await flush(false);
      }
    } finally {
      await flush(true);
    }
  };
  const summary = await runJsonLinesJob({
    flags,
    unit: 'completions',
    parse: (line) => parsePrompt(line, policy, flags.specialTokens),
    resultsPerItem: flags.n,
    size: () => flags.n,
    batchSize: BATCH_COMPLETIONS,
    run,
  });
  if (flags.json) {
    const { lines, badLines, results, seconds } = summary;
    const report = { prompts: lines - badLines, badLines, completions: results, newTokens, seconds };
    process.stdout.write(
      `${JSON.stringify({ ...report, tokensPerSecond: newTokens / seconds, output: flags.output })}\n`,
    );
  }
}

export const command = new Command('sample')
  .description(
    'Samples completions. Each line is {id, prompt} or {id, tokens}; each result {id, sample, tokens, logProbs, text, finishReason}, with logMass ' +
      '(log of the probability that was kept, per token) where --top-p, --top-k or --min-p truncate. ' +
      'The line number is the key of its randomness.',
  )
  .requiredOption('--model <folder>', 'Hugging Face model folder');
addJsonLinesOptions(command, '{id, prompt} or {id, tokens}', 'completions, in the order of the prompts')
  .option('--n <count>', 'completions per prompt', integerOption(1), 1)
  .option('--max-tokens <count>', 'most new tokens, the end token included', integerOption(1), 128)
  .option('--temperature <value>', '0 takes the most likely token', numberOption(0), 1)
  .option('--top-p <value>', 'nucleus; 1 is off', numberOption(0, 1), 1)
  .option('--top-k <count>', '0 is off', integerOption(0), 0)
  .option('--min-p <value>', '0 is off', numberOption(0, 1), 0)
  .option('--seed <number>', 'key of the randomness', integerOption(0), 0)
  .option(
    '--stop-token <id>',
    'another token that ends a completion; repeatable',
    (text, list: number[] | undefined) => [...(list ?? []), integerOption(0)(text)],
  )
  .option('--stop-string <text>', 'a text that ends a completion; repeatable', (text, list: string[] | undefined) => [
    ...(list ?? []),
    text,
  ])
  .option('--no-end-tokens', 'do not end completions at the end tokens of the model')
  .option('--no-special-tokens', 'do not add the special tokens of the tokenizer to prompts')
  .option('--max-batch <count>', 'most sequences decoded together', integerOption(1));
addEngineOptions(command).action(sample);
