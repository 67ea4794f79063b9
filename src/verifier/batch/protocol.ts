/** What the pool and its workers say to each other. A worker has one chunk at a time, so messages need no numbers. */
import type { Verdict, VerifyOptions } from '../verdict';

/** Part of a text too long for one message; the chunk that follows takes the parts in place of an empty string. */
export interface PieceMessage {
  kind: 'piece';
  of: 'gold' | 'completion';
  text: string;
}

/** Cases to check; `goldOf[i]` is the index in `golds` of case i's gold, so a gold is sent once for its neighbours. */
export interface ChunkMessage {
  kind: 'chunk';
  statement: VerifyOptions['statement'];
  golds: string[];
  goldOf: number[];
  completions: string[];
}

export type WorkerReply =
  | { kind: 'ready' }
  /** `failed`: cases on which the check threw, which it never should. */
  | { kind: 'verdicts'; verdicts: Verdict[]; failed: { index: number; message: string }[] };

/** Fields of the Int32Array that a worker shares with the pool, so that a hung worker can be seen. */
export const progressField = {
  /** 1 once the worker has begun with the chunk. */
  started: 0,
  /** Cases of the chunk that are done. */
  done: 1,
} as const;
export const PROGRESS_FIELDS = 2;
