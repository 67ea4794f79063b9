/**
 * Finds training problems that are held-out problems too: the same text once case, spacing and sentence marks are set aside, or
 * many of the same n-grams of words (the contamination check of GPT-3, Brown et al. 2020, appendix C). N-grams of a template,
 * which many training problems share, say nothing and do not count.
 */
import type { Problem } from './dataset';

export interface LeakedProblem {
  /** Id of the training problem. */
  train: string;
  /** Id of the held-out problem that it matches most. */
  heldOut: string;
  /** `same`: equal but for case, spacing and sentence marks. `overlap`: it has that share of the held-out problem's n-grams. */
  kind: 'same' | 'overlap';
  /** Share of the held-out problem's n-grams, 1 for `same`. */
  overlap: number;
  trainText: string;
  heldOutText: string;
}

export interface LeakageOptions {
  /** Words of an n-gram; problems with fewer words are compared whole only. */
  ngram: number;
  /** Least share of the held-out problem's n-grams that counts. */
  overlap: number;
}

export interface Leakage {
  leaked: LeakedProblem[];
  /** Indices of the training problems among them. */
  indices: ReadonlySet<number>;
}

/** An n-gram that more training problems have is one of a template: this many, or this share of all where that is more. */
const TEMPLATE_PROBLEMS = 10;
const TEMPLATE_SHARE = 0.01;

/** Words, numbers and signs of operation; sentence marks are left out. */
export function wordsOf(text: string): string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}.,;:!?'"`’“”]/gu) ?? []
  );
}

function ngramsOf(words: readonly string[], n: number): Set<string> {
  const ngrams = new Set<string>();
  for (let i = 0; i + n <= words.length; i++) ngrams.add(words.slice(i, i + n).join(' '));
  return ngrams;
}

/** The training problems that leak held-out ones, each with the held-out problem that it matches most. */
export function findLeakage(
  training: readonly Problem[],
  heldOut: readonly Problem[],
  { ngram, overlap }: LeakageOptions,
): Leakage {
  const wholes = new Map<string, number>();
  const holders = new Map<string, number[]>();
  heldOut.forEach(({ problem }, i) => {
    const words = wordsOf(problem);
    wholes.set(words.join(' '), i);
    for (const gram of ngramsOf(words, ngram)) {
      const list = holders.get(gram);
      if (list) list.push(i);
      else holders.set(gram, [i]);
    }
  });

  const counts = new Map<string, number>();
  const shared = training.map(({ problem }) => {
    const words = wordsOf(problem);
    const same = wholes.get(words.join(' '));
    const grams = [...ngramsOf(words, ngram)].filter((gram) => holders.has(gram));
    for (const gram of grams) counts.set(gram, (counts.get(gram) ?? 0) + 1);
    return { same, grams };
  });
  const most = Math.max(TEMPLATE_PROBLEMS, TEMPLATE_SHARE * training.length);
  const tells = (gram: string): boolean => (counts.get(gram) ?? 0) <= most;
  const telling = heldOut.map(() => 0);
  for (const [gram, list] of holders) if (tells(gram)) for (const i of list) telling[i]++;

  const leaked: LeakedProblem[] = [];
  const indices = new Set<number>();
  shared.forEach(({ same, grams }, i) => {
    const best = same === undefined ? nearest(grams.filter(tells), holders, telling) : { index: same, share: 1 };
    if (best === null || best.share < overlap) return;
    indices.add(i);
    leaked.push({
      train: training[i].id,
      heldOut: heldOut[best.index].id,
      kind: same === undefined ? 'overlap' : 'same',
      overlap: best.share,
      trainText: training[i].problem,
      heldOutText: heldOut[best.index].problem,
    });
  });
  return { leaked, indices };
}

/** The held-out problem of which `grams` are the largest share. */
function nearest(
  grams: readonly string[],
  holders: ReadonlyMap<string, number[]>,
  telling: readonly number[],
): { index: number; share: number } | null {
  const hits = new Map<number, number>();
  for (const gram of grams) for (const i of holders.get(gram) ?? []) hits.set(i, (hits.get(i) ?? 0) + 1);
  let best: { index: number; share: number } | null = null;
  for (const [index, count] of hits) {
    const share = count / telling[index];
    if (best === null || share > best.share) best = { index, share };
  }
  return best;
}
