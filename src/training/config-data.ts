/** The keys of `data`: where problems come from and how they become prompts. */
import { z } from 'zod';
import { PROBLEM_KINDS, TEMPLATES } from '../data/arithmetic';
import type { DataSource } from '../data/source';
import { count, fraction, positiveInteger, sampleCount } from './config-numbers';

const text = z.string().min(1);
const keys = <K extends string>(names: Iterable<K>): [K, ...K[]] => [...names] as [K, ...K[]];

const arithmeticSchema = z.strictObject({
  /** Seed of the generated problems. */
  seed: count.default(0),
  /** Prompt form of the generator. */
  template: z.enum(keys(Object.keys(TEMPLATES) as (keyof typeof TEMPLATES)[])).default('question'),
  /** Shares of the kinds of problem; default those of the generator. */
  kinds: z.partialRecord(z.enum(keys(PROBLEM_KINDS)), z.number().min(0)).optional(),
  /** Problems with more operands are left out. */
  maxOperands: z.int().min(2).max(3).default(3),
});

const countdownSchema = z
  .strictObject({
    /** Seed of the generated problems. */
    seed: count.default(0),
    /** Fewest numbers of a problem. */
    minNumbers: z.int().min(2).max(6).default(3),
    /** Most numbers of a problem. */
    maxNumbers: z.int().min(2).max(6).default(4),
    /** Numbers are drawn from 1 to this. */
    maxNumber: z.int().min(2).max(10_000).default(99),
    /** Targets lie between this ... */
    minTarget: z.int().default(10),
    /** ... and this. */
    maxTarget: z.int().default(99),
  })
  .refine(({ minNumbers, maxNumbers }) => minNumbers <= maxNumbers, {
    path: ['maxNumbers'],
    message: 'Expected a value of at least minNumbers',
  })
  .refine(({ minTarget, maxTarget }) => minTarget <= maxTarget, {
    path: ['maxTarget'],
    message: 'Expected a value of at least minTarget',
  });

const sourceSchema = z.strictObject({
  /**
   * `arithmetic` or `countdown` (generators), a .jsonl, .json or .parquet file, a folder of such files, `./my.mjs#name`, or a
   * dataset of the Hugging Face hub as `org/name` or `hf:name`.
   */
  source: text,
  /** What the reward `by-source` calls it. Default: `source` as it is written. */
  name: text.optional(),
  /** Share of the prompts, relative to the other weights. Default none: all rows of all sources are one pool. */
  weight: z.number().positive().optional(),
  /** Column of the problem text; a dot leads into a nested column. Default `data.problemKey`. */
  problemKey: text.optional(),
  /** Column of the gold answer. Default `data.answerKey`. */
  answerKey: text.optional(),
  /** Column that names the row. Default `id`, else the row's number. */
  idKey: text.optional(),
  /** `countdown`: the question is made of the columns `numbers` (or `nums`) and `target`. Default `question`. */
  task: z.enum(['question', 'countdown']).optional(),
  /**
   * Columns that code of one's own sees in `problem.row` beside those of problem, answer and id; of a Parquet file no others are
   * read. Default: all where the config names such code, none otherwise.
   */
  columns: z.array(text).optional(),
  /** Hub: branch, tag or commit. Default `main`; the resolved config of a run has the commit. */
  revision: text.optional(),
  /** Hub and folders: configuration of the dataset, where it has several. */
  subset: text.optional(),
  /** Hub and folders: default `train` for training, `test` for held-out problems. */
  split: text.optional(),
  /** Hub and folders: patterns of files, instead of subset and split. */
  files: z.array(text).min(1).optional(),
});

type Source = z.input<typeof sourceSchema>;
const asList = (value: string | Source | (string | Source)[]): DataSource[] =>
  (Array.isArray(value) ? value : [value]).map((item) => (typeof item === 'string' ? { source: item } : item));

const someWeights = 'Expected a weight for every source or for none';
/** A source, its name alone, or a list of either. */
const sourcesSchema = z
  .union([text, sourceSchema, z.array(z.union([text, sourceSchema])).min(1)])
  .transform(asList)
  .refine((list) => new Set(list.map(({ weight }) => weight === undefined)).size === 1, someWeights);

const leakageSchema = z.strictObject({
  /**
   * What happens where a training problem is a held-out one too, or shares much of its text: `warn` names the rows, `remove`
   * also leaves them out of training, `error` ends the run, `off` does not look. leakage.jsonl in the run folder lists them.
   */
  action: z.enum(['warn', 'remove', 'error', 'off']).default('warn'),
  /** Words in a row that count as a match; problems that are shorter are compared whole. */
  ngram: z.int().min(3).max(100).default(13),
  /** Share of the held-out problem's n-grams that a training problem must have. N-grams that many problems have do not count. */
  overlap: z.number().positive().max(1).default(0.5),
});

const difficultySchema = z
  .strictObject({
    /** Problems that the model gets right less often than this are left out (fraction of samples). */
    minPassRate: fraction.default(0.1),
    /** So are those that it gets right more often. */
    maxPassRate: fraction.default(0.9),
    /** Samples of each problem, drawn as in training. */
    samples: sampleCount.default(8),
    /** Most problems measured, the first in training order; the others are left out. Default: all. */
    problems: positiveInteger.optional(),
  })
  .refine(({ minPassRate, maxPassRate }) => minPassRate <= maxPassRate, {
    path: ['maxPassRate'],
    message: 'Expected a value of at least minPassRate',
  });

export const dataSchema = z.strictObject({
  /** Training problems: a source or a list of them, see `source`. With a `weight` each they are a mixture. */
  train: sourcesSchema,
  /** Held-out problems, the same forms; of several each has its share by weight, else by size. Default: the sources of `train` where all are generators; none otherwise. */
  evaluation: sourcesSchema.optional(),
  /** A name of `templates`, a text with {problem}, `chat` (the chat template of the model folder), or `./my.mjs#name`. */
  template: text.default('plain'),
  /** Column of the problem text. Default: the first of `problem`, `question`, `prompt` and kin that a row has. */
  problemKey: text.optional(),
  /** Column of the gold answer. Default: the first of `answer`, `gold`, `solution` and kin that a row has. */
  answerKey: text.optional(),
  /**
   * Rows that have no problem or answer that can be used, and prompts that leave no room for an answer in the context: `error`
   * names them and ends the run before its first step, `skip` leaves them out with a warning.
   */
  badRows: z.enum(['error', 'skip']).default('error'),
  /** Problems that a generator makes for training. */
  count: positiveInteger.default(10_000),
  /** Whether the tokenizer adds its special tokens to prompts; never with the template `chat`, which has them. */
  addSpecialTokens: z.boolean().default(true),
  arithmetic: arithmeticSchema.prefault({}),
  countdown: countdownSchema.prefault({}),
  leakage: leakageSchema.prefault({}),
  /** Only problems of a moderate pass rate are trained on; it is measured before the first step with the model itself. Default off. */
  difficulty: difficultySchema.optional(),
});
