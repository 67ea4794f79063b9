/**
 * The rule of the zero-RL experiments: a right answer in the right format gains, an answer without the format loses, a
 * wrong one in the format lies between (0 or −0.5; the published trend hardly depends on which).
 */
import { checkNumber, checkOneOf } from '../errors';
import { mapInSlices } from '../event-loop';
import { verify, verifyBatch, type Verdict, type VerifyCase } from '../verifier';
import { checkFormat, formatStyles, taggedAnswer, type FormatStyle } from './check-format';
import type { RewardFunction, RewardSample, Score } from './types';

export interface MathRewardOptions {
  /**
   * The format that is right, see {@link FormatStyle}: the answer counts where that format has it, in the box or in the
   * answer tags. `any` asks for no more than a stated answer. Default `boxed`.
   */
  format?: FormatStyle | 'any';
  /** Right answer in the right format. Default 1. */
  correct?: number;
  /** Wrong answer in the right format. Default -0.5. */
  wrongAnswer?: number;
  /** Not in the right format. Default -1. */
  wrongFormat?: number;
}

/** What is left to verify of a sample: nothing where the format is wrong, so that only the gold is looked at. */
interface Stated extends VerifyCase {
  formatted: boolean;
}

function stated({ answer: gold, completion }: RewardSample, format: FormatStyle | 'any'): Stated {
  if (format === 'any') return { gold, completion, formatted: true };
  if (format === 'boxed') {
    const formatted = checkFormat(completion, format);
    return { gold, completion: formatted ? completion : '', formatted };
  }
  const answer = taggedAnswer(completion);
  return { gold, completion: answer === null ? '' : `<answer>${answer}</answer>`, formatted: answer !== null };
}

/**
 * Scores with the reasons of `verify`, or `wrong-format`. A sample counts as correct only in the right format. A batch is
 * verified on worker threads.
 *
 * @throws TypeError or RangeError naming the option
 */
export function mathReward(options: MathRewardOptions = {}): RewardFunction {
  const format = checkOneOf('format', options.format ?? 'boxed', [...formatStyles, 'any']);
  const right = checkNumber('correct', options.correct ?? 1);
  const wrongAnswer = checkNumber('wrongAnswer', options.wrongAnswer ?? -0.5);
  const wrongFormat = checkNumber('wrongFormat', options.wrongFormat ?? -1);
  const statement = format === 'boxed' ? 'boxed' : 'any';

  const score = ({ correct, reason, extracted }: Verdict, inForm: boolean): Score => {
    const answer = extracted ?? null;
    const formatted = inForm && reason !== 'no-answer';
    if (correct === null) return { reward: null, reason, correct, formatted, answer };
    if (!inForm) return { reward: wrongFormat, reason: 'wrong-format', correct, formatted, answer };
    const wrong = formatted ? wrongAnswer : wrongFormat;
    return { reward: correct ? right : wrong, reason, correct, formatted, answer };
  };
  const scoreOne = (sample: RewardSample): Score => {
    const { gold, completion, formatted } = stated(sample, format);
    return score(verify(gold, completion, { statement }), formatted);
  };
  return Object.assign(scoreOne, {
    scoreAll: async (samples: readonly RewardSample[], signal?: AbortSignal): Promise<Score[]> => {
      const cases = await mapInSlices(samples, (sample) => stated(sample, format), signal);
      const verdicts = await verifyBatch(cases, { statement, signal });
      return verdicts.map((verdict, i) => score(verdict, cases[i].formatted));
    },
  });
}
