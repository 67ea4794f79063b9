/** Entry of the thread that runs a user's reward. */
import { parentPort, workerData } from 'node:worker_threads';
import { isZeroRlError } from '../../errors';
import type { RewardFunction } from '../types';
import { loadRewardFunction } from '../user-reward';
import type { RewardReply, RewardWorkerData, SampleMessage } from './protocol';

const FIELDS = ['reward', 'reason', 'correct', 'formatted'] as const;

/** The known fields of a score: what else the object holds may not be fit to be sent. */
function plain(result: unknown): unknown {
  if (typeof result !== 'object' || result === null) return result;
  const score = result as Record<string, unknown>;
  return Object.fromEntries(FIELDS.flatMap((field) => (field in score ? [[field, score[field]]] : [])));
}

async function serve(): Promise<void> {
  const port = parentPort;
  if (port === null) return;
  const { reference, current } = workerData as RewardWorkerData;
  const reply = (message: RewardReply): void => port.postMessage(message);
  const threw = (key: number, error: unknown): void => {
    const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
    reply({ kind: 'threw', key, message, stack });
  };

  let reward: RewardFunction;
  try {
    reward = await loadRewardFunction(reference);
  } catch (error) {
    const code = isZeroRlError(error) ? error.code : 'ERR_ZERO_RL_CONFIG';
    reply({ kind: 'unusable', code, message: error instanceof Error ? error.message : String(error) });
    return;
  }
  // Samples are messages of their own, so the result of a synchronous reward is sent before the next call.
  port.on('message', ({ key, sample }: SampleMessage) => {
    Atomics.store(current, 0, key);
    let result: ReturnType<RewardFunction>;
    try {
      result = reward(sample);
    } catch (error) {
      threw(key, error);
      return;
    } finally {
      Atomics.store(current, 0, -1);
    }
    Promise.resolve(result)
      .then((value) => reply({ kind: 'result', key, result: plain(value) }))
      .catch((error: unknown) => threw(key, error));
  });
  reply({ kind: 'ready' });
}

void serve();
