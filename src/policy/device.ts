/**
 * Which device and how many threads a Policy gets. `auto` takes the first CUDA device that is usable, else the CPU; it
 * warns once where an NVIDIA device or driver is present but cannot be used, and is silent where there is none or
 * CUDA_VISIBLE_DEVICES hides it.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { posix } from 'node:path';
import { invalidRange, invalidType, isZeroRlError, ZeroRlError } from '../errors';
import { loadCuda, type CudaDevice } from '../libtorch/load-cuda';
import { devicesAreHidden, nvidiaPresent } from '../libtorch/nvidia';
import { log } from '../observe/log';
import { checkThreads } from '../thread-count';

const EXPECTED = 'one of "auto", "cpu", "cuda" or "cuda:N"';
/** The reason that was told last. */
let warned: string | undefined;

/** How CUDA is reached; tests have their own. */
export interface CudaAccess {
  /** Whether a device or a driver seems present. */
  isPresent(): boolean;
  /** The devices, at least one; throws ZeroRlError `ERR_ZERO_RL_CUDA_UNAVAILABLE` with the reason. */
  load(): CudaDevice[];
}

const machine: CudaAccess = { isPresent: nvidiaPresent, load: loadCuda };

/**
 * The engine's device, `cpu` or `cuda:N`, for an option (default: the environment's ZERO_RL_DEVICE, else `auto`).
 * @throws {RangeError} for an unknown name; ZeroRlError `ERR_ZERO_RL_CUDA_UNAVAILABLE` where `cuda` cannot be had.
 */
export function resolveDevice(
  option: unknown,
  environment: NodeJS.ProcessEnv = process.env,
  cuda: CudaAccess = machine,
): string {
  const fromEnvironment = option === undefined && Boolean(environment.ZERO_RL_DEVICE);
  const name = fromEnvironment ? 'ZERO_RL_DEVICE' : 'device';
  const value = fromEnvironment ? environment.ZERO_RL_DEVICE : (option ?? 'auto');
  if (typeof value !== 'string') throw invalidType(name, EXPECTED, value);
  if (value === 'cpu') return value;
  if (value === 'auto') return automaticDevice(environment, cuda);
  if (!/^cuda(:\d{1,3})?$/.test(value)) throw invalidRange(name, EXPECTED, value);
  const wanted = Number(value.split(':').at(1) ?? 0);
  const devices = cuda.load();
  const count = devices.length;
  if (wanted < count) {
    const { refusal } = devices[wanted];
    if (refusal !== null) throw refusal;
    return `cuda:${wanted}`;
  }
  throw new ZeroRlError(
    'ERR_ZERO_RL_CUDA_UNAVAILABLE',
    `The device ${value} does not exist because the driver gives ${count === 1 ? 'one device, cuda:0' : `${count} devices, cuda:0 to cuda:${count - 1}`}; ` +
      'name one of them.',
  );
}

/** Whether {@link resolveDevice} may look for a CUDA device, whose libraries take seconds to map. */
export function mayUseCuda(option: unknown, environment: NodeJS.ProcessEnv = process.env): boolean {
  const value = option ?? (environment.ZERO_RL_DEVICE || 'auto');
  return value !== 'cpu' && !devicesAreHidden(environment) && machine.isPresent();
}

function automaticDevice(environment: NodeJS.ProcessEnv, cuda: CudaAccess): string {
  if (devicesAreHidden(environment) || !cuda.isPresent()) return 'cpu';
  let reason: string | undefined;
  try {
    const devices = cuda.load();
    const usable = devices.findIndex(({ refusal }) => refusal === null);
    if (usable >= 0) return `cuda:${usable}`;
    reason = devices[0].refusal?.message;
  } catch (error) {
    if (!isZeroRlError(error) || error.code !== 'ERR_ZERO_RL_CUDA_UNAVAILABLE') throw error;
    reason = (error as Error).message;
  }
  if (warned !== reason) log.warn(`The device auto is the CPU here: ${reason}`);
  warned = reason;
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

let warnedOfThreads = false;

/**
 * The engine's number of threads for an option, default {@link defaultThreads}; warns once where there are more than processors.
 * @throws TypeError or RangeError
 */
export function engineThreads(option: unknown): number {
  if (option === undefined) return defaultThreads();
  const threads = checkThreads('threads', option);
  const useful = defaultThreads();
  if (threads > useful && !warnedOfThreads) {
    warnedOfThreads = true;
    log.warn(`${threads} threads share ${useful} processors here and wait for each other; ${useful} are faster`);
  }
  return threads;
}

/** Processors this process may use: its affinity, cut by its cgroup's CPU limit (rounded up), at least 1. */
export function defaultThreads(): number {
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(cgroupProcessors())));
}
