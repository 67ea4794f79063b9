/** The keys of `reward`. */
import { z } from 'zod';
import { formatStyles } from '../rewards/check-format';
import { isUserCode } from '../user-code';
import { finite } from './config-numbers';

/** Factor of the part in the sum. */
const weight = finite.default(1);

const namedRewardSchema = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('math'),
    /** The format that is right; `any` asks for no more than a stated answer. */
    format: z.enum([...formatStyles, 'any']).default('boxed'),
    correct: finite.default(1),
    wrongAnswer: finite.default(-0.5),
    wrongFormat: finite.default(-1),
    weight,
  }),
  z.strictObject({
    name: z.literal('format'),
    style: z.enum(formatStyles).default('boxed'),
    right: finite.default(1),
    wrong: finite.default(0),
    weight,
  }),
  z.strictObject({
    name: z.literal('countdown'),
    correct: finite.default(1),
    /** An answer in tags that is not right. */
    wrongAnswer: finite.default(0.1),
    /** No answer in tags. */
    wrongFormat: finite.default(0),
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
    weight,
  }),
  z.strictObject({
    name: z.literal('custom'),
    code: z.string().refine(isUserCode, 'Expected ./my.mjs#name'),
    /**
     * The code runs on a thread of its own. Where it finishes no sample for so many seconds, the one that hangs is left out
     * of the step with reason `timeout`. null: on the main thread, without a limit.
     */
    timeoutSeconds: z.number().positive().nullable().default(30),
    weight,
  }),
]);

/** `math`, `format`, `countdown` and `./my.mjs#name` stand for objects with the defaults. */
const rewardPartSchema = z.preprocess(
  (value) =>
    typeof value !== 'string' ? value : isUserCode(value) ? { name: 'custom', code: value } : { name: value },
  namedRewardSchema,
);

/** A part, its name alone, or a list of either, whose weighted sum counts. */
export const rewardSchema = z.union([z.array(rewardPartSchema).min(1), rewardPartSchema]).prefault('math');
