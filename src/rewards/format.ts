/** A reward for the form alone, to be combined with others. */
import { checkNumber, checkOneOf } from '../errors';
import { lastBox } from '../verifier';
import type { RewardFunction } from './types';

export interface FormatRewardOptions {
  /** `boxed`: a non-empty `\boxed{}`. `think-answer`: one `<think>...</think>`, then one `<answer>...</answer>` and no more. Default `boxed`. */
  style?: 'boxed' | 'think-answer';
  /** Default 1. */
  right?: number;
  /** Default 0. */
  wrong?: number;
}

const occurrences = (text: string, tag: string): number => text.split(tag).length - 1;

/** The prompt may have opened `<think>` already. */
function thinksThenAnswers(completion: string): boolean {
  const once = ['</think>', '<answer>', '</answer>'].every((tag) => occurrences(completion, tag) === 1);
  if (!once || occurrences(completion, '<think>') > 1) return false;
  const text = completion.trim();
  const [thinkEnd, open, close] = [text.indexOf('</think>'), text.indexOf('<answer>'), text.indexOf('</answer>')];
  return (
    text.lastIndexOf('<think>') <= 0 &&
    thinkEnd < open &&
    text.slice(thinkEnd + '</think>'.length, open).trim() === '' &&
    text.slice(open + '<answer>'.length, close).trim() !== '' &&
    close + '</answer>'.length === text.length
  );
}

/** Scores with reasons `right-format` or `wrong-format`; says nothing about correctness. */
export function formatReward(options: FormatRewardOptions = {}): RewardFunction {
  const style = checkOneOf('style', options.style ?? 'boxed', ['boxed', 'think-answer']);
  const right = checkNumber('right', options.right ?? 1);
  const wrong = checkNumber('wrong', options.wrong ?? 0);
  return ({ completion }) => {
    const formatted = style === 'boxed' ? lastBox(completion) !== null : thinksThenAnswers(completion);
    return { reward: formatted ? right : wrong, reason: formatted ? 'right-format' : 'wrong-format', formatted };
  };
}
