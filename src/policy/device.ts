/**
 * Which device and how many threads a Policy gets. This release computes on the CPU only: `cuda` is refused by name,
 * `auto` takes the CPU and says so once where an NVIDIA device seems present.
 */
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { posix } from 'node:path';
import { invalidRange, invalidType, ZeroRlError } from '../errors';
import { log } from '../observe/log';

const EXPECTED = 'one of "auto", "cpu", "cuda" or "cuda:N"';
let warned = false;

/**
 * The engine's device for an option (default: the environment's ZERO_RL_DEVICE, else `auto`).
 * @throws {RangeError} for an unknown name; ZeroRlError `ERR_ZERO_RL_CUDA_UNAVAILABLE` for `cuda`.
 */
export function resolveDevice(option: unknown, environment: NodeJS.ProcessEnv = process.env): string {
  const fromEnvironment = option === undefined && Boolean(environment.ZERO_RL_DEVICE);
  const name = fromEnvironment ? 'ZERO_RL_DEVICE' : 'device';
  const value = fromEnvironment ? environment.ZERO_RL_DEVICE : (option ?? 'auto');
  if (typeof value !== 'string') throw invalidType(name, EXPECTED, value);
  if (value === 'cpu') return value;
  if (/^cuda(:\d{1,3})?$/.test(value)) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_CUDA_UNAVAILABLE',
      `The device ${value} cannot be used because this release of zero-rl computes on the CPU only; use the device cpu.`,
    );
  }
  if (value !== 'auto') throw invalidRange(name, EXPECTED, value);
  if (!warned && existsSync('/dev/nvidiactl')) {
    warned = true;
    log.warn('An NVIDIA device seems present, but this release of zero-rl computes on the CPU only.');
  }
  return 'cpu';
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/**
 * Processors' worth of time that the cgroup of this process may use (v2 `cpu.max`, v1 `cpu.cfs_quota_us`), the least
 * over its ancestors; Infinity without a limit. `root` is the root of the file system, for tests.
 */
export function cgroupProcessors(root = '/'): number {
  let limit = Infinity;
  const consider = (quota: string | undefined, period: string | undefined): void => {
    const processors = Number(quota) / Number(period);
    if (processors > 0) limit = Math.min(limit, processors);
  };
  for (const line of (read(posix.join(root, 'proc/self/cgroup')) ?? '').split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    if (match === null) continue;
    const [, controllers, path] = match;
    if (controllers !== '' && !controllers.split(',').includes('cpu')) continue;
    for (let group = posix.join('/', path); ; group = posix.dirname(group)) {
      const folder = posix.join(root, 'sys/fs/cgroup', controllers === '' ? '' : 'cpu', group);
      if (controllers === '') {
        const [quota, period] = (read(posix.join(folder, 'cpu.max')) ?? '').split(' ');
        consider(quota, period);
      } else {
        consider(read(posix.join(folder, 'cpu.cfs_quota_us')), read(posix.join(folder, 'cpu.cfs_period_us')));
      }
      if (group === '/') break;
    }
  }
  return limit;
}

/** Processors this process may use: its affinity, cut by its cgroup's CPU limit (rounded up), at least 1. */
export function defaultThreads(): number {
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(cgroupProcessors())));
}
