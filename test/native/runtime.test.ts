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

describe('workspace', () => {
  const MIB = 2 ** 20;
  const history = (...passes: (number[] | number)[]): number[] =>
    loadNative()
      .workspaceHistory(passes.map((pass) => (typeof pass === 'number' ? pass * MIB : pass.map((size) => size * MIB))))
      .map((bytes) => bytes / MIB);
  const repeated = (count: number, pass: number[]): number[][] => Array.from({ length: count }, () => pass);

  test('a pass that grows leaves nothing behind, and the same pass again has one block with little to spare', () => {
    const [, second, , larger, after] = history(...repeated(3, [3, 5, 2, 9, 1]), [3, 5, 30, 9], [3, 5, 30, 9]);
    expect(second).toBeGreaterThanOrEqual(20);
    expect(second).toBeLessThan(24);
    expect(larger).toBe(0);
    expect(after).toBeGreaterThanOrEqual(47);
    expect(after).toBeLessThan(56);
  });

  test('equal passes, and smaller ones between large ones, keep the memory', () => {
    const held = history(
      ...repeated(200, [20]),
      ...repeated(40, [10, 1]).flatMap((large) => [[1, 2], [1], large, [20]]),
    );
    expect(new Set(held).size).toBe(1);
  });

  test('what a large pass left goes once small ones have gone on', () => {
    const held = history([64], ...repeated(400, [2, 1]));
    expect(held.slice(0, 200)).toEqual(Array<number>(200).fill(64));
    expect(held.at(-1)).toBeLessThan(5);
  });

  test('trim gives back what is asked for, and the next pass has what it needs', () => {
    const [one, none, again] = history([20], 0, [6, 3]);
    expect([one, none]).toEqual([20, 0]);
    expect(again).toBe(0);
    expect(history([20], 20, 19, [7])).toEqual([20, 20, 0, 7]);
  });
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
