/** What the files of this machine say about NVIDIA devices; nothing is loaded and no driver is asked. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Whether a driver or a device of NVIDIA seems present (/dev/dxg: Windows' device in WSL). `root`, for tests: default `/`. */
export function nvidiaPresent(root = '/'): boolean {
  return ['dev/nvidiactl', 'dev/dxg', 'proc/driver/nvidia/version'].some((file) => existsSync(path.join(root, file)));
}

/** Version of the kernel's driver, e.g. "580.95.05"; null where there is none or it cannot be told. */
export function driverVersion(root = '/'): string | null {
  try {
    const text = readFileSync(path.join(root, 'proc/driver/nvidia/version'), 'utf8');
    return /Kernel Module\s+(?:for \S+\s+)?(\d[\d.]*)/.exec(text)?.[1] ?? null;
  } catch {
    return null;
  }
}

/** Whether CUDA_VISIBLE_DEVICES hides every device: it is set and its first entry is no device. */
export function devicesAreHidden(environment: NodeJS.ProcessEnv = process.env): boolean {
  const visible = environment.CUDA_VISIBLE_DEVICES;
  return visible !== undefined && !/^\s*(\d|GPU-|MIG-)/i.test(visible);
}
