/** Entry of the thread that runs a user's reward. */
import { parentPort, workerData } from 'node:worker_threads';
import { isZeroRlError } from '../../errors';
import { checkResults, countedKeys } from '../complete-score';
import type { RewardFunction } from '../types';
import { loadRewardFunction } from '../user-reward';
import type { RewardReply, RewardWorkerData, SampleMessage } from './protocol';

/** Of an object the keys that count: what else it holds may not be fit to be sent. */
function sendable(result: unknown): unknown {
  return typeof result === 'object' && result !== null ? countedKeys(result) : result;
}

async function serve(): Promise<void> {
  const port = parentPort;
  if (port === null) return;
  const { reference, current } = workerData as RewardWorkerData;
  const reply = (message: RewardReply): void => port.postMessage(message);
  const threw = (key: number | null, error: unknown): void => {
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
  const scoreOne = ({ key, sample }: SampleMessage): void => {
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
      .then((value) => reply({ kind: 'result', key, result: sendable(value) }))
      .catch((error: unknown) => threw(key, error));
  };
  let batch: SampleMessage[] = [];
  const scoreBatch = async (messages: readonly SampleMessage[]): Promise<void> => {
    try {
      const results: unknown = await reward.scoreAll?.(messages.map(({ sample }) => sample));
      checkResults(results, messages.length).forEach((result, i) =>
        reply({ kind: 'result', key: messages[i].key, result: sendable(result) }),
      );
    } catch (error) {
      if (isZeroRlError(error)) reply({ kind: 'wrong', message: (error as Error).message });
      else threw(null, error);
    }
  };
  const batches = typeof reward.scoreAll === 'function';
  port.on('message', (message: SampleMessage) => {
    if (!batches) {
      scoreOne(message);
      return;
    }
    batch.push(message);
    if (!message.last) return;
    const whole = batch;
    batch = [];
    void scoreBatch(whole);
  });
  reply({ kind: 'ready', batches });
}

void serve();
