/** A kernel benchmark as CSV: a row a shape, with the machine's roofs repeated in each, so that files can be joined. */
import type { KernelReport } from './kernels';

const field = (value: string | number): string =>
  typeof value === 'number' ? String(value) : /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;

export function kernelCsv({ machine, threads, instructionSet, device, kernels }: KernelReport): string {
  const rows = kernels.map(({ sizes, ...result }) => ({
    ...result,
    sizes: Object.entries(sizes)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
    device,
    threads,
    instructionSet,
    peakGigaflopsPerSecond: machine[result.dtype].peakGigaflopsPerSecond,
    readGigabytesPerSecond: machine[result.dtype].readGigabytesPerSecond,
  }));
  const lines = rows.map((row) => Object.values(row).map(field).join(','));
  return [Object.keys(rows[0] ?? {}).join(','), ...lines].map((line) => `${line}\r\n`).join('');
}
