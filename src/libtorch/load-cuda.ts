/** The CUDA part: found, mapped and asked for its devices, with the precise reason where that fails. */
import * as binding from '../../binding/index.js';
import { ZeroRlError } from '../errors';
import { packageRoot } from '../package-root';
import { loadNative } from './load';
import { devicesAreHidden } from './nvidia';
import { checkPlatform } from './platform';
import { INSTALL_COMMAND, resolveLibtorch } from './resolve';

function failure(reason: string, advice: string, cause?: unknown): ZeroRlError {
  return new ZeroRlError('ERR_ZERO_RL_CUDA_UNAVAILABLE', `CUDA cannot be used because ${reason}; ${advice}.`, {
    cause,
  });
}

/** Runs one step; its failure becomes the reason. */
function attempt<T>(step: () => T, reason: string, advice: string): T {
  try {
    return step();
  } catch (error) {
    throw failure(`${reason} (${(error as Error).message})`, advice, error);
  }
}

/** What came of it the first time: devices, or why there are none. Looking again would ask Python again. */
let outcome: number | ZeroRlError | undefined;

/**
 * Maps libtorch's CUDA part and our kernels, loads the addon and counts the devices, of which there is at least one.
 * @throws ZeroRlError `ERR_ZERO_RL_CUDA_UNAVAILABLE`, or what {@link loadNative} throws
 */
export function loadCuda(environment: NodeJS.ProcessEnv = process.env): number {
  if (devicesAreHidden(environment)) {
    throw failure(`CUDA_VISIBLE_DEVICES=${environment.CUDA_VISIBLE_DEVICES!} hides every device`, 'unset it');
  }
  if (outcome === undefined) {
    try {
      outcome = mapAndCount(environment);
    } catch (error) {
      if (!(error instanceof ZeroRlError) || error.code !== 'ERR_ZERO_RL_CUDA_UNAVAILABLE') throw error;
      outcome = error;
    }
  }
  if (typeof outcome === 'number') return outcome;
  throw outcome;
}

function mapAndCount(environment: NodeJS.ProcessEnv): number {
  checkPlatform();
  attempt(
    () => binding.preload('libcuda.so.1'),
    'there is no NVIDIA driver',
    'install one, or give the container access to the device',
  );
  const { directory, cuda } = resolveLibtorch(environment);
  if (!cuda) throw failure(`libtorch in ${directory} has no CUDA part`, `run \`${INSTALL_COMMAND} --cuda\``);
  if (binding.cudaLibraryPath(packageRoot) === undefined) {
    throw failure(
      'libzero_rl_cuda.so, which holds the kernels, is missing beside the addon',
      'in a checkout run `npm run build:cuda`, otherwise reinstall zero-rl',
    );
  }
  attempt(
    () => binding.mapCuda(directory, packageRoot),
    'a library could not be loaded',
    `run \`${INSTALL_COMMAND} --cuda --force\` for a complete copy`,
  );
  const { cudaDeviceCount } = loadNative();
  const advice = 'see whether nvidia-smi lists one; CUDA 13 needs driver 580 or newer';
  const count = attempt(cudaDeviceCount, 'the driver gives no device', advice);
  if (count === 0) throw failure('the driver gives no device', advice);
  return count;
}
