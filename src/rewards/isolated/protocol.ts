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
}

export type RewardReply =
  | { kind: 'ready' }
  | { kind: 'unusable'; code: ErrorCode; message: string }
  | { kind: 'result'; key: number; result: unknown }
  | { kind: 'threw'; key: number; message: string; stack: string | undefined };
