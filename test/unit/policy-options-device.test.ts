/** Device names and the processors that a control group leaves. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ZeroRlError } from '../../src/errors';
import { runsOn } from '../../src/libtorch/compute-capability';
import { cudaDevices, type CudaDevice } from '../../src/libtorch/load-cuda';
import { log } from '../../src/observe/log';
import { checkPolicyOptions } from '../../src/policy/open';
import { Policy } from '../../src/policy/policy';
import type { PolicyOptions } from '../../src/policy/types';
import { VerifierPool } from '../../src/verifier';
import {
  cgroupProcessors,
  defaultThreads,
  engineThreads,
  resolveDevice,
  type CudaAccess,
} from '../../src/policy/device';

/** A machine with this many CUDA devices, or with these, or where CUDA is refused. */
function cuda(devices: number | CudaDevice[] | Error, isPresent = true): CudaAccess {
  return {
    isPresent: () => isPresent,
    load: () => {
      if (devices instanceof Error) throw devices;
      return typeof devices === 'number' ? Array.from({ length: devices }, () => ({ refusal: null })) : devices;
    },
  };
}

const refusal = new ZeroRlError('ERR_ZERO_RL_CUDA_UNAVAILABLE', 'CUDA cannot be used because of a test; pass it.');
const unavailable = expect.objectContaining({ code: 'ERR_ZERO_RL_CUDA_UNAVAILABLE' }) as Error;

describe('resolveDevice', () => {
  let warnings: jest.SpyInstance;
  beforeEach(() => (warnings = jest.spyOn(log, 'warn').mockImplementation(() => undefined)));
  afterEach(() => warnings.mockRestore());

  test('auto and nothing are the first CUDA device where one is usable', () => {
    for (const option of ['auto', undefined]) expect(resolveDevice(option, {}, cuda(2))).toBe('cuda:0');
    expect(resolveDevice('cpu', {}, cuda(2))).toBe('cpu');
    expect(resolveDevice(undefined, { ZERO_RL_DEVICE: '' }, cuda(1))).toBe('cuda:0');
    expect(warnings).not.toHaveBeenCalled();
  });

  test('auto is the CPU, silently, where no device is present or all are hidden', () => {
    expect(resolveDevice('auto', {}, cuda(refusal, false))).toBe('cpu');
    for (const hidden of ['', '-1']) {
      expect(resolveDevice('auto', { CUDA_VISIBLE_DEVICES: hidden }, cuda(refusal))).toBe('cpu');
    }
    expect(warnings).not.toHaveBeenCalled();
  });

  test('auto is the CPU, with one warning that says why, where a device cannot be used', () => {
    for (let i = 0; i < 3; i++) expect(resolveDevice('auto', {}, cuda(refusal))).toBe('cpu');
    expect(warnings.mock.calls).toEqual([[expect.stringContaining(refusal.message)]]);
  });

  test('devices that the kernels were not compiled for are passed over by auto and refused by name', () => {
    const devices = (...capabilities: number[]): CudaAccess =>
      cuda(cudaDevices({ architectures: '80-real,86-real,90', capabilities }));
    expect(resolveDevice('auto', {}, devices(61, 86))).toBe('cuda:1');
    expect(resolveDevice('cuda:1', {}, devices(61, 86))).toBe('cuda:1');
    expect(warnings).not.toHaveBeenCalled();
    const both = /cuda:0 has compute capability 6\.1 and the kernels were compiled for 8\.0, 8\.6 and 9\.0; use /;
    expect(() => resolveDevice('cuda', {}, devices(61, 86))).toThrow(both);
    expect(() => resolveDevice('cuda', {}, devices(61, 86))).toThrow(unavailable);
    for (let i = 0; i < 2; i++) expect(resolveDevice('auto', {}, devices(61, 75))).toBe('cpu');
    expect(warnings.mock.calls).toEqual([[expect.stringMatching(both)]]);
  });

  test('auto hides no other failure', () => {
    const broken = new ZeroRlError('ERR_ZERO_RL_LIBTORCH_NOT_FOUND', 'No usable libtorch.');
    expect(() => resolveDevice('auto', {}, cuda(broken))).toThrow(broken);
  });

  test('cuda and cuda:N are devices that exist, or refused with the reason', () => {
    expect(resolveDevice('cuda', {}, cuda(1))).toBe('cuda:0');
    expect(resolveDevice('cuda:7', {}, cuda(8))).toBe('cuda:7');
    expect(() => resolveDevice('cuda:8', {}, cuda(8))).toThrow(unavailable);
    expect(() => resolveDevice('cuda:8', {}, cuda(8))).toThrow(/8 devices, cuda:0 to cuda:7/);
    expect(() => resolveDevice('cuda:1', {}, cuda(1))).toThrow(/one device, cuda:0/);
    expect(() => resolveDevice('cuda', {}, cuda(refusal))).toThrow(refusal);
  });

  test('the environment counts where the option is absent only', () => {
    expect(() => resolveDevice(undefined, { ZERO_RL_DEVICE: 'cuda' }, cuda(refusal))).toThrow(refusal);
    expect(resolveDevice('cpu', { ZERO_RL_DEVICE: 'cuda' }, cuda(1))).toBe('cpu');
    expect(() => resolveDevice(undefined, { ZERO_RL_DEVICE: 'gpu' })).toThrow(/for ZERO_RL_DEVICE but received "gpu"/);
  });

  test('another name is a RangeError, another type a TypeError', () => {
    expect(() => resolveDevice('CUDA', {})).toThrow(RangeError);
    expect(() => resolveDevice('cuda:', {})).toThrow(RangeError);
    expect(() => resolveDevice(0, {})).toThrow(TypeError);
  });
});

test('threads beyond the processors are warned of, many times as many refused', async () => {
  const processors = availableParallelism();
  const written = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  expect(engineThreads(undefined)).toBe(defaultThreads());
  expect(written).not.toHaveBeenCalled();
  expect(engineThreads(processors + 1)).toBe(processors + 1);
  expect(written.mock.lastCall?.[0]).toContain(`${processors + 1} threads share ${defaultThreads()} processors`);
  written.mockRestore();
  for (const threads of [500 * processors, 0, 1.5]) expect(() => engineThreads(threads)).toThrow(RangeError);
  await expect(Policy.load('.', { threads: 500 * processors })).rejects.toThrow(`between 1 and ${16 * processors}`);
  expect(() => new VerifierPool({ workers: 500 * processors })).toThrow(`between 1 and ${16 * processors}`);
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

test('the memory of a policy in bytes; none given is that of the machine', () => {
  const memory = (memoryMiB?: unknown): number =>
    checkPolicyOptions({ device: 'cpu', memoryMiB } as PolicyOptions).memoryBytes;
  expect([memory(), memory(300)]).toEqual([0, 300 * 2 ** 20]);
  for (const wrong of [0, 1.5, 2 ** 31]) expect(() => memory(wrong)).toThrow(/ for memoryMiB but received /);
  expect(() => memory('300')).toThrow(TypeError);
});

test.each([
  ['80-real,86-real,90', [80, 86, 87, 89, 90, 100, 120], [61, 75]],
  ['86', [86, 89, 90], [80, 75]],
  ['90-real,100-real', [90, 100, 103], [89, 120]],
  ['75-virtual', [75, 80, 120], [70]],
])('kernels compiled for %s run on some devices', (architectures, runs, refused) => {
  for (const capability of runs) expect([capability, runsOn(architectures, capability)]).toEqual([capability, true]);
  for (const capability of refused)
    expect([capability, runsOn(architectures, capability)]).toEqual([capability, false]);
});
