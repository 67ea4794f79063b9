/** Validates the arguments of `Policy.sample` and turns them into the addon's request. */
import type { NativeSampleRequest } from '../../binding/native';
import { checkInteger, checkNumber, invalidRange, invalidType } from '../errors';
import { MAX_BATCH } from './limits';
import { checkFraction, checkTemperature, copyTokens, isArrayLike, MAX_INT32 } from './numbers';
import { checkOptions } from './option-keys';
import type { SampleOptions } from './types';

/** Text (needs a tokenizer) or token ids. */
export type Prompt = string | Int32Array | readonly number[];

/** What validation needs to know of the policy. */
export interface SampleContext {
  vocabSize: number;
  maxPositions: number;
  endTokens: readonly number[];
  /** Null where the folder has no tokenizer. */
  encode: ((text: string, addSpecialTokens: boolean) => ArrayLike<number>) | null;
}

const SAMPLE_OPTIONS = [
  'n',
  'maxTokens',
  'temperature',
  'topP',
  'topK',
  'minP',
  'keptTokens',
  'stopTokens',
  'stopStrings',
  'seed',
  'uids',
  'addSpecialTokens',
  'maxBatch',
  'signal',
] as const satisfies readonly (keyof SampleOptions)[];

/** A prompt that leaves no room for a new token in the context. */
export class PromptTooLong extends RangeError {}

/** Characters for each position of the context from which on the beginning of a text is looked at before the whole. */
const LONG_TEXT = 16;

/** Whether the beginning of a text has twice the tokens of the context: the rest is not worth the time. */
function isFarTooLong(text: string, maxPositions: number, encode: NonNullable<SampleContext['encode']>): boolean {
  for (let length = LONG_TEXT * maxPositions; length < text.length; length *= 4)
    if (encode(text.slice(0, length), false).length > 2 * maxPositions) return true;
  return false;
}

/** Tokens of one prompt: at least one, all in the vocabulary, with room for one new token in the context. */
export function encodePrompt(
  name: string,
  prompt: unknown,
  context: SampleContext,
  addSpecialTokens: boolean,
): Int32Array {
  let tokens: Int32Array;
  const most = `at most ${context.maxPositions - 1} tokens (the context less one new token)`;
  if (typeof prompt === 'string') {
    if (context.encode === null) throw invalidType(name, 'token ids (the model folder has no tokenizer.json)', prompt);
    if (isFarTooLong(prompt, context.maxPositions, context.encode))
      throw new PromptTooLong(`Expected ${most} for ${name}.length but received more than ${2 * context.maxPositions}`);
    tokens = copyTokens(`tokens of ${name}`, context.encode(prompt, addSpecialTokens), context.vocabSize);
  } else if (isArrayLike(prompt)) {
    tokens = copyTokens(name, prompt, context.vocabSize);
  } else {
    throw invalidType(name, 'string, Int32Array or array of token ids', prompt);
  }
  if (tokens.length === 0) throw invalidRange(name, 'prompt of at least one token', prompt);
  if (tokens.length >= context.maxPositions) {
    throw new PromptTooLong(invalidRange(`${name}.length`, most, tokens.length).message);
  }
  return tokens;
}

function checkPrompts(prompts: unknown): unknown[] {
  if (!Array.isArray(prompts))
    throw invalidType('prompts', 'array of prompts (one Int32Array or string each)', prompts);
  return prompts as unknown[];
}

function checkStopStrings(values: unknown, context: SampleContext): Uint8Array[] {
  if (!Array.isArray(values)) throw invalidType('stopStrings', 'array of strings', values);
  if (values.length > 0 && context.encode === null) {
    throw invalidRange('stopStrings', 'no stop strings (the model folder has no tokenizer.json)', values);
  }
  return values.map((text: unknown, i) => {
    if (typeof text !== 'string') throw invalidType(`stopStrings[${i}]`, 'non-empty string', text);
    if (text === '') throw invalidRange(`stopStrings[${i}]`, 'non-empty string', text);
    return new TextEncoder().encode(text);
  });
}

function checkUids(values: unknown, prompts: number): Float64Array {
  if (values === undefined) return Float64Array.from({ length: prompts }, (_, i) => i);
  if (!isArrayLike(values)) throw invalidType('uids', `array of ${prompts} integers, one per prompt,`, values);
  if (values.length !== prompts) throw invalidRange('uids', `array of ${prompts} integers, one per prompt,`, values);
  return Float64Array.from({ length: prompts }, (_, i) => checkInteger(`uids[${i}]`, values[i], 0));
}

/**
 * The addon's request for `prompts` and `options`, without the token bytes that stop strings need (`tokenBytes` is
 * empty). Arrays are copied.
 * @throws {TypeError|RangeError} naming the argument.
 */
export function buildSampleRequest(
  prompts: readonly Prompt[],
  options: SampleOptions | undefined,
  context: SampleContext,
): NativeSampleRequest {
  const given = checkOptions('options', options, SAMPLE_OPTIONS);
  const list = checkPrompts(prompts);
  const addSpecialTokens: unknown = given.addSpecialTokens ?? true;
  if (typeof addSpecialTokens !== 'boolean') throw invalidType('addSpecialTokens', 'boolean', addSpecialTokens);
  const keptTokens: unknown = given.keptTokens ?? false;
  if (typeof keptTokens !== 'boolean') throw invalidType('keptTokens', 'boolean', keptTokens);
  const n = checkInteger('n', given.n ?? 1, 1, Math.floor(MAX_INT32 / Math.max(1, list.length)));
  const stops = given.stopTokens ?? context.endTokens;

  const encoded = Array.from(list, (prompt, i) => encodePrompt(`prompts[${i}]`, prompt, context, addSpecialTokens));
  const offsets = new Int32Array(encoded.length + 1);
  encoded.forEach((tokens, i) => {
    const end = offsets[i] + tokens.length;
    if (end > MAX_INT32) throw invalidRange('prompts', `at most ${MAX_INT32} tokens in all`, prompts);
    offsets[i + 1] = end;
  });
  const tokens = new Int32Array(offsets[encoded.length]);
  encoded.forEach((prompt, i) => tokens.set(prompt, offsets[i]));
  const shortest = encoded.reduce((least, prompt) => Math.min(least, prompt.length), context.maxPositions - 1);

  return {
    tokens,
    offsets,
    uids: checkUids(given.uids, encoded.length),
    n,
    maxTokens: Math.min(checkInteger('maxTokens', given.maxTokens ?? 128, 1), context.maxPositions - shortest),
    temperature: given.temperature === 0 ? 0 : checkTemperature(given.temperature ?? 1, '0 or '),
    topP: checkFraction('topP', given.topP ?? 1),
    topK: Math.min(checkInteger('topK', given.topK ?? 0, 0), context.vocabSize),
    minP: checkNumber('minP', given.minP ?? 0, 0, 1),
    stopTokens: copyTokens('stopTokens', stops, context.vocabSize),
    stopStrings: checkStopStrings(given.stopStrings ?? [], context),
    tokenBytes: [],
    seed: checkInteger('seed', given.seed ?? 0, 0),
    keptTokens,
    maxBatch: given.maxBatch === undefined ? 0 : checkInteger('maxBatch', given.maxBatch, 1, MAX_BATCH),
  };
}
