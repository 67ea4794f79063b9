/**
 * Text to token ids and back, as the Rust tokenizers of Hugging Face do it, for byte-level BPE (see tokenizer-kind.ts). The npm package @huggingface/tokenizers
 * normalizes, splits and merges; around it lie our own added tokens, special-token template and byte-level decoding,
 * where that package differs from the Rust library (see added-tokens.ts, tokenizer-rules.ts and token-bytes.ts).
 * `truncation` and `padding` of tokenizer.json are ignored. Characters newer than Node's Unicode tables may split
 * differently than in Python.
 */
import { join } from 'node:path';

import { invalidType, isZeroRlError } from '../errors';
import { AddedTokenSplitter, parseAddedTokens, type AddedToken, type Piece } from './added-tokens';
import type { JsonObject } from '../json-object';
import { log } from '../observe/log';
import { checkpointError, readJsonObject } from './checkpoint-file';
import { byteLevelBytes, unwrittenBytes } from './token-bytes';
import { checkKind } from './tokenizer-kind';
import { parsePostProcessor, preparePreTokenizer, type SpecialTokenTemplate } from './tokenizer-rules';

/** The parts used of @huggingface/tokenizers, whose own declarations do not resolve from CommonJS. */
interface Pipeline {
  normalizer: ((text: string) => string) | null;
  pre_tokenizer: ((text: string, options: { section_index: number }) => string[]) | null;
  model: ((words: string[]) => string[]) & {
    vocab: (string | undefined)[];
    tokens_to_ids: Map<string, number>;
    unk_token_id?: number;
  };
}

interface Library {
  Tokenizer: new (tokenizer: JsonObject, config: JsonObject) => Pipeline;
}

/** By require, since test runners have no import(). */
function loadLibrary(): Library {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require('@huggingface/tokenizers') as Library;
}

const NO_BYTES = new Uint8Array();

export class Tokenizer {
  /** One more than the largest id; a model's own vocabulary may be larger. */
  readonly vocabSize: number;
  /** Texts and ids of the special tokens, which `skipSpecialTokens` leaves out. */
  readonly specialTokens: ReadonlyMap<string, number>;

  private readonly raw: AddedTokenSplitter;
  private readonly normalized: AddedTokenSplitter;
  private readonly specialIds: ReadonlySet<number>;
  private readonly bytes: (Uint8Array | undefined)[] = [];
  private warned = false;

  private constructor(
    private readonly pipeline: Pipeline,
    /** Characters that stand for bytes without a token; null: none. The Rust library drops them before it merges. */
    private readonly unwritten: RegExp | null,
    private readonly template: SpecialTokenTemplate,
    added: readonly AddedToken[],
  ) {
    const { model, normalizer } = pipeline;
    this.raw = new AddedTokenSplitter(added.filter((token) => !token.normalized));
    const normalize = (token: AddedToken) => (token.normalized && normalizer?.(token.content)) || token.content;
    this.normalized = new AddedTokenSplitter(
      added.filter((token) => token.normalized),
      normalize,
    );
    for (const token of added) {
      // As in Rust, a normalized token is decoded to its normalized form.
      model.vocab[token.id] = normalize(token);
      model.tokens_to_ids.set(token.content, token.id);
    }
    this.vocabSize = model.vocab.length;
    this.specialTokens = new Map(added.filter(({ special }) => special).map(({ content, id }) => [content, id]));
    this.specialIds = new Set(this.specialTokens.values());
  }

  /**
   * Reads `directory`/tokenizer.json; null when there is none.
   * @throws ZeroRlError ERR_ZERO_RL_CHECKPOINT when it is too large, broken, or of a kind not implemented
   */
  static async load(directory: string): Promise<Tokenizer | null> {
    const file = join(directory, 'tokenizer.json');
    const source = await readJsonObject(file);
    return source === null ? null : Tokenizer.fromJson(source, file);
  }

