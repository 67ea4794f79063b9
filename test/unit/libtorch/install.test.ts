import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import path from 'node:path';
import { readManifest } from '../../../src/libtorch/cache';
import { archiveUrl } from '../../../src/libtorch/fetch-archive';
import { installLibtorch, installProgressText, type InstallProgress } from '../../../src/libtorch/install';
import { ownerHere } from '../../support/stale-lock';
import { pin } from '../../../src/libtorch/pin';
import { isNeeded } from '../../../src/libtorch/unpack';
import { writeFiles } from '../../support/torch-folder';

/** A zip file laid out like PyTorch's archive. */
function makeArchive(version: string): Buffer {
  const folder = writeFiles({
    'libtorch/build-version': `${version}\n`,
    'libtorch/lib/libtorch_cpu.so': 'x'.repeat(100_000),
    'libtorch/lib/libc10.so': 'c10',
    'libtorch/lib/libgomp-a34b3233.so.1': 'gomp',
    'libtorch/lib/libtorch_python.so': 'python',
    'libtorch/lib/libtorch.a': 'static',
    'libtorch/include/torch/headeronly/version.h': `#define TORCH_VERSION "${version}"\n`,
    'libtorch/share/cmake/TorchConfig.cmake': 'cmake',
  });
  const made = spawnSync('python3', ['-m', 'zipfile', '-c', 'archive.zip', 'libtorch'], { cwd: folder });
  if (made.status !== 0) throw new Error(`python3 -m zipfile: ${made.stderr.toString()}`);
  return readFileSync(path.join(folder, 'archive.zip'));
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const good = makeArchive(`${pin.torch}+cpu`);
/** Its list of files has the checksum of another content for one of them. */
const damaged = Buffer.from(good);
damaged[damaged.lastIndexOf('libtorch/lib/libtorch_cpu.so') - 30] ^= 1;
const other = makeArchive('2.10.0+cpu');
const saved = { ...process.env };
let server: Server;
let address: string;
let requests: string[];
let cache: string;
/** Bytes after which answers for /resumed.zip are cut; the content that the server has of it. */
let cutAfter: number;
let content: Buffer;

/** An answer of a server that knows ranges and versions. */
function sendPart({ headers }: IncomingMessage, response: ServerResponse): void {
  const etag = `"${sha256(content)}"`;
  const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  const goesOn = start > 0 && headers['if-range'] === etag;
  const body = content.subarray(goesOn ? start : 0);
  const range = goesOn ? { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` } : {};
  response.writeHead(goesOn ? 206 : 200, { etag, 'content-length': body.length, ...range });
  if (body.length <= cutAfter) response.end(body);
  else response.write(body.subarray(0, cutAfter), () => setTimeout(() => response.destroy(), 20));
}

beforeEach(async () => {
  cache = writeFiles({});
  const withoutProxy = Object.entries(saved).filter(([name]) => !/^(http|https|no)_proxy$/i.test(name));
  process.env = { ...Object.fromEntries(withoutProxy), ZERO_RL_CACHE: cache };
  requests = [];
  [cutAfter, content] = [Infinity, good];
  server = createServer((request, response) => {
    requests.push(request.url!);
    if (request.url === '/good.zip') response.end(good);
    else if (request.url === '/other.zip') response.end(other);
    else if (request.url === '/cut.zip') {
      response.writeHead(200, { 'content-length': good.length });
      response.write(good.subarray(0, 1000), () => response.destroy());
    } else if (request.url === '/resumed.zip') sendPart(request, response);
    else if (request.url === '/damaged.zip') response.end(damaged);
    else if (request.url === '/busy.zip' && requests.length < 3) response.writeHead(503, { 'retry-after': '0' }).end();
    else if (request.url === '/busy.zip') response.end(good);
    else if (request.url === '/stated.zip')
      response.writeHead(200, { 'x-amz-meta-checksum-sha256': sha256(other) }).end(good);
    else response.writeHead(404).end();
  });
  server.on('connect', (request, client, head) => {
    requests.push(`CONNECT ${request.url!}`);
    const [host, port] = request.url!.split(':');
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  process.env = saved;
  server.closeAllConnections();
  server.close();
});

const installations = (): string[] =>
  existsSync(path.join(cache, 'libtorch')) ? readdirSync(path.join(cache, 'libtorch')) : [];

test('an archive is installed with what is needed and nothing else, once', async () => {
  const progress: InstallProgress[] = [];
  const first = await installLibtorch({ archive: `${address}/good.zip`, onProgress: (now) => progress.push(now) });
  expect(first.installed).toBe(true);
  expect(readdirSync(first.directory).sort()).toEqual(['build-version', 'lib']);
  expect(readdirSync(path.join(first.directory, 'lib')).sort()).toEqual([
    'libc10.so',
    'libgomp-a34b3233.so.1',
    'libtorch_cpu.so',
  ]);
  const downloading = progress.filter(({ activity }) => activity === `downloading torch ${pin.torch} (cpu)`);
  expect(downloading.at(-1)?.bytes).toBe(downloading.at(-1)?.total);
  expect(installProgressText(progress.at(-1)!)).toMatch(/^unpacking, \d+ MB$/);
  expect(readManifest(path.dirname(first.directory))).toMatchObject({
    torch: `${pin.torch}+cpu`,
    flavor: 'cpu',
    headers: false,
  });

  const second = await installLibtorch({ archive: `${address}/good.zip` });
  expect(second).toEqual({ directory: first.directory, installed: false });
  expect(requests).toEqual(['/good.zip']);
  expect(installations()).toEqual([`${pin.torch}-cpu-linux-x64`]);
});

test('headers come when asked for, also later; a damaged installation is made anew', async () => {
  const archive = `${address}/good.zip`;
  await installLibtorch({ archive });
  const { directory, installed } = await installLibtorch({ archive, headers: true });
  expect(installed).toBe(true);
  expect(existsSync(path.join(directory, 'include/torch/headeronly/version.h'))).toBe(true);
  writeFileSync(path.join(directory, 'lib/libtorch_cpu.so'), 'cut');
  expect((await installLibtorch({ archive, headers: true })).installed).toBe(true);
  expect((await installLibtorch({ archive, headers: true })).installed).toBe(false);
});

test.each([
  [
    'another version',
    '/other.zip',
    'ERR_ZERO_RL_LIBTORCH_VERSION',
    /2\.10\.0\+cpu and not 2\.11\.0; nothing was installed/,
  ],
  [
    'a cut download',
    '/cut.zip',
    'ERR_ZERO_RL_LIBTORCH_NOT_FOUND',
    /cut\.zip could not be downloaded \(.*set ZERO_RL_LIBTORCH/,
  ],
  ['a missing file', '/missing.zip', 'ERR_ZERO_RL_LIBTORCH_NOT_FOUND', /the server answered 404/],
])('%s is refused and leaves nothing', async (_, file, code, message) => {
  await expect(installLibtorch({ archive: address + file })).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
  expect(installations()).toEqual([]);
});

test('a download that is cut goes on where it stopped, also in a later process, unless the file has changed', async () => {
  const archive = `${address}/resumed.zip`;
  const length = good.length;
  cutAfter = Math.ceil(length / 3);
  const received: number[] = [];
  const onProgress = ({ bytes = 0 }: InstallProgress): void => void received.push(bytes);
  expect((await installLibtorch({ archive, onProgress })).installed).toBe(true);
  expect(requests).toHaveLength(3);
  expect(Math.max(...received.filter((bytes) => bytes <= length))).toBe(length);
  expect(installations()).toEqual([`${pin.torch}-cpu-linux-x64`]);

  // A server that sends nothing more: the part stays, and is not gone on with once the file is another.
  content = other;
  server.once('request', () => (cutAfter = 0));
  cutAfter = Math.ceil(other.length / 2);
  const cut = installLibtorch({ archive, force: true });
  await expect(cut).rejects.toMatchObject({ message: expect.stringMatching(/ bytes are kept, start again to go on/) });
  [cutAfter, content] = [Infinity, good];
  const { directory } = await installLibtorch({ archive, force: true });
  expect(readFileSync(path.join(directory, 'lib/libtorch_cpu.so'), 'utf8')).toBe('x'.repeat(100_000));
  expect(installations()).toEqual([`${pin.torch}-cpu-linux-x64`]);
});

test('a busy server is asked again', async () => {
  expect((await installLibtorch({ archive: `${address}/busy.zip` })).installed).toBe(true);
  expect(requests).toHaveLength(3);
});

test('the checksum of an archive, where one is given, and those of its files must be right', async () => {
  const wrong = `${address}/good.zip#sha256=${sha256(other)}`;
  await expect(installLibtorch({ archive: wrong })).rejects.toThrow(`its SHA-256 is ${sha256(good)} and not`);
  await expect(installLibtorch({ archive: `${address}/stated.zip` })).rejects.toThrow('its SHA-256 is');
  await expect(installLibtorch({ archive: `${address}/damaged.zip` })).rejects.toMatchObject({
    code: 'ERR_ZERO_RL_LIBTORCH_NOT_FOUND',
    message: expect.stringMatching(/is damaged: the checksum of libtorch\/lib\/libtorch_cpu\.so is wrong/),
  });
  expect(installations()).toEqual([]);
  expect((await installLibtorch({ archive: `${address}/good.zip#sha256=${sha256(good)}` })).installed).toBe(true);
});

test('the proxy of the environment is used', async () => {
  process.env.http_proxy = address;
  const { installed } = await installLibtorch({ archive: `http://localhost:${new URL(address).port}/good.zip` });
  expect(installed).toBe(true);
  expect(requests[0]).toContain(`localhost:${new URL(address).port}`);
});

test('what a killed installation left is removed and its lock taken over', async () => {
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  const name = `${pin.torch}-cpu-linux-x64`;
  writeFiles(
    { [`${name}.lock/holder`]: JSON.stringify(ownerHere(gone)), [`${name}.partial-${gone}/downloads/x`]: 'x' },
    path.join(cache, 'libtorch'),
  );
  expect((await installLibtorch({ archive: `${address}/good.zip` })).installed).toBe(true);
  expect(installations()).toEqual([name]);
});

test('two installations at once make one', async () => {
  const archive = `${address}/good.zip`;
  const both = await Promise.all([installLibtorch({ archive }), installLibtorch({ archive })]);
  expect(both.map(({ installed }) => installed).sort()).toEqual([false, true]);
  expect(requests).toEqual(['/good.zip']);
});

test('the official archives', () => {
  expect(archiveUrl('cpu')).toMatch(/\/libtorch\/cpu\/libtorch-shared-with-deps-2\.11\.0%2Bcpu\.zip$/);
  expect(archiveUrl('cuda')).toMatch(/\/libtorch\/cu130\/libtorch-shared-with-deps-2\.11\.0%2Bcu130\.zip$/);
});

test.each([
  ['torch/lib/libtorch_cpu.so', true, true],
  ['torch/lib/libgomp.so.1', true, true],
  ['nvidia/cu13/lib/libcudart.so.13', true, true],
  ['nvidia/cu13/lib/libcupti.so.13', true, true],
  ['torch/version.py', true, true],
  ['torch-2.11.0.dist-info/licenses/LICENSE', true, true],
  ['torch/lib/libtorch_cuda.so', false, true],
  ['nvidia/cudnn/lib/libcudnn.so.9', false, true],
  ['torch/lib/libtorch_python.so', false, false],
  ['torch/nn/__init__.py', false, false],
  ['torch/include/ATen/ATen.h', false, false],
  ['nvidia/cu13/lib/libcudart_static.a', false, false],
])('%s is unpacked for cpu: %s, for cuda: %s', (file, cpu, cuda) => {
  expect(isNeeded(file, 'cpu', false)).toBe(cpu);
  expect(isNeeded(file, 'cuda', false)).toBe(cuda);
});
