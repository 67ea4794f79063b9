/**
 * A character-level tokenizer as the files of a Hugging Face folder: one token per character and one special token that
 * begins every text, separates documents and ends completions. It is a BPE without merges, so every library that reads
 * tokenizer.json loads it; a character outside the alphabet becomes the special token `<|unknown|>`.
 */
import { join } from 'node:path';
import { makeFolder, writeFileAtomically } from '../policy/atomic-file';

/** Begins a document, ends it, and pads. */
export const SEPARATOR = '<|endoftext|>';
export const SEPARATOR_ID = 0;
const UNKNOWN = '<|unknown|>';
const UNKNOWN_ID = 1;

/** Newline and the printable characters of ASCII. */
export const ASCII = ['\n', ...Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))];

/** Characters of a tokenizer for `texts`: ASCII and whatever else occurs, in the order of code points. */
export function alphabetOf(texts: Iterable<string>): string[] {
  const seen = new Set(ASCII);
  for (const text of texts) for (const character of text) seen.add(character);
  return [...seen].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
}

function specialToken(id: number, content: string): object {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

/** Contents of tokenizer.json. */
export function characterTokenizer(alphabet: readonly string[]): object {
  const separator = { SpecialToken: { id: SEPARATOR, type_id: 0 } };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [specialToken(SEPARATOR_ID, SEPARATOR), specialToken(UNKNOWN_ID, UNKNOWN)],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing',
      single: [separator, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [separator, { Sequence: { id: 'A', type_id: 0 } }, separator, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: { [SEPARATOR]: { id: SEPARATOR, ids: [SEPARATOR_ID], tokens: [SEPARATOR] } },
    },
    decoder: { type: 'Fuse' },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: UNKNOWN,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries([SEPARATOR, UNKNOWN, ...alphabet].map((token, id) => [token, id])),
      merges: [],
    },
  };
}

/** Tokens of a character tokenizer with this alphabet. */
export function vocabularySize(alphabet: readonly string[]): number {
  return alphabet.length + 2;
}

/** Writes tokenizer.json, tokenizer_config.json and generation_config.json. */
export async function writeCharacterTokenizer(
  directory: string,
  alphabet: readonly string[],
  maxPositions: number,
): Promise<void> {
  const files = {
    'tokenizer.json': characterTokenizer(alphabet),
    'tokenizer_config.json': {
      tokenizer_class: 'PreTrainedTokenizerFast',
      bos_token: SEPARATOR,
      eos_token: SEPARATOR,
      pad_token: SEPARATOR,
      unk_token: UNKNOWN,
      clean_up_tokenization_spaces: false,
      model_max_length: maxPositions,
    },
    'generation_config.json': {
      bos_token_id: SEPARATOR_ID,
      eos_token_id: SEPARATOR_ID,
      pad_token_id: SEPARATOR_ID,
    },
  };
  await makeFolder(directory);
  for (const [name, content] of Object.entries(files)) {
    await writeFileAtomically(join(directory, name), `${JSON.stringify(content, null, 1)}\n`);
  }
}
