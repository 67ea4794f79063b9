/**
 * Corpora of next-token training. A corpus is an endless seeded sequence of documents addressed by index, so the state of
 * a run is its step alone: a generator draws document i from (seed, i), files are shuffled anew each epoch by (seed,
 * epoch). Held-out documents never train: a generator holds out problems, files hold out documents, both by a hash of
 * what is held out. Files are kept in memory.
 */
import { readFile } from 'node:fs/promises';
import { arithmeticDocument } from '../data/arithmetic';
import { hashWords } from '../data/random';
import { shuffled } from '../data/order';
import { readJsonLines } from '../data/jsonl';
import { ZeroRlError } from '../errors';
import type { CorpusConfig } from './pretrain-config';

export interface Corpus {
  /** Document `index` (from 0, without end) in the order of `seed`. */
  document(index: number): string;
  /** The first `count` held-out documents, fewer where there are no more. */
  heldOut(count: number): string[];
  /** Texts that hold every byte of the corpus; null for a generator of ASCII. */
  texts: readonly string[] | null;
}

function generatedCorpus(seed: number): Corpus {
  return {
    document: (index) => arithmeticDocument(seed, index, 'train'),
    heldOut: (count) => Array.from({ length: count }, (_, index) => arithmeticDocument(seed, index, 'heldOut')),
    texts: null,
  };
}

/** Documents of one file: a `.jsonl` line's text, or the parts of any other file between lines that equal `separator`. */
async function readDocuments(file: string, textKey: string, separator: string): Promise<string[]> {
  if (file.endsWith('.jsonl')) {
    const documents: string[] = [];
    for await (const { line, value, error } of readJsonLines(file)) {
      if (error) throw error;
      const text = value[textKey];
      if (typeof text !== 'string') {
        throw new ZeroRlError(
          'ERR_ZERO_RL_DATA',
          `Line ${line} of ${file} has no text under ${JSON.stringify(textKey)}; name the key of the text in corpus.textKey.`,
        );
      }
      documents.push(text);
    }
    return documents;
  }
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    throw new ZeroRlError('ERR_ZERO_RL_DATA', `${file} cannot be read; correct corpus.files.`, { cause: error });
  }
  return `\n${content}\n`.split(`\n${separator}\n`).map((part) => part.replace(/^\n|\n$/g, ''));
}

/** A corpus of given documents, of which about one in `heldOutEvery` is held out. */
export function documentCorpus(documents: readonly string[], seed: number, heldOutEvery: number): Corpus {
  const isHeldOut = (text: string): boolean => (hashWords(text)[0] >>> 0) % heldOutEvery === 0;
  const texts = documents.filter((text) => text.trim() !== '');
  const training = texts.filter((text) => !isHeldOut(text));
  const heldOut = texts.filter(isHeldOut);
  if (training.length === 0) {
    throw new ZeroRlError('ERR_ZERO_RL_DATA', 'The corpus has no document to train on; add text to corpus.files.');
  }
  let epoch = -1;
  let order: Uint32Array = new Uint32Array();
  return {
    document: (index) => {
      const wanted = Math.floor(index / training.length);
      if (wanted !== epoch) {
        order = shuffled(training.length, seed, wanted);
        epoch = wanted;
      }
      return training[order[index % training.length]];
    },
    heldOut: (count) => heldOut.slice(0, count),
    texts,
  };
}

/** Opens the corpus that a config names. @throws ZeroRlError `ERR_ZERO_RL_DATA` */
export async function openCorpus(config: CorpusConfig, seed: number): Promise<Corpus> {
  if (config.generator !== undefined) return generatedCorpus(seed);
  const documents = await Promise.all(
    (config.files ?? []).map((file) => readDocuments(file, config.textKey, config.documentSeparator)),
  );
  return documentCorpus(documents.flat(), seed, config.heldOutEvery);
}
