/**
 * Installs libtorch into the cache, from pip's wheels where there is a pip, else from PyTorch's archive. Only the needed
 * files are kept. The installation is made under a temporary name and renamed, so a killed one leaves nothing usable.
 */
import { existsSync, statSync } from 'node:fs';
import { mkdir, readdir, rename, rm, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isZeroRlError, ZeroRlError } from '../errors';
import { withLock } from '../lock';
import { installationDirectory, readManifest, type Flavor, type Manifest } from './cache';
import { readTorchVersion } from './candidates';
import { archiveUrl, fetchArchive, removePart } from './fetch-archive';
import { fetchWheels, findPip } from './fetch-wheels';
import { pin } from './pin';
import { checkPlatform } from './platform';
import { unpack } from './unpack';

export interface InstallOptions {
  /** Default `cpu`. */
  flavor?: Flavor;
  /** Also the headers, for a build from source (62 MB); default false. */
  headers?: boolean;
  /**
   * The address of an archive laid out like PyTorch's, e.g. on a mirror, with `#sha256=` and its checksum where that is known;
   * default: pip, then PyTorch's own.
   */
  archive?: string;
  /** Installs again what is there; default false. */
  force?: boolean;
  /** Called often with what is going on. */
  onProgress?: (progress: InstallProgress) => void;
}

export interface InstallProgress {
  /** E.g. "downloading torch 2.11.0 (cpu)". */
  activity: string;
  /** Done of this activity, and in all; absent and 0 where that is not known. */
  bytes?: number;
  total?: number;
}

/** `downloading torch 2.11.0 (cpu), 120 MB of 530 MB` */
export function installProgressText({ activity, bytes, total = 0 }: InstallProgress): string {
  if (bytes === undefined) return activity;
  return `${activity}, ${megabytes(bytes)}${total > 0 ? ` of ${megabytes(total)}` : ''}`;
}

export interface Installation {
  /** The torch folder, which holds lib/. */
  directory: string;
  /** False when it was there already. */
  installed: boolean;
}

const GIGABYTE = 1e9;
/** Download, unpacked files and some room. */
const SPACE = { cpu: 1.3 * GIGABYTE, cuda: 9 * GIGABYTE };
/** What pip downloads, about; it does not say. */
const DOWNLOAD = { cpu: 0.53 * GIGABYTE, cuda: 2.5 * GIGABYTE };

/**
 * Installs the pinned libtorch unless it is there.
 * @throws ZeroRlError `ERR_ZERO_RL_LIBTORCH_NOT_FOUND` when it cannot be downloaded, `_LIBTORCH_VERSION` when what came is
 * another version, `_OUTPUT` when it cannot be written, `_PLATFORM`; nothing half-made is left but the part of an archive
 * that has arrived.
 */
export async function installLibtorch(options: InstallOptions = {}): Promise<Installation> {
  checkPlatform();
  const { flavor = 'cpu', headers = false, force = false, onProgress } = options;
  const target = installationDirectory(flavor);
  const present = (): Installation | undefined => {
    const manifest = readManifest(target);
    if (manifest === undefined || (headers && !manifest.headers) || !isWhole(target, manifest)) return undefined;
    return { directory: path.join(target, manifest.root), installed: false };
  };
  const early = force ? undefined : present();
  if (early !== undefined) return early;
  try {
    return await withLock(
      `${target}.lock`,
      async () => {
        // Another process may have finished meanwhile.
        const late = force ? undefined : present();
        return late ?? { directory: await install(target, { ...options, flavor, headers }), installed: true };
      },
      { onWait: (holder) => onProgress?.({ activity: `waiting for ${holder}, which is installing libtorch` }) },
    );
  } catch (error) {
    if (isZeroRlError(error) || !(error instanceof Error) || !('syscall' in error)) throw error;
    throw new ZeroRlError(
      'ERR_ZERO_RL_OUTPUT',
      `libtorch could not be written to ${path.dirname(target)} (${error.message}); set ZERO_RL_CACHE to a folder that can be written.`,
      { cause: error },
    );
  }
}

function isWhole(target: string, manifest: Manifest): boolean {
  return Object.entries(manifest.files).every(
    ([file, size]) => statSync(path.join(target, file), { throwIfNoEntry: false })?.size === size,
  );
}

