/** Validates prompts and sampling options and turns them into the addon's request. */
import type { NativeSampleRequest } from '../../binding/native';
import { checkInteger, checkNumber, checkOneOf, invalidRange, invalidType } from '../errors';
import { MAX_BATCH } from './limits';
import { checkFraction, checkTemperature, copyTokens, isArrayLike, MAX_INT32 } from './numbers';
import { checkOptions } from './option-keys';
import type { SampleOptions, SamplingOptions } from './types';

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

export const SAMPLING_OPTIONS = [
  'maxTokens',
  'temperature',
  'topP',
  'topK',
  'minP',
  'keptTokens',
  'stopTokens',
  'stopStrings',
  'addSpecialTokens',
  'priority',
] as const satisfies readonly (keyof SamplingOptions)[];

const SAMPLE_OPTIONS = [
  'n',
  ...SAMPLING_OPTIONS,
  'seed',
  'uids',
  'maxBatch',
  'signal',
] as const satisfies readonly (keyof SampleOptions)[];

/** Sampling options as the addon has them; `maxTokens` may exceed the context. */
export type SamplingSettings = Pick<
  NativeSampleRequest,
  'maxTokens' | 'temperature' | 'topP' | 'topK' | 'minP' | 'keptTokens' | 'stopTokens' | 'stopStrings' | 'priority'
>;

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

function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalidType(name, 'boolean', value);
  return value;
}

/** Whether text prompts get the tokenizer's special tokens. */
export function checkSpecialTokens({ addSpecialTokens }: SamplingOptions): boolean {
  return checkBoolean('addSpecialTokens', addSpecialTokens ?? true);
}

/** @throws {TypeError|RangeError} naming the option. */
export function checkSampling(given: SamplingOptions, context: SampleContext): SamplingSettings {
  return {
    maxTokens: checkInteger('maxTokens', given.maxTokens ?? 128, 1),
    temperature: given.temperature === 0 ? 0 : checkTemperature(given.temperature ?? 1, '0 or '),
    topP: checkFraction('topP', given.topP ?? 1),
    topK: Math.min(checkInteger('topK', given.topK ?? 0, 0), context.vocabSize),
    minP: checkNumber('minP', given.minP ?? 0, 0, 1),
    keptTokens: checkBoolean('keptTokens', given.keptTokens ?? false),
    stopTokens: copyTokens('stopTokens', given.stopTokens ?? context.endTokens, context.vocabSize),
    stopStrings: checkStopStrings(given.stopStrings ?? [], context),
    priority: checkOneOf('priority', given.priority ?? 'normal', ['normal', 'low']),
  };
}

/**
 * Prompts one after the other, and the most new tokens that one of them has room for.
 * @param maxTokens most new tokens that are wanted
 */
export function packPrompts(
  prompts: readonly Int32Array[],
  maxTokens: number,
  { maxPositions }: Pick<SampleContext, 'maxPositions'>,
): Pick<NativeSampleRequest, 'tokens' | 'offsets' | 'maxTokens'> {
  const offsets = new Int32Array(prompts.length + 1);
  prompts.forEach((tokens, i) => {
    const end = offsets[i] + tokens.length;
    if (end > MAX_INT32) throw invalidRange('prompts', `at most ${MAX_INT32} tokens in all`, prompts);
    offsets[i + 1] = end;
  });
  const tokens = new Int32Array(offsets[prompts.length]);
  prompts.forEach((prompt, i) => tokens.set(prompt, offsets[i]));
  const shortest = prompts.reduce((least, prompt) => Math.min(least, prompt.length), maxPositions - 1);
  return { tokens, offsets, maxTokens: Math.min(maxTokens, maxPositions - shortest) };
}

/**
 * The addon's request for `prompts` and `options`. Arrays are copied.
 * @throws {TypeError|RangeError} naming the argument.
 */
export function buildSampleRequest(
  prompts: readonly Prompt[],
  options: SampleOptions | undefined,
  context: SampleContext,
): NativeSampleRequest {
  const given = checkOptions('options', options, SAMPLE_OPTIONS);
  const list = checkPrompts(prompts);
  const addSpecialTokens = checkSpecialTokens(given);
  const n = checkInteger('n', given.n ?? 1, 1, Math.floor(MAX_INT32 / Math.max(1, list.length)));
  const encoded = Array.from(list, (prompt, i) => encodePrompt(`prompts[${i}]`, prompt, context, addSpecialTokens));
  const settings = checkSampling(given, context);
  return {
    ...settings,
    ...packPrompts(encoded, settings.maxTokens, context),
    uids: checkUids(given.uids, encoded.length),
    n,
    firstSample: 0,
    seed: checkInteger('seed', given.seed ?? 0, 0),
    maxBatch: given.maxBatch === undefined ? 0 : checkInteger('maxBatch', given.maxBatch, 1, MAX_BATCH),
  };
}
