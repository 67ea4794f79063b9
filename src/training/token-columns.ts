/** What rollouts keep of every response token. */
import type { Sample } from './rollouts';
import type { TrainingPolicy } from './training-policy';

/** Columns of a row of rollouts/step-N.jsonl, one entry per response token. */
export interface TokenColumns {
  /** Characters (UTF-16 units) of the completion that each token adds; absent where they do not make up the completion. */
  tokenLengths?: number[];
  /** Nats, to three decimals. */
  logProbs: number[];
  /** logProb − referenceLogProb in nats, to three decimals; absent without a reference. */
  kl?: number[];
}

const rounded = (values: Float32Array): number[] => Array.from(values, (value) => Math.round(value * 1000) / 1000);

/** Lengths of the tokens' texts, null where the tokenizer's tokens joined are not the completion. */
function tokenLengths({ tokenizer }: TrainingPolicy, { rollout, completion }: Sample): number[] | null {
  if (tokenizer?.bytesOf === undefined) return null;
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const skipped = new Set(tokenizer.specialTokens?.values());
  const lengths: number[] = [];
  let text = '';
  for (const id of rollout.tokens) {
    const piece = skipped.has(id) ? '' : decoder.decode(tokenizer.bytesOf(id), { stream: true });
    text += piece;
    lengths.push(piece.length);
  }
  const rest = decoder.decode();
  if (lengths.length > 0) lengths[lengths.length - 1] += rest.length;
  return text + rest === completion ? lengths : null;
}

/** The text of each token by itself, special tokens included; bytes that are no character by themselves are U+FFFD. */
export function tokenTexts({ tokenizer }: TrainingPolicy, tokens: Int32Array): string[] {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return Array.from(tokens, (id) => {
    if (tokenizer?.bytesOf) return decoder.decode(tokenizer.bytesOf(id));
    return tokenizer?.decode(Int32Array.of(id)) ?? '';
  });
}

export function tokenColumns(policy: TrainingPolicy, sample: Sample, kl: Float32Array | undefined): TokenColumns {
  const lengths = tokenLengths(policy, sample);
  return {
    ...(lengths ? { tokenLengths: lengths } : {}),
    logProbs: rounded(sample.rollout.logProbs),
    ...(kl ? { kl: rounded(kl) } : {}),
  };
}
