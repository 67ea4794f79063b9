/**
 * Decides whether a completion states the gold answer. Numbers are compared exactly as rationals; anything else as
 * text. A statement that is neither is wrong; only a gold answer that cannot be read gives no verdict.
 */
import { checkOneOf, invalidType } from '../errors';
import { extractAnswer, lastBox } from './extract';
import { equalRationals, parseRational } from './rational';

/** Why a verdict is what it is; a closed list. */
export const verdictReasons = ['correct', 'wrong', 'no-answer', 'gold-unparsable'] as const;
export type VerdictReason = (typeof verdictReasons)[number];

export interface Verdict {
  /** null: cannot be scored. */
  correct: boolean | null;
  reason: VerdictReason;
  /** The stated answer as written; absent where there is none. */
  extracted?: string;
  /** Milliseconds taken. */
  ms: number;
}

export interface VerifyOptions {
  /** `boxed` accepts an answer in a box only; `any` also `<answer>`, `####` and "the answer is". Default `any`. */
  statement?: 'any' | 'boxed';
}

/** `x = 5` states 5. */
function rightHandSide(text: string): string {
  return /^[A-Za-z](?:_\w)?\s*=([^=]+)$/.exec(text.trim())?.[1] ?? text;
}

function plainText(text: string): string {
  return text
    .replace(/\\(?:text|mathrm|mbox|textbf|mathbf)\{([^{}]*)\}/g, '$1')
    .replace(/\\[,;:! ]|\$|~/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\.$/, '')
    .toLowerCase();
}

function balanced(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length && depth >= 0; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '{') depth++;
    else if (text[at] === '}') depth--;
  }
  return depth === 0;
}

/** Whether two stated answers are the same. */
export function equalAnswers(gold: string, answer: string): boolean {
  const [goldNumber, answerNumber] = [parseRational(rightHandSide(gold)), parseRational(rightHandSide(answer))];
  if (goldNumber && answerNumber) {
    const names = [gold, answer].map((text) => /^\s*([A-Za-z](?:_\w)?)\s*=/.exec(text)?.[1]);
    return (
      (names[0] === undefined || names[1] === undefined || names[0] === names[1]) &&
      equalRationals(goldNumber, answerNumber)
    );
  }
  return plainText(gold) === plainText(answer);
}

/**
 * Checks `completion` against `gold`.
 *
 * @param gold The right answer, bare (`12`, `\frac{1}{2}`) or stated in a worked solution (`... #### 12`).
 * @param completion What the model wrote; the prompt is not part of it.
 * @returns `correct` is null with reason `gold-unparsable` when the gold answer is empty or has unbalanced braces.
 * @throws TypeError when an argument is not a string.
 */
export function verify(gold: string, completion: string, options: VerifyOptions = {}): Verdict {
  if (typeof gold !== 'string') throw invalidType('gold', 'string', gold);
  if (typeof completion !== 'string') throw invalidType('completion', 'string', completion);
  const statement = checkOneOf('statement', options.statement ?? 'any', ['any', 'boxed']);
  const start = performance.now();
  const verdict = (correct: boolean | null, reason: VerdictReason, extracted?: string): Verdict => ({
    correct,
    reason,
    ...(extracted === undefined ? {} : { extracted }),
    ms: performance.now() - start,
  });

  const expected = (extractAnswer(gold)?.text ?? gold).trim();
  if (expected === '' || !balanced(expected)) return verdict(null, 'gold-unparsable');
  const stated = statement === 'boxed' ? lastBox(completion) : extractAnswer(completion);
  if (!stated) return verdict(false, 'no-answer');
  const correct = equalAnswers(expected, stated.text);
  return verdict(correct, correct ? 'correct' : 'wrong', stated.text);
}
