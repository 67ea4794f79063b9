/** The CUDA part: found, mapped and asked for its devices, with the precise reason where that fails. */
import * as binding from '../../binding/index.js';
import { ZeroRlError } from '../errors';
import type { NativeBinding } from '../../binding/native';
import { packageRoot } from '../package-root';
import { architecturesText, capabilityText, runsOn } from './compute-capability';
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

export interface CudaDevice {
  /** `ERR_ZERO_RL_CUDA_UNAVAILABLE` where our kernels do not run on it, else null. */
  refusal: ZeroRlError | null;
}

/** What came of it the first time: devices, or why there are none. Looking again would ask Python again. */
let outcome: CudaDevice[] | ZeroRlError | undefined;

/**
 * Maps libtorch's CUDA part and our kernels, loads the addon and lists the devices, of which there is at least one.
 * @throws ZeroRlError `ERR_ZERO_RL_CUDA_UNAVAILABLE`, or what {@link loadNative} throws
 */
export function loadCuda(environment: NodeJS.ProcessEnv = process.env): CudaDevice[] {
  if (devicesAreHidden(environment)) {
    throw failure(`CUDA_VISIBLE_DEVICES=${environment.CUDA_VISIBLE_DEVICES!} hides every device`, 'unset it');
  }
  if (outcome === undefined) {
    try {
      outcome = mapAndList(environment);
    } catch (error) {
      if (!(error instanceof ZeroRlError) || error.code !== 'ERR_ZERO_RL_CUDA_UNAVAILABLE') throw error;
      outcome = error;
    }
  }
  if (outcome instanceof ZeroRlError) throw outcome;
  return outcome;
}

/** Devices by their compute capabilities, of kernels compiled for `architectures`; see compute-capability.ts. */
export function cudaDevices({ architectures, capabilities }: ReturnType<NativeBinding['cudaDevices']>): CudaDevice[] {
  return capabilities.map((capability, i) => {
    if (runsOn(architectures, capability)) return { refusal: null };
    const reason =
      `the device cuda:${i} has compute capability ${capabilityText(capability)} and the kernels were compiled for ` +
      architecturesText(architectures);
    return { refusal: failure(reason, 'use the device cpu, or in a checkout run `npm run build:cuda -- --arch`') };
  });
}

function mapAndList(environment: NodeJS.ProcessEnv): CudaDevice[] {
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
  const native = loadNative();
  const advice = 'see whether nvidia-smi lists one; CUDA 13 needs driver 580 or newer';
  const devices = cudaDevices(attempt(native.cudaDevices, 'the driver gives no device', advice));
  if (devices.length === 0) throw failure('the driver gives no device', advice);
  return devices;
}
