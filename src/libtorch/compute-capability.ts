/** Which CUDA devices compiled kernels run on. Capabilities are 10 · major + minor. */

/** As NVIDIA writes it: 86 is "8.6". */
export function capabilityText(capability: number): string {
  return `${Math.floor(capability / 10)}.${capability % 10}`;
}

/**
 * Whether kernels run on a device. `architectures` is what CMake compiled them for, e.g. "80-real,90": machine code (`-real`) runs
 * within its major version from its minor one on, and what is compiled when it is loaded (`-virtual`; no suffix: both) on all
 * later devices.
 */
export function runsOn(architectures: string, capability: number): boolean {
  return architectures.split(',').some((entry) => {
    const compiled = parseInt(entry, 10);
    const sameMajor = Math.floor(compiled / 10) === Math.floor(capability / 10);
    return compiled <= capability && (sameMajor || !entry.endsWith('-real'));
  });
}

/** "8.0, 8.6 and 9.0". */
export function architecturesText(architectures: string): string {
  const names = architectures.split(',').map((entry) => capabilityText(parseInt(entry, 10)));
  return names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
