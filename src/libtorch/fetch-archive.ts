/**
 * Gets PyTorch's own libtorch archive over HTTP, through the proxy that the environment names. A download that was cut goes on
 * where it stopped, also in a later process.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher, Response } from 'undici';
import { ZeroRlError } from '../errors';
import { patientFetch } from '../http/patient-fetch';
import { proxyAgent } from '../http/proxy-agent';
import type { Flavor } from './cache';
import { pin } from './pin';

/** The official address of a flavor's archive. */
export function archiveUrl(flavor: Flavor): string {
  const build = flavor === 'cpu' ? 'cpu' : 'cu130';
  return `https://download.pytorch.org/libtorch/${build}/libtorch-shared-with-deps-${pin.torch}%2B${build}.zip`;
}

/** Attempts in a row that bring no new byte before a download is given up. */
const MAX_IDLE_ATTEMPTS = 4;
/** Wait before the first of these; it doubles. */
const BACKOFF_MS = 200;

/** Told the bytes so far and in all (0 where the server does not say). */
export type OnBytes = (bytes: number, total: number) => void;

/** What the server says about the whole file. */
interface Remote {
  /** Bytes in all; 0 where it does not say. */
  total: number;
  /** A strong ETag or the time of the last change; null: the rest cannot be asked for. */
  validator: string | null;
  /** SHA-256 in hex. */
  digest: string | null;
}

/** Asking again does not help. */
class Refused extends Error {}

const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => null))?.size ?? 0;

/** Beside a part of a download stands what it is a part of. */
const versionFile = (file: string): string => `${file}.version`;
const versionOf = (url: string, validator: string): string => `${url}\n${validator}`;

function describe({ headers, status }: Response): Remote {
  const etag = headers.get('etag');
  const range = /^bytes \d+-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1];
  return {
    total: Number((status === 206 ? range : headers.get('content-length')) ?? 0),
    validator: etag !== null && !etag.startsWith('W/') ? etag : headers.get('last-modified'),
    // The store of PyTorch's archives may send it along.
    digest: headers.get('x-amz-meta-checksum-sha256'),
  };
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Removes a part of a download, or what is left beside a whole. */
export async function removePart(file: string): Promise<void> {
  await rm(file, { force: true });
  await rm(versionFile(file), { force: true });
}

/** One answer of the server, written to where `file` ends. */
async function append(url: string, file: string, dispatcher: Dispatcher, onBytes?: OnBytes): Promise<Remote> {
  const start = await sizeOf(file);
  const [from, validator] = (await readFile(versionFile(file), 'utf8').catch(() => '')).split('\n');
  const goesOn = start > 0 && from === url && validator !== '';
  const headers = goesOn ? { range: `bytes=${start}-`, 'if-range': validator } : {};
  const response = await patientFetch(url, { dispatcher, headers });
  const remote = describe(response);
  if (goesOn && response.status === 416) {
    await response.body?.cancel();
    await removePart(file);
    return remote;
  }
  if (!response.ok || response.body === null) throw new Refused(`the server answered ${response.status}`);
  const flags = response.status === 206 ? 'a' : 'w';
  await rm(versionFile(file), { force: true });
  if (remote.validator !== null) await writeFile(versionFile(file), versionOf(url, remote.validator));
  let bytes = flags === 'a' ? start : 0;
  await pipeline(
    response.body,
    async function* (source: AsyncIterable<Uint8Array>) {
      for await (const chunk of source) {
        bytes += chunk.length;
        onBytes?.(bytes, remote.total);
        yield chunk;
      }
    },
    createWriteStream(file, { flags }),
  );
  if (remote.total > 0 && bytes < remote.total) throw new Error(`${bytes} of ${remote.total} bytes arrived`);
  return remote;
}

async function fill(url: string, file: string, dispatcher: Dispatcher, onBytes?: OnBytes): Promise<Remote> {
  let most = await sizeOf(file);
  for (let idle = 0; ;) {
    let failure: unknown = new Error('the server has changed the file');
    try {
      const remote = await append(url, file, dispatcher, onBytes);
      if ((await sizeOf(file)) > 0) return remote;
    } catch (error) {
      if (error instanceof Refused || 'syscall' in (error as object)) throw error;
      failure = error;
    }
    const size = await sizeOf(file);
    idle = size > most ? 0 : idle + 1;
    most = Math.max(most, size);
    if (idle === MAX_IDLE_ATTEMPTS) throw failure;
    if (idle > 0) await delay(BACKOFF_MS * 2 ** (idle - 1));
  }
}

/**
 * Downloads `url` to `file`, or what is missing of it. A `#sha256=` in `url`, or a checksum that the server sends, must be that of
 * what arrived. Where it fails, the part that has arrived stays if the server can be asked for the rest.
 *
 * @returns The SHA-256 in hex.
 * @throws ZeroRlError `ERR_ZERO_RL_LIBTORCH_NOT_FOUND` when the server cannot be reached, refuses, or sends less or something
 * else, and the system's errors of writing
 */
export async function fetchArchive(url: string, file: string, onBytes?: OnBytes): Promise<string> {
  const [address, wanted] = url.split('#sha256=') as [string, string | undefined];
  const dispatcher = proxyAgent();
  try {
    const remote = await fill(address, file, dispatcher, onBytes);
    const digest = await digestOf(file);
    const expected = (wanted ?? remote.digest ?? digest).toLowerCase();
    if (digest === expected) return digest;
    await removePart(file);
    throw new Refused(`its SHA-256 is ${digest} and not ${expected}`);
  } catch (error) {
    const kept = await keepPart(file);
    if (error instanceof Error && 'syscall' in error) throw error;
    const reason =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : (error as Error).message;
    const hint = kept > 0 ? `; ${kept} bytes are kept, start again to go on` : '';
    throw new ZeroRlError('ERR_ZERO_RL_LIBTORCH_NOT_FOUND', `${address} could not be downloaded (${reason}${hint})`, {
      cause: error,
    });
  } finally {
    await dispatcher.destroy();
  }
}

/** Bytes of the part; one whose rest cannot be asked for is removed. */
async function keepPart(file: string): Promise<number> {
  if ((await sizeOf(versionFile(file))) === 0) await removePart(file);
  return sizeOf(file);
}
