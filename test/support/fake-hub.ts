/** A hub on this machine: the requests that the client makes, answered from repositories held in memory. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Files of `model org/name` or `dataset org/name` by path. */
export type FakeRepositories = Record<string, Record<string, Buffer | string>>;

export interface FakeHub {
  url: string;
  /** `GET /path` and the range asked for, in order. */
  requests: string[];
  /** Authorization headers, in the order of the requests. */
  tokens: (string | undefined)[];
  /** Bytes after which a response is cut off, by file; each counts once. */
  cuts: Map<string, number>;
  /** The token that is asked for; null: none. */
  token: string | null;
  /** Answers that come first, before those below, as status and headers; each once. */
  busy: { status: number; headers?: Record<string, string> }[];
  /** Bytes sent instead of a file's own. */
  wrong: Map<string, Buffer>;
  repositories: FakeRepositories;
  close: () => Promise<void>;
}

/** The commit of a repository: it changes with its files. */
export function commitOf(files: Record<string, Buffer | string>): string {
  const hash = createHash('sha1');
  for (const [name, content] of Object.entries(files)) hash.update(`${name}\0`).update(content);
  return hash.digest('hex');
}

/** Large files are LFS files: named by SHA-256 and kept by another host. */
const LFS_BYTES = 10_000;

function answer(hub: FakeHub, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '', 'http://hub');
  const { range } = request.headers;
  hub.requests.push(`${request.method ?? ''} ${url.pathname}${range === undefined ? '' : ` ${range}`}`);
  hub.tokens.push(request.headers.authorization);
  const busy = hub.busy.shift();
  if (busy !== undefined) {
    response.writeHead(busy.status, busy.headers).end();
    return;
  }
  if (url.pathname.startsWith('/store/')) {
    const [, , key, file] = url.pathname.split('/').map(decodeURIComponent);
    send(hub, request, response, Buffer.from(hub.repositories[key][file]), file);
    return;
  }
  if (hub.token !== null && request.headers.authorization !== `Bearer ${hub.token}`) {
    response.writeHead(401).end();
    return;
  }
  const info = /^\/api\/(model|dataset)s\/(.+)\/revision\/(.+)$/.exec(url.pathname);
  if (info) {
    const files = hub.repositories[`${info[1]} ${info[2]}`] as FakeRepositories[string] | undefined;
    const revision = decodeURIComponent(info[3]);
    if (files === undefined || (revision !== 'main' && revision !== commitOf(files))) {
      response.writeHead(404).end('{}');
      return;
    }
    const siblings = Object.keys(files).map((rfilename) => ({ rfilename }));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ sha: commitOf(files), siblings }));
    return;
  }
  const resolve = /^\/(datasets\/)?([^/]+(?:\/[^/]+)?)\/resolve\/([0-9a-f]{40})\/(.+)$/.exec(url.pathname);
  const key = resolve ? `${resolve[1] ? 'dataset' : 'model'} ${resolve[2]}` : '';
  const file = decodeURIComponent(resolve?.[4] ?? '');
  const content = (hub.repositories[key] as FakeRepositories[string] | undefined)?.[file];
  if (content === undefined) {
    response.writeHead(404).end();
    return;
  }
  const bytes = Buffer.from(content);
  response.setHeader('x-repo-commit', resolve?.[3] ?? '');
  if (bytes.length >= LFS_BYTES) {
    response.setHeader('x-linked-etag', `"${createHash('sha256').update(bytes).digest('hex')}"`);
    response.setHeader('x-linked-size', bytes.length);
    response.setHeader(
      'location',
      `${hub.url.replace('127.0.0.1', 'localhost')}/store/${encodeURIComponent(key)}/${encodeURIComponent(file)}`,
    );
    response.writeHead(302).end();
    return;
  }
  const etag = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  response.setHeader('etag', `"${etag}"`);
  send(hub, request, response, bytes, file);
}

function send(hub: FakeHub, request: IncomingMessage, response: ServerResponse, own: Buffer, file: string): void {
  const bytes = hub.wrong.get(file) ?? own;
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (start >= bytes.length && start > 0) {
    response.writeHead(416).end();
    return;
  }
  const body = bytes.subarray(start);
  response.writeHead(start > 0 ? 206 : 200, { 'content-length': body.length });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const cut = hub.cuts.get(file);
  hub.cuts.delete(file);
  if (cut === undefined) response.end(body);
  else response.write(body.subarray(0, cut), () => response.destroy());
}

export async function startFakeHub(repositories: FakeRepositories): Promise<FakeHub> {
  const server: Server = createServer((request, response) => answer(hub, request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const hub: FakeHub = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    tokens: [],
    cuts: new Map(),
    token: null,
    busy: [],
    wrong: new Map(),
    repositories,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return hub;
}
