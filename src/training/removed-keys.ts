/** Keys that configs once had, and what stands in their place. */
import { ZeroRlError } from '../errors';

type Plain = Record<string, unknown>;
const section = (value: unknown): Plain => (typeof value === 'object' && value !== null ? (value as Plain) : {});

/**
 * `rollout.lengthPenalty.buffer` and `factor` were the reward `length` once more. Where they were off, as in the resolved
 * config of an older run, they are taken out.
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` that says what to write instead
 */
export function checkRemovedKeys(config: Plain, where: string): void {
  const penalty = section(section(config.rollout).lengthPenalty);
  const { buffer = 0, factor = 1 } = penalty;
  if (buffer !== 0 && factor !== 0) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_CONFIG',
      `rollout.lengthPenalty.buffer is a reward now; add { name: length, buffer: ${String(buffer)}, penalty: -${String(factor)} } to the list under reward in ${where}`,
    );
  }
  delete penalty.buffer;
  delete penalty.factor;
}
