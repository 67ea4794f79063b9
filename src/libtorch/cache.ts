/**
 * The folder where `zero-rl libtorch install` puts libtorch: one sub-folder per version and flavor with a manifest.json,
 * written under a temporary name and renamed, so that a folder with a manifest is whole.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { nvidiaPresent } from './nvidia';
import { pin } from './pin';

/** `cpu`: what runs on a machine without a GPU; `cuda`: all that libtorch needs on one with a GPU. */
export type Flavor = 'cpu' | 'cuda';

export interface Manifest {
  torch: string;
  flavor: Flavor;
  /** The torch folder, relative to the installation. */
  root: string;
  headers: boolean;
  /** What it was made from: wheels or an archive. */
  source: string[];
  /** Bytes by path, relative to the installation; headers are not listed. */
  files: Record<string, number>;
}

/** `$ZERO_RL_CACHE`, else `$XDG_CACHE_HOME/zero-rl`, else `~/.cache/zero-rl`. */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.ZERO_RL_CACHE) return path.resolve(environment.ZERO_RL_CACHE);
  return path.join(environment.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'zero-rl');
}

/** Where the installation of a flavor lies, whether it is there or not. */
export function installationDirectory(flavor: Flavor, environment: NodeJS.ProcessEnv = process.env): string {
  return path.join(cacheDirectory(environment), 'libtorch', `${pin.torch}-${flavor}-linux-x64`);
}

/** The manifest of an installation, or undefined when there is none that can be read. */
export function readManifest(directory: string): Manifest | undefined {
  try {
    const manifest = JSON.parse(readFileSync(path.join(directory, 'manifest.json'), 'utf8')) as Partial<Manifest>;
    return typeof manifest.root === 'string' ? (manifest as Manifest) : undefined;
  } catch {
    return undefined;
  }
}

/** The torch folders of the installations for the pinned version, the CUDA one first where a GPU is present. */
export function cachedInstallations(environment: NodeJS.ProcessEnv = process.env): string[] {
  const flavors: Flavor[] = nvidiaPresent() ? ['cuda', 'cpu'] : ['cpu', 'cuda'];
  return flavors.flatMap((flavor) => {
    const directory = installationDirectory(flavor, environment);
    const manifest = readManifest(directory);
    return manifest === undefined ? [] : [path.join(directory, manifest.root)];
  });
}
