/** Gets PyTorch's own libtorch archive over HTTP, through the proxy that the environment names. */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { EnvHttpProxyAgent, fetch } from 'undici';
import { ZeroRlError } from '../errors';
import type { Flavor } from './cache';
import { pin } from './pin';

/** The official address of a flavor's archive. */
export function archiveUrl(flavor: Flavor): string {
  const build = flavor === 'cpu' ? 'cpu' : 'cu130';
  return `https://download.pytorch.org/libtorch/${build}/libtorch-shared-with-deps-${pin.torch}%2B${build}.zip`;
}

/**
 * Downloads `url` to `file`.
 * @param onBytes called with the bytes so far and in all (0 where the server does not say)
 * @throws ZeroRlError when the server cannot be reached, refuses, or sends less than it announced
 */
export async function fetchArchive(
  url: string,
  file: string,
  onBytes?: (bytes: number, total: number) => void,
): Promise<void> {
  const agent = new EnvHttpProxyAgent();
  try {
    const response = await fetch(url, { dispatcher: agent });
    if (!response.ok || response.body === null) throw new Error(`the server answered ${response.status}`);
    const total = Number(response.headers.get('content-length') ?? 0);
    let bytes = 0;
    await pipeline(
      response.body,
      async function* (source: AsyncIterable<Uint8Array>) {
        for await (const chunk of source) {
          bytes += chunk.length;
          onBytes?.(bytes, total);
          yield chunk;
        }
      },
      createWriteStream(file),
    );
    if (total > 0 && bytes !== total) throw new Error(`${bytes} of ${total} bytes arrived`);
  } catch (error) {
    const reason =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : (error as Error).message;
    throw new ZeroRlError('ERR_ZERO_RL_LIBTORCH_NOT_FOUND', `${url} could not be downloaded (${reason})`, {
      cause: error,
    });
  } finally {
    await agent.destroy();
  }
}