async function install(
  target: string,
  options: InstallOptions & { flavor: Flavor; headers: boolean },
): Promise<string> {
  const { flavor, headers, onProgress } = options;
  const parent = path.dirname(target);
  await removeLeftovers(target);
  await checkSpace(parent, flavor);
  const work = `${target}.partial-${process.pid}`;
  const downloads = path.join(work, 'downloads');
  const unpacked = path.join(work, 'unpacked');
  await mkdir(downloads, { recursive: true });
  try {
    const archives = await download(downloads, partOf(target), options);
    const files: Record<string, number> = {};
    let bytes = 0;
    for (const archive of archives) {
      const onBytes = (more: number): void => {
        bytes += more;
        onProgress?.({ activity: 'unpacking', bytes });
      };
      Object.assign(files, (await unpack(archive, unpacked, { flavor, headers, onBytes })).files);
    }
    const root = existsSync(path.join(unpacked, 'libtorch')) ? 'libtorch' : 'torch';
    const version = readTorchVersion(path.join(unpacked, root));
    const library = path.join(unpacked, root, 'lib', `libtorch_${flavor}.so`);
    if (version?.split('+')[0] !== pin.torch || !existsSync(library)) {
      throw new ZeroRlError(
        'ERR_ZERO_RL_LIBTORCH_VERSION',
        `What was downloaded is libtorch ${version ?? 'of an unknown version'}${existsSync(library) ? '' : ` without ${path.basename(library)}`} ` +
          `and not ${pin.torch}; nothing was installed.`,
      );
    }
    const manifest: Manifest = {
      torch: version,
      flavor,
      root,
      headers,
      source: archives.map((archive) => path.basename(archive)),
      files: Object.fromEntries(Object.entries(files).filter(([file]) => !file.includes('/include/'))),
    };
    await writeFile(path.join(unpacked, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    await rm(target, { recursive: true, force: true });
    await rename(unpacked, target);
    return path.join(target, root);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Where an archive is downloaded to: beside the installation, so that one that was cut goes on in a later process. */
const partOf = (target: string): string => `${target}.download`;

async function download(
  directory: string,
  part: string,
  { flavor, archive, onProgress }: InstallOptions & { flavor: Flavor },
): Promise<string[]> {
  const activity = `downloading torch ${pin.torch} (${flavor})`;
  let pipFailure: ZeroRlError | undefined;
  const pip = archive === undefined ? findPip() : undefined;
  if (pip !== undefined) {
    try {
      onProgress?.({ activity });
      return await fetchWheels(pip, directory, flavor, (bytes) =>
        onProgress?.({ activity, bytes, total: DOWNLOAD[flavor] }),
      );
    } catch (error) {
      if (!isZeroRlError(error)) throw error;
      pipFailure = error;
    }
  }
  const file = path.join(directory, 'libtorch.zip');
  try {
    await fetchArchive(archive ?? archiveUrl(flavor), part, (bytes, total) => {
      onProgress?.({ activity, bytes, total });
    });
    await rename(part, file);
    await removePart(part);
  } catch (error) {
    if (!isZeroRlError(error)) throw error;
    const reasons = [pipFailure, error].filter((failure) => failure !== undefined).map(({ message }) => message);
    throw new ZeroRlError(
      'ERR_ZERO_RL_LIBTORCH_NOT_FOUND',
      `libtorch ${pin.torch} could not be downloaded: ${reasons.join('; ')}. Check the network and the proxy settings, or unpack ` +
        `libtorch ${pin.torch} by hand and set ZERO_RL_LIBTORCH to its folder.`,
      { cause: error },
    );
  }
  return [file];
}

async function checkSpace(directory: string, flavor: Flavor): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= SPACE[flavor]) return;
  throw new ZeroRlError(
    'ERR_ZERO_RL_OUTPUT',
    `Installing libtorch needs ${megabytes(SPACE[flavor])} in ${directory}, which has ${megabytes(bavail * bsize)} free; ` +
      'make room or set ZERO_RL_CACHE to a folder on another disk.',
  );
}

/** Folders of installations that were killed; the lock is held, so none of them is in use. */
async function removeLeftovers(target: string): Promise<void> {
  const parent = path.dirname(target);
  for (const name of await readdir(parent)) {
    if (name.startsWith(`${path.basename(target)}.partial-`))
      await rm(path.join(parent, name), { recursive: true, force: true });
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
