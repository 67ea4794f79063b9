/** The keys of `reward`. */
import { z } from 'zod';
import { formatStyles } from '../rewards/check-format';
import { isUserCode } from '../user-code';
import { finite, seconds } from './config-numbers';

/** Factor of the part in the sum. */
const weight = finite.default(1);

const simpleRewardsSchema = [
  z.strictObject({
    name: z.literal('math'),
    /** The format that is right; `any` asks for no more than a stated answer. */
    format: z.enum([...formatStyles, 'any']).default('boxed'),
    /** Reward of a right answer. */
    correct: finite.default(1),
    /** Reward of an answer that is not right, in the right format. */
    wrongAnswer: finite.default(-0.5),
    /** Reward without an answer in the right format. */
    wrongFormat: finite.default(-1),
    /** Factor of this part in the sum. */
    weight,
  }),
  z.strictObject({
    name: z.literal('format'),
    /** `boxed`: an answer in \boxed{}; `think-answer`: <think>…</think> and <answer>…</answer> and nothing else. */
    style: z.enum(formatStyles).default('boxed'),
    /** Reward of the format. */
    right: finite.default(1),
    /** Reward of any other. */
    wrong: finite.default(0),
    /** Factor of this part in the sum. */
    weight,
  }),
  z.strictObject({
    name: z.literal('countdown'),
    /** Reward of a right answer. */
    correct: finite.default(1),
    /** An answer in tags that is not right. */
    wrongAnswer: finite.default(0.1),
    /** No answer in tags. */
    wrongFormat: finite.default(0),
    /** Factor of this part in the sum. */
    weight,
  }),
  z.strictObject({
    name: z.literal('length'),
    /** Response tokens, the end token included, from which the penalty is full. Default `rollout.maxTokens`. */
    maxTokens: z.int().min(1).optional(),
    /** Tokens before them over which the penalty rises from 0. */
    buffer: z.int().min(1),
    /** The full penalty, which also a response cut off by the token limit gets. */
    penalty: finite.default(-1),
    /** Factor of this part in the sum. */
    weight,
  }),
  z.strictObject({
    name: z.literal('custom'),
    /** `./my.mjs#name`: a function of a sample that returns a number, null (cannot be scored) or an object with reasons. */
    code: z.string().refine(isUserCode, 'Expected ./my.mjs#name'),
    /**
     * The code runs on a thread of its own. Where it finishes no sample for so many seconds, the one that hangs is left out
     * of the step with reason `timeout`. null: on the main thread, without a limit.
     */
    timeoutSeconds: seconds.nullable().default(30),
    /** Factor of this part in the sum. */
    weight,
  }),
] as const;

/** `math`, `format`, `countdown` and `./my.mjs#name` stand for objects with the defaults. */
function nameAlone(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return isUserCode(value) ? { name: 'custom', code: value } : { name: value };
}

const simplePartSchema = z.preprocess(nameAlone, z.discriminatedUnion('name', simpleRewardsSchema));
const sourceRewardSchema = z.union([z.array(simplePartSchema).min(1), simplePartSchema]);

const namedRewardSchema = z.discriminatedUnion('name', [
  ...simpleRewardsSchema,
  z.strictObject({
    name: z.literal('by-source'),
    /** Column whose value chooses the reward, such as `data_source`; a dot leads into a nested column. Default: the name of the row's source. */
    column: z.string().min(1).optional(),
    /** The reward, or a list of parts, for each value of the column, or each name of a source. */
    rewards: z.record(z.string(), sourceRewardSchema),
    /** For all other rows. Default none: a row that no reward is for is an error before the first step. */
    otherwise: sourceRewardSchema.optional(),
    /** Factor of this part in the sum. */
    weight,
  }),
]);

/** What `reward` may name. */
export const rewardNames = namedRewardSchema.options
  .flatMap(({ shape }) => [...shape.name.values])
  .filter((name) => name !== 'custom');

const rewardPartSchema = z.preprocess(nameAlone, namedRewardSchema);

export type SimplePart = z.output<typeof simplePartSchema>;
export type RewardPart = z.output<typeof rewardPartSchema>;
export type RewardConfig = z.output<typeof rewardSchema>;

/** The parts of a reward, and those that it has for sources. */
export function everyPart(reward: RewardConfig): RewardPart[] {
  return [reward].flat().flatMap((part): RewardPart[] => {
    if (part.name !== 'by-source') return [part];
    return [part, ...Object.values(part.rewards).flat(), ...(part.otherwise ? [part.otherwise].flat() : [])];
  });
}

/** A part, its name alone, or a list of either, whose weighted sum counts. */
export const rewardSchema = z.union([z.array(rewardPartSchema).min(1), rewardPartSchema]).prefault('math');
