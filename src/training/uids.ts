/**
 * Uids, the keys of the randomness of a sample beside the seed: integers below 2^53. Every use of a policy in a run has a range
 * of its own, and the later turns of its episodes another.
 */
import { ZeroRlError } from '../errors';

/** Where the uids of each kind of prompt begin: none reaches the next. */
export const firstUid = {
  training: 0,
  evaluation: 2 ** 40,
  difficulty: 2 ** 41,
  refill: 2 ** 42,
  preview: 2 ** 43,
  again: 2 ** 44,
} as const;

/** Most rounds of other prompts for a step none of whose samples could be scored; their prompts are those of the kind `again`. */
export const ROUNDS_AGAIN = 3;

const kinds = Object.values(firstUid);
/** Later turns lie above all first turns, so many uids for each kind. */
const FIRST_OF_TURNS = 2 ** 52;
export const TURNS_OF_A_KIND = 2 ** 49;

/** A turn after the first of one of the `n` episodes of the prompt `uid`. */
export interface TurnKey {
  uid: number;
  sample: number;
  n: number;
  /** From 1; below `maxTurns`. */
  turn: number;
  maxTurns: number;
}

/**
 * The uid of a later turn: no two turns of a run share one.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` beyond 2^49 turns of a kind
 */
export function turnUid({ uid, sample, n, turn, maxTurns }: TurnKey): number {
  const kind = kinds.findLastIndex((first) => uid >= first);
  const place = ((uid - kinds[kind]) * n + sample) * maxTurns + turn;
  if (place < TURNS_OF_A_KIND) return FIRST_OF_TURNS + kind * TURNS_OF_A_KIND + place;
  throw new ZeroRlError(
    'ERR_ZERO_RL_CONFIG',
    `Turn ${turn} of sample ${sample} of the prompt with uid ${uid} has no key of randomness left; lower environment.maxTurns (${maxTurns}) or the samples of a prompt (${n})`,
  );
}
