/** What `zero-rl doctor` says about CUDA: driver, devices, libraries and whether the engine can use them. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { cudaLibraryPath } from '../../binding/index.js';
import { packageRoot } from '../package-root';
import { loadCuda } from './load-cuda';
import { driverVersion, nvidiaPresent } from './nvidia';

export interface NvidiaDevice {
  name: string;
  /** MiB; null where nvidia-smi does not say it. */
  memory: number | null;
  /** Compute capability, e.g. "9.0"; null likewise. */
  capability: string | null;
}

export interface CudaReport {
  /** Whether a device or a driver of NVIDIA seems present. */
  present: boolean;
  /** Version of the kernel's driver. */
  driver: string | null;
  devices: NvidiaDevice[];
  /** The file of our kernels. */
  library: string | null;
  /** Devices that the engine can use. */
  usable: number;
  /** Why there is none. */
  refusal: string | null;
}

/** Devices as nvidia-smi lists them, else as the driver's files do. `root` is for tests, `command` too. */
export function listDevices(root = '/', command = 'nvidia-smi'): NvidiaDevice[] {
  const query = ['--query-gpu=name,memory.total,compute_cap', '--format=csv,noheader,nounits'];
  const { status, stdout } = spawnSync(command, query, { encoding: 'utf8', timeout: 10_000 });
  if (status === 0) {
    return stdout
      .split('\n')
      .map((line) => line.split(',').map((cell) => cell.trim()))
      .filter((cells) => cells.length === 3)
      .map(([name, memory, capability]) => ({ name, memory: Number(memory) || null, capability }));
  }
  const folder = path.join(root, 'proc/driver/nvidia/gpus');
  try {
    return readdirSync(folder).map((bus) => {
      const text = readFileSync(path.join(folder, bus, 'information'), 'utf8');
      return { name: /^Model:\s*(.*)$/m.exec(text)?.[1] ?? bus, memory: null, capability: null };
    });
  } catch {
    return [];
  }
}

/** Examines this machine; where a device seems present, the CUDA part is loaded into this process. */
export function examineCuda(environment: NodeJS.ProcessEnv = process.env): CudaReport {
  let usable = 0;
  let refusal: string | null = null;
  try {
    const refusals = loadCuda(environment).map((device) => device.refusal);
    usable = refusals.filter((each) => each === null).length;
    if (usable === 0) refusal = refusals[0]?.message ?? null;
  } catch (error) {
    refusal = (error as Error).message;
  }
  const present = nvidiaPresent();
  return {
    present,
    driver: driverVersion(),
    devices: present ? listDevices() : [],
    library: cudaLibraryPath(packageRoot) ?? null,
    usable,
    refusal,
  };
}
