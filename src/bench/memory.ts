/** Peak resident memory of this process, from Linux' /proc. */
import { readFileSync, writeFileSync } from 'node:fs';

const MIB = 2 ** 20;

/** Starts the peak anew at what is resident now. Returns false where the system does not let a process do so. */
export function resetPeak(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}

/** MiB at the peak since the start of the process or {@link resetPeak}. */
export function peakRssMiB(): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return kibibytes === undefined ? process.memoryUsage().rss / MIB : Number(kibibytes) / 1024;
}
