/** What the main thread and the thread of a user's reward say to each other. */
import type { ErrorCode } from '../../errors';
import type { RewardSample } from '../types';

export interface RewardWorkerData {
  /** `/absolute/my.mjs#name`. */
  reference: string;
  /** One Int32: the key of the sample whose call is on the thread's stack, else -1. */
  current: Int32Array;
}

export interface SampleMessage {
  key: number;
  sample: RewardSample;
  /** The last of its batch: a reward with `scoreAll` scores those sent since the batch before. */
  last: boolean;
}

export type RewardReply =
  /** `batches`: the reward has `scoreAll`. */
  | { kind: 'ready'; batches: boolean }
  | { kind: 'unusable'; code: ErrorCode; message: string }
  | { kind: 'result'; key: number; result: unknown }
  /** `key` null: on a batch. */
  | { kind: 'threw'; key: number | null; message: string; stack: string | undefined }
  /** What `scoreAll` returned cannot be used, in one sentence. */
  | { kind: 'wrong'; message: string };
