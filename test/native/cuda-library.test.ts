/** The compiled CUDA library, without a GPU: what it needs, and which operators it brings to the dispatcher. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { repository, runChild } from '../support/child';

const library = path.join(repository, 'build', 'Release', 'libzero_rl_cuda.so');
const compiled = existsSync(library) ? test : test.skip;
if (!existsSync(library)) console.log('Skipped: there is no CUDA library; `npm run build:cuda` compiles one.');

compiled('it registers a kernel for every operator of devices', async () => {
  const child = path.join(repository, 'test', 'native', 'cuda-library-child.cjs');
  const ended = await runChild([child, library]);
  expect(ended.stderr).toBe('');
  const { before, cuda, cpu } = JSON.parse(ended.stdout) as Record<string, string[]>;
  expect(before).toEqual([]);
  expect(cpu.length).toBeGreaterThan(20);
  expect(cuda).toEqual(cpu);
});

compiled('it finds its libraries by name, so that the loader decides which they are', () => {
  const { stdout } = spawnSync('readelf', ['--dynamic', '--wide', library], { encoding: 'utf8' });
  const needed = [...stdout.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map((match) => match[1]);
  expect(needed).toEqual(expect.arrayContaining(['libtorch_cpu.so', 'libc10.so', 'libcudart.so.13']));
  expect(needed.filter((name) => /cuda|cu\w+blas|torch|c10/.test(name)).sort()).toEqual([
    'libc10.so',
    'libcudart.so.13',
    'libtorch_cpu.so',
  ]);
  expect(stdout).not.toMatch(/\((RPATH|RUNPATH)\)/);
});
