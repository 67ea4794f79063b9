/** What the files of a machine say about NVIDIA devices. */
import { chmodSync } from 'node:fs';
import path from 'node:path';
import { listDevices } from '../../../src/libtorch/examine-cuda';
import { devicesAreHidden, driverVersion, nvidiaPresent } from '../../../src/libtorch/nvidia';
import { writeFiles } from '../../support/torch-folder';

test('a device of the driver, of WSL or the driver itself counts as present', () => {
  expect(nvidiaPresent(writeFiles({ 'dev/null': '' }))).toBe(false);
  for (const file of ['dev/nvidiactl', 'dev/dxg', 'proc/driver/nvidia/version']) {
    expect(nvidiaPresent(writeFiles({ [file]: '' }))).toBe(true);
  }
});

test.each([
  [
    'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\nGCC version:  12\n',
    '535.104.05',
  ],
  ['NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (root@host)\n', '580.95.05'],
  ['something else\n', null],
])('the version of the driver in %j', (text, version) => {
  expect(driverVersion(writeFiles({ 'proc/driver/nvidia/version': text }))).toBe(version);
});

test('no driver has no version', () => expect(driverVersion(writeFiles({}))).toBeNull());

test.each([
  [undefined, false],
  ['0', false],
  ['1,0', false],
  ['GPU-5b2c', false],
  ['MIG-1a', false],
  ['', true],
  ['-1', true],
  ['NoDevFiles', true],
  ['-1,0', true],
])('CUDA_VISIBLE_DEVICES=%s hides every device: %s', (value, hidden) => {
  expect(devicesAreHidden({ CUDA_VISIBLE_DEVICES: value })).toBe(hidden);
});

describe('devices are listed', () => {
  test('by nvidia-smi', () => {
    const folder = writeFiles({
      'nvidia-smi': '#!/bin/sh\necho "NVIDIA H200, 143771, 9.0"\necho "NVIDIA Thor, [N/A], 11.0"\n',
    });
    chmodSync(path.join(folder, 'nvidia-smi'), 0o755);
    expect(listDevices(folder, path.join(folder, 'nvidia-smi'))).toEqual([
      { name: 'NVIDIA H200', memory: 143771, capability: '9.0' },
      { name: 'NVIDIA Thor', memory: null, capability: '11.0' },
    ]);
  });

  test("by the driver's files where nvidia-smi is missing", () => {
    const folder = writeFiles({
      'proc/driver/nvidia/gpus/0000:04:00.0/information': 'Model: \t\t NVIDIA L4\nIRQ:   \t\t 77\n',
    });
    expect(listDevices(folder, '/nonexistent')).toEqual([{ name: 'NVIDIA L4', memory: null, capability: null }]);
  });

  test('as none where there is neither', () => expect(listDevices(writeFiles({}), '/nonexistent')).toEqual([]));
});
