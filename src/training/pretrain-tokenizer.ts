/**
 * A tokenizer without merges as the files of a Hugging Face folder: one token per byte and one special token that begins
 * every text, separates documents and ends completions. It is a byte-level BPE, because transformers gives every Qwen2
 * model a byte-level pre-tokenizer whatever tokenizer.json says; splitting changes nothing where nothing is merged. ASCII
 * text has one token per character. A byte outside the alphabet becomes the special token `<|unknown|>`.
 */
import { join } from 'node:path';
import { makeFolder, writeFileAtomically } from '../policy/atomic-file';
import { byteLevelCharacter } from '../policy/token-bytes';

/** Begins a document, ends it, and pads. */
export const SEPARATOR = '<|endoftext|>';
export const SEPARATOR_ID = 0;
const UNKNOWN = '<|unknown|>';
const UNKNOWN_ID = 1;

/** Newline and the printable characters of ASCII. */
export const ASCII_BYTES: readonly number[] = [0x0a, ...Array.from({ length: 95 }, (_, i) => 0x20 + i)];

/** Bytes of a tokenizer for `texts`: those of ASCII and whatever else occurs in UTF-8, in order. */
export function bytesOf(texts: Iterable<string>): number[] {
  const seen = new Set(ASCII_BYTES);
  for (const text of texts) for (const byte of Buffer.from(text)) seen.add(byte);
  return [...seen].sort((a, b) => a - b);
}

function specialToken(id: number, content: string): object {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

/** Contents of tokenizer.json. */
export function byteTokenizer(alphabet: readonly number[]): object {
  const separator = { SpecialToken: { id: SEPARATOR, type_id: 0 } };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [specialToken(SEPARATOR_ID, SEPARATOR), specialToken(UNKNOWN_ID, UNKNOWN)],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    post_processor: {
      type: 'TemplateProcessing',
      single: [separator, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [separator, { Sequence: { id: 'A', type_id: 0 } }, separator, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: { [SEPARATOR]: { id: SEPARATOR, ids: [SEPARATOR_ID], tokens: [SEPARATOR] } },
    },
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: UNKNOWN,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(
        [SEPARATOR, UNKNOWN, ...alphabet.map(byteLevelCharacter)].map((token, id) => [token, id]),
      ),
      merges: [],
    },
  };
}

/** Writes tokenizer.json, tokenizer_config.json and generation_config.json. */
export async function writeByteTokenizer(
  directory: string,
  alphabet: readonly number[],
  maxPositions: number,
): Promise<void> {
  const files = {
    'tokenizer.json': byteTokenizer(alphabet),
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
