/** Refuses platforms this release cannot run on, before anything native is touched. */
import { ZeroRlError } from '../errors';
import { minimumNode, pin } from './pin';

export interface Platform {
  platform: string;
  arch: string;
  /** Of the running process; undefined where the C library is another one (musl). */
  glibc: string | undefined;
  node: string;
}

/** The platform of this process. */
export function currentPlatform(): Platform {
  let glibc: string | undefined;
  if (process.platform === 'linux') {
    // The report would look up every network interface by name.
    (process.report as { excludeNetwork?: boolean }).excludeNetwork = true;
    const report = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
    glibc = report.header.glibcVersionRuntime;
  }
  return { platform: process.platform, arch: process.arch, glibc, node: process.versions.node };
}

/** True when dotted version `a` is at least `b`, compared by as many parts as `b` has. */
export function versionAtLeast(a: string, b: string): boolean {
  const left = a.split('.').map(Number);
  for (const [i, right] of b.split('.').map(Number).entries()) {
    const part = left[i] ?? 0;
    if (part !== right) return part > right;
  }
  return true;
}

/** Why the platform is refused, as a part of a sentence, or undefined. */
export function platformRefusal({ platform, arch, glibc, node }: Platform): string | undefined {
  if (platform !== 'linux' || arch !== 'x64') return `this is ${platform}-${arch}`;
  if (glibc === undefined) return 'this system has no glibc';
  if (!versionAtLeast(glibc, pin.glibc)) return `this system has glibc ${glibc}`;
  if (!versionAtLeast(node, minimumNode)) return `this is Node ${node}`;
  return undefined;
}

/** @throws ZeroRlError `ERR_ZERO_RL_PLATFORM` with one sentence that says what works. */
export function checkPlatform(platform: Platform = currentPlatform()): void {
  const refusal = platformRefusal(platform);
  if (refusal === undefined) return;
  throw new ZeroRlError(
    'ERR_ZERO_RL_PLATFORM',
    `zero-rl runs on Linux on x64 with glibc ${pin.glibc} or newer (Debian 10, Ubuntu 20.04, RHEL 8 and later) ` +
      `and Node ${minimumNode} or newer, but ${refusal}.`,
  );
}