  /** From the parsed tokenizer.json; `file` is for messages. Errors as for {@link Tokenizer.load}. */
  // eslint-disable-next-line @typescript-eslint/require-await -- errors are rejections
  static async fromJson(source: JsonObject, file = 'tokenizer.json'): Promise<Tokenizer> {
    checkKind(source, file);
    const library = loadLibrary();
    try {
      const pipeline = new library.Tokenizer(
        {
          normalizer: source.normalizer ?? null,
          pre_tokenizer: preparePreTokenizer(source.pre_tokenizer, file),
          model: source.model,
          decoder: null,
          post_processor: null,
          added_tokens: [],
        },
        {},
      );
      const added = parseAddedTokens(source.added_tokens, file).map((token) => ({
        ...token,
        id: pipeline.model.tokens_to_ids.get(token.content) ?? token.id,
      }));
      return new Tokenizer(
        pipeline,
        unwrittenBytes(source.model as JsonObject),
        parsePostProcessor(source.post_processor, file),
        added,
      );
    } catch (error) {
      if (isZeroRlError(error)) throw error;
      throw checkpointError(
        `${file} is broken or of a kind that is not implemented; use the tokenizer of a Qwen or Llama 3 model.`,
        error,
      );
    }
  }

  /**
   * @param options.addSpecialTokens whether the post-processor's tokens (such as <|begin_of_text|>) are added, default
   *   true. Special tokens written in the text are always recognised.
   */
  encode(text: string, { addSpecialTokens = true }: { addSpecialTokens?: boolean } = {}): Int32Array {
    if (typeof text !== 'string') throw invalidType('text', 'a string', text);
    const ids: number[] = addSpecialTokens ? [...this.template.before] : [];
    for (const [section, piece] of this.pieces(text).entries()) {
      if (typeof piece !== 'string') ids.push(piece.id);
      else this.encodePiece(piece, section, ids);
    }
    if (addSpecialTokens) {
      this.warnOfRepeated(ids);
      ids.push(...this.template.after);
    }
    return Int32Array.from(ids);
  }

  /**
   * Bytes that are not UTF-8, such as half of a character at a cut, become U+FFFD as in Python. Ids without a token are
   * left out.
   * @param options.skipSpecialTokens leaves special tokens out, default false
   */
  decode(ids: ArrayLike<number>, { skipSpecialTokens = false }: { skipSpecialTokens?: boolean } = {}): string {
    const skipped = (id: number): boolean => skipSpecialTokens && this.specialIds.has(id);
    // Nothing is made for a token: a batch has hundreds of thousands, on the thread of the event loop.
    let size = 0;
    for (let i = 0; i < ids.length; i++) if (!skipped(ids[i])) size += this.bytesOf(ids[i]).length;
    const bytes = new Uint8Array(size);
    let at = 0;
    for (let i = 0; i < ids.length; i++) {
      if (skipped(ids[i])) continue;
      const own = this.bytesOf(ids[i]);
      bytes.set(own, at);
      at += own.length;
    }
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  }

  /** The token as the vocabulary writes it (byte-level tokens in the alphabet of token-bytes.ts). */
  idToToken(id: number): string | undefined {
    return this.pipeline.model.vocab[id];
  }

  /** The id of a token in that spelling. */
  tokenToId(token: string): number | undefined {
    return this.pipeline.model.tokens_to_ids.get(token);
  }

  /** What one token adds to a text; see `tokenBytes` of token-bytes.ts. Empty for an id without a token. */
  bytesOf(id: number): Uint8Array {
    const token = this.idToToken(id);
    if (token === undefined) return NO_BYTES;
    return (this.bytes[id] ??= byteLevelBytes(token));
  }

  /** Says once where a text begins with a token that the template puts before it, as a chat template's text does. */
  private warnOfRepeated(ids: readonly number[]): void {
    const { before } = this.template;
    const last = before.at(-1);
    if (this.warned || last === undefined || ids[before.length] !== last) return;
    this.warned = true;
    log.warn(
      `A text begins with ${this.idToToken(last) ?? last}, which the tokenizer adds as well, so that it stands there twice; leave it out, or set addSpecialTokens to false (data.addSpecialTokens in a config, --no-special-tokens in zero-rl sample).`,
    );
  }

  private pieces(text: string): Piece[] {
    const { normalizer } = this.pipeline;
    return this.raw
      .split(text)
      .flatMap((piece) => (typeof piece === 'string' ? this.normalized.split(normalizer?.(piece) ?? piece) : [piece]));
  }

  private encodePiece(text: string, section: number, ids: number[]): void {
    const { pre_tokenizer: split, model } = this.pipeline;
    const words = split === null ? [text] : split(text, { section_index: section });
    const { unwritten } = this;
    const written = unwritten === null ? words : words.map((word) => word.replace(unwritten, ''));
    for (const token of model(written.filter((word) => word !== ''))) {
      const id = model.tokens_to_ids.get(token) ?? model.unk_token_id;
      if (id !== undefined) ids.push(id);
    }
  }
}
