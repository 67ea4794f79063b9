/**
 * tokenizer.json made ready for @huggingface/tokenizers where its JavaScript differs from the Rust library, and the
 * special tokens that the post-processor puts around a text.
 */
import { isJsonObject, type JsonObject } from '../json-object';
import { checkpointError, quote } from './checkpoint-file';

/** Tokens before and after a single text. */
export interface SpecialTokenTemplate {
  before: number[];
  after: number[];
}

/** The split of ByteLevel with `use_regex`, GPT-2's. */
const BYTE_LEVEL_SPLIT = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/**
 * The pre-tokenizer with three differences taken out: letters in (?i:…) match what Unicode folds to them, digits are
 * those of Unicode, and ByteLevel's own split goes through the library's translation of regular expressions (JavaScript's \s has other characters).
 * @throws ZeroRlError ERR_ZERO_RL_CHECKPOINT for a split behaviour that the library does not know
 */
export function preparePreTokenizer(source: unknown, file: string): unknown {
  if (!isJsonObject(source)) return source ?? null;
  if (source.type === 'Sequence' && Array.isArray(source.pretokenizers)) {
    return { ...source, pretokenizers: source.pretokenizers.map((item) => preparePreTokenizer(item, file)) };
  }
  if (source.type === 'ByteLevel' && source.use_regex !== false && source.add_prefix_space === false) {
    const split = { type: 'Split', pattern: { Regex: BYTE_LEVEL_SPLIT }, behavior: 'Isolated', invert: false };
    return { type: 'Sequence', pretokenizers: [split, { ...source, use_regex: false }] };
  }
  if (source.type === 'Digits') {
    // The library's \d is ASCII alone; the Rust library's digits are all of Unicode's numbers.
    const pattern = { Regex: source.individual_digits === true ? '\\p{N}' : '\\p{N}+' };
    return { type: 'Split', pattern, behavior: 'Isolated', invert: false };
  }
  if (source.type === 'Split') {
    const known = source.behavior === 'Removed' || (source.behavior === 'Isolated' && source.invert !== true);
    if (!known) {
      throw checkpointError(
        `${file}: a Split with behavior ${quote(source.behavior)} is not implemented; use a tokenizer that isolates or removes.`,
      );
    }
    if (isJsonObject(source.pattern) && typeof source.pattern.Regex === 'string') {
      return { ...source, pattern: { Regex: foldCase(source.pattern.Regex) } };
    }
  }
  return source;
}

/**
 * Inside (?i:…), s and k also match U+017F and U+212A, the only characters beyond ASCII that fold to one ASCII letter.
 */
export function foldCase(pattern: string): string {
  let result = '';
  let inClass = false;
  const groups: boolean[] = [];
  const tokens = /\\(?:[pPxu]\{[^}]*\}|.)|\(\?i:|\((?:\?(?:<?[=!]|:|>))?|[\s\S]/gsu;
  for (const [token] of pattern.matchAll(tokens)) {
    const insensitive = groups.at(-1) ?? false;
    const added = /^[sS]$/.test(token) ? '\u017f' : /^[kK]$/.test(token) ? '\u212a' : '';
    if (insensitive && added !== '') {
      result += inClass ? token + added : `[${token.toLowerCase()}${token.toUpperCase()}${added}]`;
      continue;
    }
    result += token;
    if (inClass) inClass = token !== ']';
    else if (token === '[') inClass = true;
    else if (token === ')') groups.pop();
    else if (token.startsWith('(')) groups.push(insensitive || token === '(?i:');
  }
  return result;
}

/**
 * Reads a post-processor. ByteLevel changes offsets only; TemplateProcessing, BertProcessing and RobertaProcessing add
 * tokens; a Sequence applies its parts from the inside out.
 * @throws ZeroRlError ERR_ZERO_RL_CHECKPOINT for any other
 */
export function parsePostProcessor(source: unknown, file: string): SpecialTokenTemplate {
  if (source == null) return { before: [], after: [] };
  const refuse = (what: string) =>
    checkpointError(`${file}: post_processor ${what} is not implemented; use a tokenizer with a plain template.`);
  if (!isJsonObject(source)) throw refuse('of no known form');
  switch (source.type) {
    case 'ByteLevel':
      return { before: [], after: [] };
    case 'Sequence': {
      const parts = (source.processors as unknown[]).map((part) => parsePostProcessor(part, file));
      return {
        before: parts.toReversed().flatMap(({ before }) => before),
        after: parts.flatMap(({ after }) => after),
      };
    }
    case 'BertProcessing':
    case 'RobertaProcessing':
      return { before: [pairId(source.cls)], after: [pairId(source.sep)] };
    case 'TemplateProcessing':
      return parseTemplate(source, refuse);
    default:
      throw refuse(quote(source.type));
  }
}

function parseTemplate(source: JsonObject, refuse: (what: string) => Error): SpecialTokenTemplate {
  const template: SpecialTokenTemplate = { before: [], after: [] };
  let sequences = 0;
  for (const item of source.single as JsonObject[]) {
    if (isJsonObject(item.Sequence)) {
      sequences += 1;
      continue;
    }
    const name = (item.SpecialToken as JsonObject).id as string;
    const { ids } = (source.special_tokens as Record<string, JsonObject>)[name];
    (sequences === 0 ? template.before : template.after).push(...(ids as number[]));
  }
  if (sequences !== 1) throw refuse(`with a text used ${sequences} times`);
  return template;
}

/** The id of Bert's ["[CLS]", 101]. */
function pairId(pair: unknown): number {
  return (pair as [string, number])[1];
}
