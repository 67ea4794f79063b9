/** What pip fetches from an index, for each flavor; a local server is the index. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { readManifest } from '../../../src/libtorch/cache';
import { findPip } from '../../../src/libtorch/fetch-wheels';
import { installLibtorch } from '../../../src/libtorch/install';
import { pin } from '../../../src/libtorch/pin';
import { writeFiles } from '../../support/torch-folder';

/** Wheels of all that the pin names, by file name, each with one library; made by one Python. */
function makeWheels(): string {
  const folder = writeFiles({
    'make.py': `
import json, sys, zipfile
for requirement, files in json.load(sys.stdin).items():
    name, version = requirement.replace('.*', '.7').split('==')
    name = name.replace('-', '_')
    # Tags of many versions of glibc, as the real wheels have.
    tags = {'torch': 'cp311-cp311-manylinux_2_28_x86_64', 'nvidia_nccl_cu13': 'py3-none-manylinux_2_18_x86_64'}
    tag = tags.get(name, 'py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64')
    info = f'{name}-{version}.dist-info'
    with zipfile.ZipFile(f'{name}-{version}-{tag}.whl', 'w') as wheel:
        for file in files: wheel.writestr(file, file)
        if name == 'torch': wheel.writestr('torch/version.py', f"__version__ = '{version}+cu130'\\n")
        wheel.writestr(f'{info}/METADATA', f'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\nRequires-Dist: unknown-package\\n')
        wheel.writestr(f'{info}/WHEEL', f'Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: {tag}\\n')
        wheel.writestr(f'{info}/RECORD', '')
`,
  });
  const contents = Object.fromEntries(
    [...pin.wheels, ...pin.cudaWheels].map((requirement) => {
      const part = requirement
        .split('==')[0]
        .replace(/^nvidia-(cuda-)?/, '')
        .replace(/-cu13$/, '');
      const library = { runtime: 'cudart' }[part] ?? part;
      return [requirement, [`nvidia/${part}/lib/lib${library}.so.13`, `nvidia/${part}/include/${part}.h`]];
    }),
  );
  contents[`torch==${pin.torch}`] = ['c10', 'torch_cpu', 'torch_cuda', 'torch_python'].map(
    (name) => `torch/lib/lib${name}.so`,
  );
  const made = spawnSync('python3', ['make.py'], { cwd: folder, input: JSON.stringify(contents), encoding: 'utf8' });
  if (made.status !== 0) throw new Error(made.stderr);
  return folder;
}

const wheels = makeWheels();
const saved = { ...process.env };
let server: Server;
let fetched: string[];

beforeEach(async () => {
  fetched = [];
  server = createServer((request, response) => {
    const [, kind, name] = request.url!.split('/');
    const files = readdirSync(wheels).filter((file) => file.endsWith('.whl'));
    if (kind === 'simple') {
      const links = files.filter((file) => file.split('-')[0] === name.replaceAll('-', '_'));
      if (links.length === 0) response.writeHead(404).end();
      else
        response
          .setHeader('content-type', 'text/html')
          .end(links.map((file) => `<a href="/files/${file}">${file}</a>`).join(''));
    } else if (files.includes(name)) {
      fetched.push(name.split('-')[0]);
      response.end(readFileSync(path.join(wheels, name)));
    } else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const plain = Object.entries(saved).filter(([name]) => !/^(http|https|no)_proxy$|^PIP_/i.test(name));
  process.env = {
    ...Object.fromEntries(plain),
    ZERO_RL_CACHE: writeFiles({}),
    PIP_CONFIG_FILE: '/dev/null',
    PIP_INDEX_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple/`,
  };
});

afterEach(() => {
  process.env = saved;
  server.closeAllConnections();
  server.close();
});

const testWithPip = findPip() === undefined ? test.skip : test;
const packages = (requirements: string[]) =>
  requirements.map((text) => text.split('==')[0].replaceAll('-', '_')).sort();

testWithPip('cpu: torch and the two libraries that its CPU part needs', async () => {
  const { directory } = await installLibtorch();
  expect([...new Set(fetched)].sort()).toEqual(packages(['torch', ...pin.wheels]));
  const { files } = readManifest(path.dirname(directory))!;
  expect(
    Object.keys(files)
      .filter((file) => file.includes('/lib/'))
      .sort(),
  ).toEqual([
    'nvidia/cupti/lib/libcupti.so.13',
    'nvidia/runtime/lib/libcudart.so.13',
    'torch/lib/libc10.so',
    'torch/lib/libtorch_cpu.so',
  ]);
});

testWithPip('cuda: also what the CUDA part needs, and nothing that the wheels ask for themselves', async () => {
  const { directory } = await installLibtorch({ flavor: 'cuda' });
  expect([...new Set(fetched)].sort()).toEqual(packages(['torch', ...pin.wheels, ...pin.cudaWheels]));
  const { files, flavor } = readManifest(path.dirname(directory))!;
  expect(flavor).toBe('cuda');
  const libraries = Object.keys(files).filter((file) => file.includes('/lib/'));
  expect(libraries).toContain('torch/lib/libtorch_cuda.so');
  expect(libraries).toContain('nvidia/cudnn/lib/libcudnn.so.13');
  expect(libraries).toHaveLength(3 + pin.wheels.length + pin.cudaWheels.length);
});
