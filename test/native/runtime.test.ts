/** What the engine stands on: memory and threads of this machine. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadNative } from '../../src/libtorch/load';
import { repository, runChild } from '../support/child';

test('a thread without memory is an error of the call, after which the engine works on', async () => {
  const ended = await runChild([path.join(repository, 'test', 'native', 'runtime-child.cjs')]);
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  const failure = expect.stringMatching(/^ERR_ZERO_RL_OUT_OF_MEMORY: The engine ran out of memory; lower /) as string;
  expect(JSON.parse(ended.stdout)).toEqual([failure, 3, failure, 3, failure, 3]);
});

describe('machineMemory', () => {
  const GIB = 2 ** 30;
  let root: string;
  beforeEach(() => (root = mkdtempSync(path.join(tmpdir(), 'zero-rl-memory-'))));
  afterEach(() => rmSync(root, { recursive: true }));

  const write = (file: string, text: string | number): void => {
    const target = path.join(root, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, `${text}\n`);
  };
  const group = (folder: string, files: Record<string, string | number>): void => {
    for (const [name, text] of Object.entries(files)) write(path.join('sys/fs/cgroup', folder, name), text);
  };
  const memory = (): { limit: number; available: number } => {
    const { limit, available } = loadNative().machineMemory(root);
    return { limit: limit / GIB, available: available / GIB };
  };
  beforeEach(() =>
    write('proc/meminfo', `MemTotal:       ${16 * 2 ** 20} kB\nMemFree:  1 kB\nMemAvailable:   ${10 * 2 ** 20} kB`),
  );

  test('the machine alone', () => expect(memory()).toEqual({ limit: 16, available: 10 }));

  test('v2: the least of the group and its ancestors; page cache that gives way is free', () => {
    write('proc/self/cgroup', '0::/pod/container');
    group('.', { 'memory.stat': 'anon 1' });
    group('pod', { 'memory.max': 6 * GIB, 'memory.high': 'max', 'memory.current': 5 * GIB });
    group('pod/container', {
      'memory.max': 8 * GIB,
      'memory.current': 4 * GIB,
      'memory.stat': `anon 1\nfile ${3 * GIB}\ninactive_file ${2 * GIB}\nactive_file ${GIB}`,
    });
    expect(memory()).toEqual({ limit: 6, available: 1 });
    group('pod', { 'memory.max': 'max' });
    expect(memory()).toEqual({ limit: 8, available: 6 });
    group('pod/container', { 'memory.high': 3 * GIB });
    expect(memory()).toEqual({ limit: 3, available: 1 });
  });

  test('v2 in a container that sees its group as the root, or its path from outside', () => {
    group('.', { 'memory.max': 4 * GIB, 'memory.current': 5 * GIB });
    for (const own of ['/', '/../../elsewhere', '/docker/a']) {
      write('proc/self/cgroup', `0::${own}`);
      expect(memory()).toEqual({ limit: 4, available: 0 });
    }
  });

  test('v1, beside a v2 that has no controllers', () => {
    write('proc/self/cgroup', '5:cpu,memory:/docker/a\n4:name=memory:/b\n0::/');
    const unlimited = '9223372036854771712';
    group('memory', { 'memory.limit_in_bytes': unlimited, 'memory.usage_in_bytes': 7 * GIB });
    group('memory/docker/a', { 'memory.limit_in_bytes': unlimited });
    expect(memory()).toEqual({ limit: 16, available: 10 });
    group('memory/docker/a', {
      'memory.limit_in_bytes': 5 * GIB,
      'memory.usage_in_bytes': 4 * GIB,
      'memory.stat': `inactive_file ${GIB}\ntotal_inactive_file ${2 * GIB}`,
    });
    expect(memory()).toEqual({ limit: 5, available: 3 });
  });

  test('limits of the process', () => {
    const limits = (data: string, space: string): void =>
      write(
        'proc/self/limits',
        `Max data size             ${data} unlimited            bytes\nMax address space         ${space} unlimited            bytes`,
      );
    write('proc/self/status', `VmSize:\t ${2 * 2 ** 20} kB\nVmData:\t ${2 ** 20} kB`);
    limits('unlimited           ', '18446744073709551615');
    expect(memory()).toEqual({ limit: 16, available: 10 });
    limits('unlimited           ', `${5 * GIB}          `);
    expect(memory()).toEqual({ limit: 5, available: 3 });
    limits(`${3 * GIB}          `, `${5 * GIB}          `);
    expect(memory()).toEqual({ limit: 3, available: 2 });
  });

  test('of this machine', () => {
    const { limit, available } = loadNative().machineMemory();
    expect(limit).toBeGreaterThan(available);
    expect(available).toBeGreaterThan(2 ** 26);
  });
});
