/** `zero-rl verify`: verdicts on completions from a file. */
import { Command, Option } from 'commander';
import type { JsonObject } from '../json-object';
import { log } from '../observe/log';
import {
  VerifierPool,
  verdictReasons,
  type Verdict,
  type VerdictReason,
  type VerifyCase,
  type VerifyOptions,
} from '../verifier';
import { addJsonLinesOptions, checkJsonLinesFlags, integerOption, type JsonLinesFlags } from './common-options';
import { runJsonLinesJob, type Item, type JsonLinesSummary } from './jsonl-job';

interface Flags extends JsonLinesFlags, VerifyOptions {
  workers?: number;
}

type Write = (result: object) => Promise<void>;

interface Checked {
  batch: readonly Item<VerifyCase>[];
  verdicts: Promise<Verdict[]>;
}

/** Characters of a batch; a few batches are in memory at a time. */
const BATCH_CHARACTERS = 2 ** 22;
/** Counted for a line beside its text, so that short lines do not make batches of millions. */
const LINE_CHARACTERS = 1024;

function parseCase({ gold, completion }: JsonObject): VerifyCase {
  if (typeof gold !== 'string') throw new TypeError('Expected a string for "gold"');
  if (typeof completion !== 'string') throw new TypeError('Expected a string for "completion"');
  return { gold, completion };
}

const microseconds = (ms: number): number => Math.round(ms * 1000) / 1000;

/** Verdicts by what they say and why. */
class Tally {
  readonly reasons = new Map<VerdictReason, number>();
  correct = 0;
  wrong = 0;
  unscored = 0;

  add(correct: boolean | null, reason: VerdictReason): void {
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
    if (correct === null) this.unscored++;
    else if (correct) this.correct++;
    else this.wrong++;
  }

  /** Counts in the order of the list. */
  counts(): Partial<Record<VerdictReason, number>> {
    return Object.fromEntries(
      verdictReasons.flatMap((reason) => {
        const count = this.reasons.get(reason);
        return count === undefined ? [] : [[reason, count]];
      }),
    );
  }
}

function printSummary(tally: Tally, { results, seconds }: JsonLinesSummary): void {
  const { correct, wrong, unscored } = tally;
  const rate = Math.round(results / seconds);
  log.info(
    `${results} verdicts in ${seconds.toFixed(1)} s (${rate}/s): ${correct} correct, ${wrong} wrong, ${unscored} without a verdict`,
  );
  const counts = Object.entries(tally.counts()).map(([reason, count]) => `${reason} ${count}`);
  if (counts.length > 0) log.info(counts.join(', '));
}

async function verify(flags: Flags, self: Command): Promise<void> {
  checkJsonLinesFlags(self, flags);
  const { statement } = flags;
  await using pool = new VerifierPool(flags.workers === undefined ? {} : { workers: flags.workers });
  const tally = new Tally();

  // A batch is checked while the next one is read.
  let checked: Checked | null = null;
  const finish = async (write: Write): Promise<void> => {
    if (checked === null) return;
    const { batch, verdicts } = checked;
    checked = null;
    for (const [i, { correct, reason, extracted, ms }] of (await verdicts).entries()) {
      tally.add(correct, reason);
      await write({ id: batch[i].id, correct, reason, extracted: extracted ?? null, ms: microseconds(ms) });
    }
  };
  const run = async (batch: Checked['batch'], write: Write, signal: AbortSignal): Promise<void> => {
    const cases = batch.map(({ value }) => value);
    const verdicts = pool.verify(cases, { statement, signal });
    // It may fail before its turn to be awaited comes.
    verdicts.catch(() => undefined);
    await finish(write);
    checked = { batch, verdicts };
  };
  const summary = await runJsonLinesJob({
    flags,
    unit: 'verdicts',
    parse: parseCase,
    resultsPerItem: 1,
    size: ({ gold, completion }) => gold.length + completion.length + LINE_CHARACTERS,
    batchSize: BATCH_CHARACTERS,
    run,
    finish,
  });
  printSummary(tally, summary);
  if (flags.json) {
    const { badLines, results: cases, seconds } = summary;
    const { correct, wrong, unscored } = tally;
    const counts = { cases, badLines, correct, wrong, unscored, reasons: tally.counts() };
    process.stdout.write(
      `${JSON.stringify({ ...counts, seconds, perSecond: cases / seconds, output: flags.output })}\n`,
    );
  }
}

export const command = new Command('verify').description(
  'Checks stated answers against right ones on worker threads. Each line is {id, gold, completion}; each result ' +
    '{id, correct, reason, extracted, ms}, where correct is null for what cannot be scored.',
);
addJsonLinesOptions(command, '{id, gold, completion}', 'verdicts, in the order of the cases')
  .addOption(
    new Option('--statement <kind>', 'any: also <answer>, #### and "the answer is"; boxed: only an answer in a box')
      .choices(['any', 'boxed'])
      .default('any'),
  )
  .option('--workers <count>', 'worker threads (default: the processors available)', integerOption(1))
  .action(verify);
