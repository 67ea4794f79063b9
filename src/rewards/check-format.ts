/** Whether a completion has the form that it was asked for. Says nothing about correctness. */
import { checkOneOf, invalidType } from '../errors';
import { extractAnswer } from '../verifier';

/**
 * `boxed`: a non-empty `\boxed{}`. `think-answer`: one `<think>...</think>`, then one non-empty `<answer>...</answer>`, with
 * or without a box in it, and nothing else. The prompt may have opened `<think>` already.
 */
export type FormatStyle = 'boxed' | 'think-answer';
export const formatStyles = ['boxed', 'think-answer'] as const satisfies readonly FormatStyle[];

const once = (text: string, tag: string): boolean => {
  const at = text.indexOf(tag);
  return at >= 0 && !text.includes(tag, at + tag.length);
};

/** What stands in the answer tags of a completion of style `think-answer`; null where it has another form. */
export function taggedAnswer(completion: string): string | null {
  const text = completion.trim();
  if (!['</think>', '<answer>', '</answer>'].every((tag) => once(text, tag))) return null;
  if (text.lastIndexOf('<think>') > 0) return null;
  const [thinkEnd, open, close] = [text.indexOf('</think>'), text.indexOf('<answer>'), text.indexOf('</answer>')];
  if (thinkEnd > open || close + '</answer>'.length !== text.length) return null;
  if (text.slice(thinkEnd + '</think>'.length, open).trim() !== '') return null;
  const answer = text.slice(open + '<answer>'.length, close).trim();
  return answer === '' ? null : answer;
}

/**
 * Whether `completion` has the form `style`.
 *
 * @throws TypeError or RangeError naming the argument
 */
export function checkFormat(completion: string, style: FormatStyle): boolean {
  if (typeof completion !== 'string') throw invalidType('completion', 'string', completion);
  return checkOneOf('style', style, formatStyles) === 'boxed'
    ? extractAnswer(completion, { statement: 'boxed' }) !== null
    : taggedAnswer(completion) !== null;
}
