/**
 * Which tokenizers are read: byte-level BPE, as Qwen, Llama 3, GPT-2 and SmolLM have it. What @huggingface/tokenizers would read
 * as well but differently than the Rust library is refused by name: ids that are off by a little spoil a model in silence.
 */
import { isJsonObject, type JsonObject } from '../json-object';
import { isTokenId } from './added-tokens';
import { checkpointError, quote } from './checkpoint-file';

const NORMALIZERS = ['NFC', 'NFD', 'NFKC', 'NFKD'];
const PRE_TOKENIZERS = ['ByteLevel', 'Digits', 'Split'];

/** The parts of a Sequence, of Sequences in it too, or the one part that there is. */
function partsOf(source: unknown, list: string): unknown[] {
  if (source === null || source === undefined) return [];
  if (isJsonObject(source) && source.type === 'Sequence' && Array.isArray(source[list]))
    return source[list].flatMap((part) => partsOf(part, list));
  return [source];
}

const typeOf = (part: unknown): unknown => (isJsonObject(part) ? part.type : part);

function checkModel(model: JsonObject, broken: (problem: string) => Error, refuse: (what: string) => Error): void {
  if (!isJsonObject(model.vocab) || !Array.isArray(model.merges)) throw broken('its model has no vocab or no merges');
  const wrong = Object.entries(model.vocab).find(([, id]) => !isTokenId(id));
  if (wrong !== undefined) throw broken(`its token ${quote(wrong[0])} has the id ${quote(wrong[1])}`);
  for (const key of ['continuing_subword_prefix', 'end_of_word_suffix']) if (model[key]) throw refuse(`with ${key}`);
  for (const key of ['byte_fallback', 'fuse_unk']) if (model[key] === true) throw refuse(`with ${key}`);
}

/** @throws ZeroRlError ERR_ZERO_RL_CHECKPOINT when the file is broken or of another kind */
export function checkKind({ model, normalizer, pre_tokenizer, decoder }: JsonObject, file: string): void {
  const broken = (problem: string): Error =>
    checkpointError(`${file} is broken: ${problem}; download or save it again.`);
  const refuse = (what: string): Error =>
    checkpointError(
      `${file} is a tokenizer ${what}, and only byte-level BPE is implemented (Qwen, Llama 3, GPT-2, SmolLM); use a model with such a tokenizer.`,
    );
  if (!isJsonObject(model)) throw broken('it has no model');
  // Old files name no type where it is BPE.
  const type = model.type ?? (Array.isArray(model.merges) ? 'BPE' : null);
  if (type !== 'BPE') throw refuse(`of the kind ${quote(type)}`);
  checkModel(model, broken, refuse);
  const splits = partsOf(pre_tokenizer, 'pretokenizers');
  if (typeOf(decoder) !== 'ByteLevel' || !splits.some((part) => typeOf(part) === 'ByteLevel'))
    throw refuse('of characters, of the kind of SentencePiece');
  const odd = splits.find((part) => !PRE_TOKENIZERS.includes(String(typeOf(part))));
  if (odd !== undefined) throw refuse(`with the pre_tokenizer ${quote(typeOf(odd))}`);
  const levels = splits.filter((part) => isJsonObject(part) && part.type === 'ByteLevel');
  if (levels.some((part) => (part as JsonObject).add_prefix_space === true))
    throw refuse('that puts a space before each text (add_prefix_space)');
  const other = partsOf(normalizer, 'normalizers').find((part) => !NORMALIZERS.includes(String(typeOf(part))));
  if (other !== undefined) throw refuse(`with the normalizer ${quote(typeOf(other))}`);
}
