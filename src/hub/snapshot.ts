/**
 * Files of a repository of the Hugging Face hub at one commit, in the cache that Python's huggingface_hub uses
 * (blobs/, refs/ and snapshots/ per repository), so that what either has downloaded serves both.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { ZeroRlError } from '../errors';
import { withLock } from '../lock';
import { log } from '../observe/log';
import { output, writeFileAtomically } from '../policy/atomic-file';
import { downloadBlob, remoteFile } from './download';
import { isCommit, repositoryFolder, repositoryTitle, type Repository } from './repository';
import { HubClient, HubUnreachable } from './request';
import { hubSettings } from './settings';

export interface SnapshotOptions {
  /** The files wanted out of all the repository has; it may throw. */
  select: (files: string[]) => string[];
  signal?: AbortSignal;
}

export interface Snapshot {
  commit: string;
  folder: string;
  /** The files wanted, relative to the folder with `/` between. */
  files: string[];
}

/** Files fetched at the same time. */
const PARALLEL = 4;

interface Info {
  sha: string;
  files: string[];
}

/** A path of the repository must not lead out of its folder. */
function isInside(file: string): boolean {
  return (
    file !== '' && !/[\\\0]/.test(file) && file.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

async function readInfo(client: HubClient): Promise<Info> {
  const url = client.infoUrl();
  const body = (await (await client.request(url)).json()) as { sha?: unknown; siblings?: unknown } | null;
  const siblings = Array.isArray(body?.siblings) ? (body.siblings as { rfilename?: unknown }[]) : null;
  const files = siblings?.map(({ rfilename }) => rfilename);
  if (typeof body?.sha !== 'string' || !isCommit(body.sha) || !files?.every((file) => typeof file === 'string')) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_HUB',
      `${url} does not describe a repository; check HF_ENDPOINT (${client.settings.endpoint}).`,
    );
  }
  return { sha: body.sha, files: files.filter(isInside) };
}

/** The commit that the cache has for a revision, and its files; null where it has none. */
function cachedInfo(folder: string, revision: string): Info | null {
  let sha = revision;
  if (!isCommit(revision)) {
    try {
      sha = readFileSync(path.join(folder, 'refs', revision), 'utf8').trim();
    } catch {
      return null;
    }
  }
  const snapshot = path.join(folder, 'snapshots', sha);
  if (!isCommit(sha) || !existsSync(snapshot)) return null;
  const files = readdirSync(snapshot, { recursive: true, encoding: 'utf8' }).filter(
    (file) => statSync(path.join(snapshot, file), { throwIfNoEntry: false })?.isFile() ?? false,
  );
  return { sha, files: files.map((file) => file.split(path.sep).join('/')) };
}

/** Puts a link to the blob where the file is looked for. */
async function link(blob: string, pointer: string): Promise<void> {
  await output(pointer, async () => {
    await mkdir(path.dirname(pointer), { recursive: true });
    await rm(pointer, { force: true });
    await symlink(path.relative(path.dirname(pointer), blob), pointer);
  });
}

/** Downloads what the snapshot lacks; `ref` is the branch or tag that its commit is noted for. */
async function fetchFiles(client: HubClient, folder: string, wanted: Snapshot, ref: string | null): Promise<void> {
  if (ref !== null) {
    const file = path.join(folder, 'refs', ref);
    await output(file, () => mkdir(path.dirname(file), { recursive: true }));
    await writeFileAtomically(file, wanted.commit);
  }
  const queue = wanted.files.filter((file) => !existsSync(path.join(wanted.folder, file)));
  const blobs = new Map<string, Promise<void>>();
  const work = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      try {
        const url = client.fileUrl(wanted.commit, file);
        const remote = await remoteFile(client, url);
        const blob = path.join(folder, 'blobs', remote.etag);
        // Two files of the same content are one blob.
        const download = blobs.get(blob) ?? downloadBlob(client, url, blob, remote);
        blobs.set(blob, download);
        await download;
        await link(blob, path.join(wanted.folder, file));
      } catch (error) {
        queue.length = 0;
        throw error;
      }
    }
  };
  // All come to an end before the lock is given back.
  const ends = await Promise.allSettled(Array.from({ length: Math.min(PARALLEL, queue.length) }, work));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/**
 * The files of a repository, downloaded where the cache does not have them. Offline, or where the hub cannot be reached,
 * what the cache has of the revision is taken.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_HUB` saying what to do when they cannot be had
 */
export async function downloadSnapshot(repository: Repository, options: SnapshotOptions): Promise<Snapshot> {
  const settings = hubSettings();
  const folder = repositoryFolder(settings.cache, repository);
  const title = `${repository.type} ${repositoryTitle(repository)}`;
  const snapshot = ({ sha, files }: Info): Snapshot => ({
    commit: sha,
    folder: path.join(folder, 'snapshots', sha),
    files: options.select([...files].sort()),
  });
  if (settings.offline) {
    const cached = cachedInfo(folder, repository.revision);
    if (cached !== null) return snapshot(cached);
    throw new HubUnreachable(
      'ERR_ZERO_RL_HUB',
      `HF_HUB_OFFLINE is set and ${settings.cache} does not have the ${title}; download it where there is a network, or give the path of a folder or file.`,
    );
  }
  const client = new HubClient(settings, repository, options.signal);
  try {
    let info: Info;
    try {
      info = await readInfo(client);
    } catch (error) {
      const cached = error instanceof HubUnreachable ? cachedInfo(folder, repository.revision) : null;
      if (cached === null) throw error;
      log.warn(`${settings.endpoint} cannot be reached; the cached ${title} is used.`);
      return snapshot(cached);
    }
    const wanted = snapshot(info);
    const lock = path.join(folder, '.zero-rl.lock');
    await withLock(
      lock,
      () => fetchFiles(client, folder, wanted, isCommit(repository.revision) ? null : repository.revision),
      { onWait: (holder) => log.info(`Waiting for ${holder}, which downloads the ${title}`), signal: options.signal },
    );
    return wanted;
  } finally {
    await client.close();
  }
}
