import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { readTensorSources, type StoredTensor } from '../../../src/policy/safetensors';
import { writeModelTensors, writeSafetensors, type TensorTarget } from '../../../src/policy/safetensors-writer';
import { expectFailure, useTemporaryFolder } from './model-folder';

const folder = useTemporaryFolder();

const TENSORS: TensorTarget[] = [
  { name: 'a', dtype: 'F32', shape: [2, 3] },
  { name: 'weird "name" \u00e9', dtype: 'BF16', shape: [5] },
  { name: 'c', dtype: 'F16', shape: [] },
  { name: 'd', dtype: 'F32', shape: [4] },
];
const BYTES = new Map(
  [24, 10, 2, 16].map((length, i) => [TENSORS[i].name, Uint8Array.from({ length }, (_, j) => 16 * i + j)]),
);
const whole = (name: string) => Promise.resolve(BYTES.get(name)!);

async function* chunked(name: string): AsyncGenerator<Uint8Array> {
  const bytes = BYTES.get(name)!;
  for (let i = 0; i < bytes.length; i += 3) yield await Promise.resolve(bytes.subarray(i, i + 3));
}

const dataOf = ({ file, byteOffset, byteLength }: StoredTensor) =>
  new Uint8Array(readFileSync(file).subarray(byteOffset, byteOffset + byteLength));

async function expectRoundTrip(directory: string): Promise<void> {
  const sources = await readTensorSources(directory);
  expect(sources.map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual(TENSORS);
  for (const source of sources) expect(dataOf(source)).toEqual(BYTES.get(source.name));
}

test.each([
  ['whole tensors', whole],
  ['chunks', chunked],
])('what is written from %s reads back, in order, with aligned data', async (_, data) => {
  const directory = join(folder(), 'new/model');
  expect(await writeModelTensors(directory, TENSORS, data)).toEqual([join(directory, 'model.safetensors')]);
  await expectRoundTrip(directory);
  expect((await readTensorSources(directory))[0].byteOffset % 8).toBe(0);
  expect(readdirSync(directory)).toEqual(['model.safetensors']);
});

test('shards with an index above the largest size, one tensor each where even that is too large', async () => {
  const files = await writeModelTensors(folder(), TENSORS, whole, { maxShardBytes: 12 });
  expect(files.map((file) => file.slice(folder().length + 1))).toEqual([
    'model-00001-of-00003.safetensors',
    'model-00002-of-00003.safetensors',
    'model-00003-of-00003.safetensors',
    'model.safetensors.index.json',
  ]);
  await expectRoundTrip(folder());
  const index = JSON.parse(readFileSync(files[3], 'utf8')) as { metadata: unknown };
  expect(index.metadata).toEqual({ total_size: 52 });
});

test('a save over another one leaves no weights of the other, and other files alone', async () => {
  writeFileSync(join(folder(), 'notes.safetensors'), '');
  await writeModelTensors(folder(), TENSORS, whole, { maxShardBytes: 12 });
  await writeModelTensors(folder(), TENSORS, whole);
  expect(readdirSync(folder()).sort()).toEqual(['model.safetensors', 'notes.safetensors']);
  await writeModelTensors(folder(), TENSORS, whole, { maxShardBytes: 30 });
  expect(readdirSync(folder()).sort()).toEqual([
    'model-00001-of-00002.safetensors',
    'model-00002-of-00002.safetensors',
    'model.safetensors.index.json',
    'notes.safetensors',
  ]);
  await expectRoundTrip(folder());
});

describe('failures leave the older weights and no temporary file', () => {
  beforeEach(async () => {
    await writeModelTensors(folder(), TENSORS, whole);
  });
  const expectIntact = async () => {
    await expectRoundTrip(folder());
    expect(readdirSync(folder())).toEqual(['model.safetensors']);
  };

  test('a full disk', async () => {
    symlinkSync('/dev/full', join(folder(), `model.safetensors.tmp-${process.pid}`));
    const error: unknown = await writeModelTensors(folder(), TENSORS, whole).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'ERR_ZERO_RL_OUTPUT',
      message: expect.stringMatching(/model\.safetensors \(ENOSPC\).*no space is left/) as string,
      cause: { code: 'ENOSPC' },
    });
    await expectIntact();
  });

  test('a full disk at the second shard', async () => {
    symlinkSync('/dev/full', join(folder(), `model-00002-of-00003.safetensors.tmp-${process.pid}`));
    const write = () => writeModelTensors(folder(), TENSORS, whole, { maxShardBytes: 12 });
    await expectFailure(write, /model-00002-of-00003\.safetensors \(ENOSPC\)/, 'ERR_ZERO_RL_OUTPUT');
    await expectIntact();
  });

  test('an error of the source passes through unchanged', async () => {
    const failure = new Error('engine stopped');
    const data = (name: string) => (name === 'c' ? Promise.reject(failure) : whole(name));
    await expect(writeModelTensors(folder(), TENSORS, data)).rejects.toBe(failure);
    await expectIntact();
  });

  test.each([
    ['fewer', 8, /takes 10 bytes but 8 came/],
    ['more', 11, /takes 10 bytes but more came/],
  ])('%s bytes than the shape takes', async (_, length, pattern) => {
    const data = (name: string) => (name.startsWith('weird') ? Promise.resolve(new Uint8Array(length)) : whole(name));
    await expectFailure(() => writeModelTensors(folder(), TENSORS, data), pattern, 'ERR_ZERO_RL_OUTPUT');
    await expectIntact();
  });
});

test('a folder below a file cannot be made', async () => {
  writeFileSync(join(folder(), 'file'), '');
  const directory = join(folder(), 'file/model');
  await expectFailure(
    () => writeModelTensors(directory, TENSORS, whole),
    /\(ENOTDIR\).*in the place of a folder/,
    'ERR_ZERO_RL_OUTPUT',
  );
});

test('a single file goes to any name', async () => {
  const file = join(folder(), 'optimizer.safetensors');
  await writeSafetensors(file, TENSORS, chunked);
  expect(existsSync(file)).toBe(true);
  expect(readdirSync(folder())).toEqual(['optimizer.safetensors']);
});
