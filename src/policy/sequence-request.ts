/** Validates the sequences of `Policy.logProbs` and `Policy.step` and packs them for the addon. */
import type { NativeDecoder, NativeSequences } from '../../binding/native';
import { checkInteger, invalidRange, invalidType } from '../errors';
import { checkSignal } from './engine-calls';
import { collectKeptTokens } from './kept-tokens';
import { checkTemperature, copyTokens, MAX_INT32 } from './numbers';
import { checkOptions } from './option-keys';
import type { LogProbsOptions, Sequence } from './types';

type Limits = Pick<NativeDecoder, 'vocabSize' | 'maxPositions'>;

/** Checks one sequence and returns a copy of its tokens: 1 <= promptLength < length <= context. */
export function checkSequence(
  name: string,
  sequence: unknown,
  limits: Limits,
): { tokens: Int32Array; promptLength: number } {
  if (typeof sequence !== 'object' || sequence === null || !('tokens' in sequence)) {
    throw invalidType(name, 'object with tokens and promptLength', sequence);
  }
  const tokens = copyTokens(`${name}.tokens`, sequence.tokens, limits.vocabSize);
  if (tokens.length < 2) {
    throw invalidRange(`${name}.tokens`, 'at least two tokens (a prompt and a response)', sequence.tokens);
  }
  if (tokens.length > limits.maxPositions) {
    throw invalidRange(`${name}.tokens.length`, `at most ${limits.maxPositions} tokens (the context)`, tokens.length);
  }
  const promptLength = 'promptLength' in sequence ? sequence.promptLength : undefined;
  return { tokens, promptLength: checkInteger(`${name}.promptLength`, promptLength, 1, tokens.length - 1) };
}

/** All sequences in one array; `responseOffsets[i] ... [i + 1]` are the response tokens of sequence i. */
export interface PackedSequences extends NativeSequences {
  responseOffsets: Int32Array;
}

/** @throws {TypeError|RangeError} naming the sequence. */
export function packSequences(sequences: readonly Sequence[], limits: Limits): PackedSequences {
  if (!Array.isArray(sequences)) throw invalidType('sequences', 'array of { tokens, promptLength }', sequences);
  const checked = Array.from(sequences, (sequence: unknown, i) => checkSequence(`sequences[${i}]`, sequence, limits));
  const offsets = new Int32Array(checked.length + 1);
  const responseOffsets = new Int32Array(checked.length + 1);
  checked.forEach(({ tokens, promptLength }, i) => {
    const end = offsets[i] + tokens.length;
    if (end > MAX_INT32) throw invalidRange('sequences', `at most ${MAX_INT32} tokens in all`, sequences);
    offsets[i + 1] = end;
    responseOffsets[i + 1] = responseOffsets[i] + tokens.length - promptLength;
  });
  const tokens = new Int32Array(offsets[checked.length]);
  checked.forEach((sequence, i) => tokens.set(sequence.tokens, offsets[i]));
  const promptLengths = Int32Array.from(checked, ({ promptLength }) => promptLength);
  return { tokens, offsets, promptLengths, keptTokens: collectKeptTokens(sequences), responseOffsets };
}

/** Options of `logProbs` with their defaults. */
export function checkLogProbsOptions(options: LogProbsOptions | undefined): {
  temperature: number;
  signal: AbortSignal | undefined;
} {
  const given = checkOptions('options', options, ['temperature', 'signal']);
  return { temperature: checkTemperature(given.temperature ?? 1), signal: checkSignal(given.signal) };
}
