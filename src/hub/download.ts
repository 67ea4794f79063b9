/**
 * One file of the hub into the cache's blobs. A download that was cut goes on where it stopped, also in a later process; the
 * file takes its place only when its size and checksum are right.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { appendFile, mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isZeroRlError, ZeroRlError } from '../errors';
import { log } from '../observe/log';
import { output } from '../policy/atomic-file';
import { HubBusy, HubUnreachable, reasonOf, type HubClient } from './request';

/** What the server says about a file. */
export interface RemoteFile {
  /** Git's or LFS's hash of the content: the name of the blob. */
  etag: string;
  bytes: number;
}

/** Attempts in a row that bring no new byte before a download is given up. */
const MAX_IDLE_ATTEMPTS = 4;
/** Whole downloads with a wrong checksum before the file is given up. */
const MAX_SPOILT = 2;
/** Wait before the first of these; it doubles. */
const BACKOFF_MS = 200;
/** Files from this size on are announced. */
const ANNOUNCED_BYTES = 2 ** 24;
const HASH = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** @throws ZeroRlError `ERR_ZERO_RL_HUB` when the server does not say what a cache needs to know */
export async function remoteFile(client: HubClient, url: string): Promise<RemoteFile> {
  // Large files are redirected to a store that knows nothing of the repository's hashes.
  const response = await client.request(url, {
    method: 'HEAD',
    redirect: 'manual',
    headers: { 'accept-encoding': 'identity' },
  });
  const { headers } = response;
  const location = headers.get('location');
  const linked = headers.get('x-linked-etag');
  if (response.status >= 300 && linked === null && location !== null) {
    // A repository that was renamed. The token is for this host only.
    const moved = new URL(location, url);
    if (moved.origin === new URL(url).origin) return remoteFile(client, moved.href);
  }
  const etag = (linked ?? headers.get('etag'))?.replace(/^W\//, '').replace(/"/g, '');
  const bytes = Number(headers.get('x-linked-size') ?? headers.get('content-length') ?? NaN);
  if (etag === undefined || !/^\w[\w.-]*$/.test(etag) || !Number.isSafeInteger(bytes))
    throw new ZeroRlError('ERR_ZERO_RL_HUB', `${url} has no ETag and size; set HF_ENDPOINT to a hub that sends them.`);
  return { etag, bytes };
}

/** LFS files are named by the SHA-256 of their content, others by Git's SHA-1; any other name cannot be checked. */
function hashFor({ etag, bytes }: RemoteFile): Hash | null {
  if (!HASH.test(etag)) return null;
  return etag.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${bytes}\0`);
}

async function checkContent(file: string, remote: RemoteFile): Promise<boolean> {
  const hash = hashFor(remote);
  if (hash === null) return true;
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex') === remote.etag;
}

const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => null))?.size ?? 0;

/** Adds what is missing of `partial`; ends early where the connection does. */
async function append(client: HubClient, url: string, partial: string, remote: RemoteFile): Promise<void> {
  const start = await sizeOf(partial);
  const headers = { 'accept-encoding': 'identity', ...(start > 0 ? { range: `bytes=${start}-` } : {}) };
  const response = await client.request(url, { headers });
  if (response.status === 416 || response.body === null) {
    await response.body?.cancel();
    await rm(partial, { force: true });
    return;
  }
  // A server without ranges sends everything again.
  const flags = response.status === 206 ? 'a' : 'w';
  let room = remote.bytes - (flags === 'a' ? start : 0);
  await pipeline(
    response.body,
    async function* (source: AsyncIterable<Uint8Array>) {
      for await (const chunk of source) {
        room -= chunk.byteLength;
        if (room < 0) throw new Error('more bytes arrived than the file has');
        yield chunk;
      }
    },
    createWriteStream(partial, { flags }),
  );
}

/**
 * Makes sure that `blob` is there. Callers hold the lock of the repository.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_HUB` when the file cannot be had whole, `ERR_ZERO_RL_OUTPUT` when it cannot be written
 */
export async function downloadBlob(client: HubClient, url: string, blob: string, remote: RemoteFile): Promise<void> {
  if (existsSync(blob)) return;
  const name = decodeURIComponent(path.posix.basename(new URL(url).pathname));
  if (remote.bytes >= ANNOUNCED_BYTES) log.info(`Downloading ${name} (${Math.ceil(remote.bytes / 2 ** 20)} MiB)`);
  await output(blob, () => mkdir(path.dirname(blob), { recursive: true }));
  const partial = `${blob}.incomplete`;
  await output(partial, () => appendFile(partial, ''));
  let failure: unknown;
  for (let idle = 0, spoilt = 0; idle < MAX_IDLE_ATTEMPTS && spoilt < MAX_SPOILT;) {
    const before = await sizeOf(partial);
    if (before >= remote.bytes) {
      if (before === remote.bytes && (await checkContent(partial, remote))) {
        await output(blob, () => rename(partial, blob));
        return;
      }
      failure = new Error('its checksum is wrong');
      spoilt++;
      await rm(partial, { force: true });
      continue;
    }
    try {
      await append(client, url, partial, remote);
    } catch (error) {
      if (isFull(error)) await output(partial, () => Promise.reject(error));
      if (isFinal(error)) throw error;
      failure = error;
    }
    if ((await sizeOf(partial)) > before) idle = 0;
    else await delay(BACKOFF_MS * 2 ** idle++);
  }
  throw new ZeroRlError(
    'ERR_ZERO_RL_HUB',
    `${url} could not be downloaded (${reasonOf(failure)}); ${await sizeOf(partial)} of ${remote.bytes} bytes are kept, start again to go on.`,
    { cause: failure },
  );
}

/** The disk takes no more. */
function isFull(error: unknown): error is Error {
  const { code } = error as NodeJS.ErrnoException;
  return code !== undefined && ['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'EIO'].includes(code);
}

/** Refusals of the server and aborts: trying again does not help. */
function isFinal(error: unknown): boolean {
  return isZeroRlError(error)
    ? !(error instanceof HubUnreachable) || error instanceof HubBusy
    : (error as Error).name === 'AbortError';
}
