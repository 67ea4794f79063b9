/** Device names and the processors that a control group leaves. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cgroupProcessors, defaultThreads, resolveDevice } from '../../src/policy/device';

describe('resolveDevice', () => {
  test('auto, cpu and nothing are the CPU', () => {
    for (const option of ['auto', 'cpu', undefined]) expect(resolveDevice(option, {})).toBe('cpu');
    expect(resolveDevice(undefined, { ZERO_RL_DEVICE: '' })).toBe('cpu');
  });

  test.each(['cuda', 'cuda:0', 'cuda:7'])('%s is refused with its code', (option) => {
    const refused = expect.objectContaining({ code: 'ERR_ZERO_RL_CUDA_UNAVAILABLE' }) as Error;
    expect(() => resolveDevice(option, {})).toThrow(refused);
  });

  test('the environment counts where the option is absent only', () => {
    expect(() => resolveDevice(undefined, { ZERO_RL_DEVICE: 'cuda' })).toThrow(/CPU only/);
    expect(resolveDevice('cpu', { ZERO_RL_DEVICE: 'cuda' })).toBe('cpu');
    expect(() => resolveDevice(undefined, { ZERO_RL_DEVICE: 'gpu' })).toThrow(/for ZERO_RL_DEVICE but received "gpu"/);
  });

  test('another name is a RangeError, another type a TypeError', () => {
    expect(() => resolveDevice('CUDA', {})).toThrow(RangeError);
    expect(() => resolveDevice('cuda:', {})).toThrow(RangeError);
    expect(() => resolveDevice(0, {})).toThrow(TypeError);
  });
});

describe('cgroupProcessors', () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'zero-rl-cgroup-'))));
  afterEach(() => rmSync(root, { recursive: true }));
  const write = (path: string, text: string) => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${text}\n`);
  };

  test('version 2: the least of the group and its ancestors', () => {
    write('proc/self/cgroup', '0::/pod/container');
    write('sys/fs/cgroup/pod/cpu.max', '250000 100000');
    write('sys/fs/cgroup/pod/container/cpu.max', '400000 100000');
    expect(cgroupProcessors(root)).toBe(2.5);
  });

  test('version 2: no limit, and a path outside the namespace', () => {
    write('proc/self/cgroup', '0::/somewhere/else');
    write('sys/fs/cgroup/cpu.max', 'max 100000');
    expect(cgroupProcessors(root)).toBe(Infinity);
    write('sys/fs/cgroup/cpu.max', '150000 100000');
    expect(cgroupProcessors(root)).toBe(1.5);
  });

  test('version 1: the cpu controller; -1 is no limit', () => {
    write('proc/self/cgroup', '5:memory:/a\n4:cpu,cpuacct:/docker/a\n0::/');
    write('sys/fs/cgroup/cpu/docker/a/cpu.cfs_period_us', '100000');
    write('sys/fs/cgroup/cpu/docker/a/cpu.cfs_quota_us', '-1');
    expect(cgroupProcessors(root)).toBe(Infinity);
    write('sys/fs/cgroup/cpu/docker/a/cpu.cfs_quota_us', '300000');
    expect(cgroupProcessors(root)).toBe(3);
  });

  test('no control groups at all', () => expect(cgroupProcessors(root)).toBe(Infinity));

  test('there is always a thread', () => expect(defaultThreads()).toBeGreaterThanOrEqual(1));
});
