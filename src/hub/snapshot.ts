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
import { isCommit, isRevision, repositoryFolder, repositoryTitle, type Repository } from './repository';
import { HubBusy, HubClient, HubUnreachable } from './request';
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
  const listed = readListing(folder, sha);
  if (listed !== null) return { sha, files: listed };
  const files = readdirSync(snapshot, { recursive: true, encoding: 'utf8' }).filter((file) => isFile(snapshot, file));
  return { sha, files: withShards(files.map((file) => file.split(path.sep).join('/'))) };
}

const isFile = (folder: string, file: string): boolean =>
  statSync(path.join(folder, file), { throwIfNoEntry: false })?.isFile() ?? false;

/** Where it is noted which files a commit has, so that a download that was cut is not taken for the whole. */
const listingFile = (folder: string, sha: string): string => path.join(folder, '.zero-rl', `${sha}.json`);

function readListing(folder: string, sha: string): string[] | null {
  try {
    const files: unknown = JSON.parse(readFileSync(listingFile(folder, sha), 'utf8'));
    return Array.isArray(files) && files.every((file) => typeof file === 'string') ? files.filter(isInside) : null;
  } catch {
    return null;
  }
}

/** The files and all the shards that their names tell of: one of `x-00001-of-00003.y` means two more. */
function withShards(files: readonly string[]): string[] {
  const all = new Set(files);
  for (const file of files) {
    const found = /^(.*-)\d{5}-of-(\d{5})(\.[^/]+)$/.exec(file);
    if (found === null) continue;
    const [, stem, count, end] = found;
    const first = files.some((each) => each.startsWith(`${stem}00000-of-${count}`)) ? 0 : 1;
    for (let i = first; i < Number(count) + first; i++)
      all.add(`${stem}${String(i).padStart(5, '0')}-of-${count}${end}`);
  }
  return [...all];
}

/** Puts a link to the blob where the file is looked for. */
async function link(blob: string, pointer: string): Promise<void> {
  await output(pointer, async () => {
    await mkdir(path.dirname(pointer), { recursive: true });
    await rm(pointer, { force: true });
    await symlink(path.relative(path.dirname(pointer), blob), pointer);
  });
}

async function writeNote(file: string, content: string): Promise<void> {
  await output(file, () => mkdir(path.dirname(file), { recursive: true }));
  await writeFileAtomically(file, content);
}

/** Downloads what the snapshot lacks; then notes its commit for `ref`, a branch or tag. */
async function fetchFiles(
  client: HubClient,
  folder: string,
  wanted: Snapshot,
  info: Info,
  ref: string | null,
): Promise<void> {
  await writeNote(listingFile(folder, info.sha), JSON.stringify(info.files));
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
  if (ref !== null) await writeNote(path.join(folder, 'refs', ref), wanted.commit);
}

/**
 * The files of a repository, downloaded where the cache does not have them. Offline, or where the hub cannot be reached,
 * what the cache has of the revision is taken.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_HUB` saying what to do when they cannot be had
 */
export async function downloadSnapshot(repository: Repository, options: SnapshotOptions): Promise<Snapshot> {
  if (!isRevision(repository.revision)) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_HUB',
      `${JSON.stringify(repository.revision)} can be no revision of ${repository.name}; give a branch, a tag or a commit.`,
    );
  }
  const settings = hubSettings();
  const folder = repositoryFolder(settings.cache, repository);
  const title = `${repository.type} ${repositoryTitle(repository)}`;
  const snapshot = ({ sha, files }: Info): Snapshot => ({
    commit: sha,
    folder: path.join(folder, 'snapshots', sha),
    files: options.select([...files].sort()),
  });
  const whole = (wanted: Snapshot, why: string): Snapshot => {
    const missing = wanted.files.filter((file) => !isFile(wanted.folder, file));
    if (missing.length === 0) return wanted;
    throw new HubUnreachable(
      'ERR_ZERO_RL_HUB',
      `${why} and the cache has only ${wanted.files.length - missing.length} of the ${wanted.files.length} files of the ${title} (${missing[0]} is missing); download it again where the hub can be reached, which goes on where it stopped.`,
    );
  };
  if (settings.offline) {
    const cached = cachedInfo(folder, repository.revision);
    if (cached !== null) return whole(snapshot(cached), 'HF_HUB_OFFLINE is set');
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
      const why = `${settings.endpoint} ${error instanceof HubBusy ? 'is busy' : 'cannot be reached'}`;
      const used = whole(snapshot(cached), why);
      log.warn(`${why}; the cached ${title} is used.`);
      return used;
    }
    const wanted = snapshot(info);
    const lock = path.join(folder, '.zero-rl.lock');
    await withLock(
      lock,
      () => fetchFiles(client, folder, wanted, info, isCommit(repository.revision) ? null : repository.revision),
      { onWait: (holder) => log.info(`Waiting for ${holder}, which downloads the ${title}`), signal: options.signal },
    );
    return wanted;
  } finally {
    await client.close();
  }
}
