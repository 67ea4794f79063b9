import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';

import { isZeroRlError } from '../../../src/errors';
import { matchParameters, readSafetensorsHeader, readTensorSources } from '../../../src/policy/safetensors';
import { entry, expectFailure, safetensorsBytes, useTemporaryFolder, writeFloatTensors } from './model-folder';

const folder = useTemporaryFolder();
const path = (name = 'model.safetensors') => join(folder(), name);

test('lists tensors with absolute offsets, in file order, whatever the order of the header', async () => {
  const header = {
    __metadata__: { format: 'pt' },
    b: entry('BF16', [2, 3], 8, 20),
    empty: entry('F16', [0, 4], 20, 20),
    a: entry('F32', [2], 0, 8),
    scalar: entry('F16', [], 20, 22),
  };
  const bytes = safetensorsBytes(header, 22);
  writeFileSync(path(), bytes);
  const start = bytes.length - 22;
  expect(await readTensorSources(folder())).toEqual([
    { name: 'a', file: path(), dtype: 'F32', shape: [2], byteOffset: start, byteLength: 8 },
    { name: 'b', file: path(), dtype: 'BF16', shape: [2, 3], byteOffset: start + 8, byteLength: 12 },
    { name: 'empty', file: path(), dtype: 'F16', shape: [0, 4], byteOffset: start + 20, byteLength: 0 },
    { name: 'scalar', file: path(), dtype: 'F16', shape: [], byteOffset: start + 20, byteLength: 2 },
  ]);
});

const F32 = (begin: unknown, end: unknown, shape: unknown = [1]) => entry('F32', shape, begin, end);
const big = 2 ** 53;

test.each<[string, Buffer, RegExp]>([
  ['an empty file', Buffer.alloc(0), /has 0 bytes, fewer than the 8/],
  ['seven bytes', Buffer.alloc(7), /has 7 bytes/],
  ['a header beyond the file', safetensorsBytes({}, 0, 1000), /claims a header of 1000 bytes but has 10/],
  ['a header over 100 MB', safetensorsBytes({}, 0, 100_000_001), /claims a header of 100000001 bytes, more than/],
  ['a header length of 2^64 - 1', safetensorsBytes({}, 0, 2n ** 64n - 1n), /claims a header of 18446744073709551615/],
  ['a header of no bytes', safetensorsBytes('', 0), /not JSON in UTF-8/],
  ['a header that is no UTF-8', safetensorsBytes(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 0), /not JSON in UTF-8/],
  ['a header that is no JSON', safetensorsBytes('{"a":', 0), /not JSON in UTF-8/],
  ['a header that is a list', safetensorsBytes('[]', 0), /not a JSON object/],
  ['a header after a byte order mark', safetensorsBytes('\ufeff{}', 0), /not a JSON object/],
  [
    'a tensor twice',
    safetensorsBytes(
      '{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"\\u0061":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}',
      4,
    ),
    /has the key "a" twice/,
  ],
  [
    'a field twice',
    safetensorsBytes('{"a":{"dtype":"F32","shape":[],"shape":[1],"data_offsets":[0,4]}}', 4),
    /has the key "shape" twice/,
  ],
  ['an entry that is no object', safetensorsBytes({ a: [] }, 0), /the entry of "a" is not an object/],
  ['no dtype', safetensorsBytes({ a: { shape: [], data_offsets: [0, 4] } }, 4), /"a" has no dtype/],
  ['a shape that is a number', safetensorsBytes({ a: F32(0, 4, 1) }, 4), /a shape that is not a list/],
  ['a negative dimension', safetensorsBytes({ a: F32(0, 4, [-1, -1]) }, 4), /a shape that is not a list/],
  ['a fractional dimension', safetensorsBytes({ a: F32(0, 4, [0.5, 2]) }, 4), /a shape that is not a list/],
  ['one offset', safetensorsBytes({ a: { dtype: 'F32', shape: [], data_offsets: [4] } }, 4), /not two byte positions/],
  ['a negative offset', safetensorsBytes({ a: F32(-4, 0) }, 4), /not two byte positions/],
  ['a fractional offset', safetensorsBytes({ a: F32(0.5, 4.5) }, 8), /not two byte positions/],
  ['an offset beyond safe integers', safetensorsBytes({ a: F32(0, big) }, 4), /not two byte positions/],
  ['an offset that is a text', safetensorsBytes({ a: F32('0', '4') }, 4), /not two byte positions/],
  ['an end before the start', safetensorsBytes({ a: F32(4, 0) }, 4), /end \(0\) before they begin \(4\)/],
  [
    'bytes that do not fit the shape',
    safetensorsBytes({ a: F32(0, 8, [3]) }, 8),
    /8 bytes where its shape \[3\] in F32 takes 12/,
  ],
  [
    'a shape whose size overflows',
    safetensorsBytes({ a: F32(0, 0, [2 ** 32, 2 ** 32, 2 ** 32]) }, 0),
    /takes 316912650057057350374175801344/,
  ],
  ['an offset beyond the file', safetensorsBytes({ a: F32(0, 8, [2]) }, 4), /"a" ends at byte \d+ but the file has/],
  ['an overlap', safetensorsBytes({ a: F32(0, 8, [2]), b: F32(4, 12, [2]) }, 12), /"b" overlaps/],
  ['the same bytes twice', safetensorsBytes({ a: F32(0, 4), b: F32(0, 4) }, 4), /overlaps/],
  ['a gap', safetensorsBytes({ a: F32(0, 4), b: F32(8, 12) }, 12), /"b" leaves a gap of 4 bytes/],
  ['a gap at the start', safetensorsBytes({ a: F32(4, 8) }, 8), /"a" leaves a gap of 4 bytes/],
  ['bytes after the end', safetensorsBytes({ a: F32(0, 4) }, 9), /5 bytes at its end belong to no tensor/],
  ['metadata that is no object of strings', safetensorsBytes({ __metadata__: { a: 1 } }, 0), /__metadata__/],
  ['4-bit floats', safetensorsBytes({ a: entry('F4', [4], 0, 2) }, 2), /"a" has dtype "F4", which is not read/],
  ['a dtype of Object.prototype', safetensorsBytes({ a: entry('toString', [1], 0, 4) }, 4), /dtype "toString"/],
])('refuses %s', async (_, bytes, pattern) => {
  writeFileSync(path(), bytes);
  await expectFailure(() => readSafetensorsHeader(path()), pattern);
  await expectFailure(() => readSafetensorsHeader(path()), /model\.safetensors/);
});

test('refuses a key of 30 million characters without running out of stack', async () => {
  writeFileSync(path(), safetensorsBytes({ ['x'.repeat(30_000_000)]: {} }, 0));
  await expectFailure(() => readSafetensorsHeader(path()), /has no dtype/);
});

test('a tensor named __proto__ is a tensor like any other', async () => {
  writeFileSync(path(), safetensorsBytes('{"__proto__":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}', 4));
  expect(await readSafetensorsHeader(path())).toMatchObject([{ name: '__proto__', byteLength: 4 }]);
});

describe('whatever the bytes, the only error is ERR_ZERO_RL_CHECKPOINT and what is accepted covers the file', () => {
  const check = async (bytes: Uint8Array) => {
    writeFileSync(path(), bytes);
    try {
      const tensors = await readSafetensorsHeader(path());
      const covered = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
      const header = Number(Buffer.from(bytes).readBigUInt64LE());
      expect(8 + header + covered).toBe(bytes.length);
      for (const { byteOffset, byteLength } of tensors)
        expect(byteOffset + byteLength).toBeLessThanOrEqual(bytes.length);
    } catch (error) {
      if (!isZeroRlError(error)) throw error;
      expect(error.code).toBe('ERR_ZERO_RL_CHECKPOINT');
    }
  };

  test('random bytes', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), check), { numRuns: 300 });
  });

  test('random JSON as header', async () => {
    const file = fc.tuple(fc.json(), fc.nat({ max: 40 })).map(([json, size]) => safetensorsBytes(json, size));
    await fc.assert(fc.asyncProperty(file, check), { numRuns: 300 });
  });

  test('a valid file with changed bytes', async () => {
    const valid = safetensorsBytes({ a: F32(0, 8, [2]), b: entry('BF16', [2, 2], 8, 16) }, 16);
    const changes = fc.array(fc.tuple(fc.nat({ max: valid.length - 1 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 3,
    });
    const file = changes.map((list) => {
      const bytes = Buffer.from(valid);
      for (const [at, byte] of list) bytes[at] = byte;
      return bytes;
    });
    await fc.assert(fc.asyncProperty(file, check), { numRuns: 500 });
  });

  test('entries with random fields', async () => {
    const number = fc.oneof(fc.integer({ min: -2, max: 20 }), fc.constantFrom(0.5, 2 ** 31, 2 ** 53, 1e300, null, '4'));
    const tensor = fc.record({
      dtype: fc.constantFrom('F32', 'BF16', 'F16', 'I8', 4),
      shape: fc.oneof(fc.array(number, { maxLength: 3 }), number),
      data_offsets: fc.oneof(fc.tuple(number, number), fc.array(number, { maxLength: 3 })),
    });
    const file = fc
      .tuple(fc.dictionary(fc.string({ maxLength: 3 }), tensor, { maxKeys: 3 }), fc.nat({ max: 40 }))
      .map(([header, size]) => safetensorsBytes(header, size));
    await fc.assert(fc.asyncProperty(file, check), { numRuns: 500 });
  });
});

describe('a folder', () => {
  const index = (map: unknown) =>
    writeFileSync(path('model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map: map }));
  const A = 'model-00001-of-00002.safetensors';
  const B = 'model-00002-of-00002.safetensors';

  test('shards are read in the order of the index, tensors that it does not name are left out', async () => {
    writeFloatTensors(path(A), [
      { name: 'a', shape: [2] },
      { name: 'extra', shape: [1] },
    ]);
    writeFloatTensors(path(B), [{ name: 'b', shape: [3] }]);
    index({ b: B, a: A });
    expect((await readTensorSources(folder())).map(({ name, file }) => [name, file])).toEqual([
      ['b', path(B)],
      ['a', path(A)],
    ]);
  });

  test('no weights, or weights of another kind', async () => {
    await expectFailure(
      () => readTensorSources(folder()),
      /neither model\.safetensors nor model\.safetensors\.index\.json/,
    );
    writeFileSync(path('pytorch_model.bin'), '');
    await expectFailure(() => readTensorSources(folder()), /holds pytorch_model\.bin/);
  });

  test('a folder in the place of the file', async () => {
    mkdirSync(path());
    await expectFailure(() => readTensorSources(folder()), /not a regular file/);
  });

  test('a missing shard', async () => {
    index({ a: A });
    await expectFailure(() => readTensorSources(folder()), /model-00001-of-00002\.safetensors is missing/);
  });

  test('a tensor that its shard does not hold', async () => {
    writeFloatTensors(path(A), [{ name: 'a', shape: [2] }]);
    writeFloatTensors(path(B), [{ name: 'b', shape: [2] }]);
    index({ a: A, b: A });
    await expectFailure(() => readTensorSources(folder()), /"b" is not in model-00001/);
  });

  test.each(['../model.safetensors', '/etc/model.safetensors', 'x\\model.safetensors', '..', 'model.bin', 4, ''])(
    'a shard that is said to be %j',
    async (shard) => {
      index({ a: shard });
      await expectFailure(() => readTensorSources(folder()), /not the name of a safetensors file/);
    },
  );

  test('an index without a map, or that is no JSON', async () => {
    index(undefined);
    await expectFailure(() => readTensorSources(folder()), /has no weight_map/);
    writeFileSync(path('model.safetensors.index.json'), '{');
    await expectFailure(() => readTensorSources(folder()), /index\.json is not valid JSON/);
  });
});

describe('matchParameters', () => {
  const parameters = [
    { name: 'a', shape: [2, 3] },
    { name: 'b', shape: [3] },
  ];
  const source = (name: string, shape: number[]) => ({
    name,
    file: 'f',
    dtype: 'F32' as const,
    shape,
    byteOffset: 0,
    byteLength: 0,
  });
  const good = [source('b', [3]), source('a', [2, 3])];
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  beforeEach(() => void warnings.splice(0));

  test('orders tensors as the parameters and leaves out what is tied or derived', () => {
    const extra = [source('lm_head.weight', [9]), source('model.layers.0.self_attn.rotary_emb.inv_freq', [4])];
    expect(matchParameters(parameters, [...good, ...extra], 'd', warn).map(({ name }) => name)).toEqual(['a', 'b']);
    expect(warnings).toEqual([]);
  });

  test('leaves out heads of critics and classifiers and masks of any dtype, and says so once', () => {
    const extra = [
      { ...source('model.layers.0.self_attn.masked_bias', []), dtype: 'BOOL' as const },
      { ...source('model.layers.0.self_attn.bias', [1, 1, 8, 8]), dtype: 'U8' as const },
      source('v_head.summary.weight', [1, 3]),
      source('v_head.summary.bias', [1]),
      source('score.weight', [2, 3]),
    ];
    expect(matchParameters(parameters, [...extra, ...good], 'd', warn).map(({ name }) => name)).toEqual(['a', 'b']);
    expect(warnings).toEqual([
      'The weights in d hold tensors that are left out: model.layers.0.self_attn.masked_bias, model.layers.0.self_attn.bias, v_head.summary.weight and 2 more',
    ]);
  });

  test('a critic of ours is no policy, and a bias that the configuration lacks is no surplus', async () => {
    const match = (name: string) => () => matchParameters(parameters, [...good, source(name, [1])], 'd', warn);
    for (const name of ['value_head.weight', 'model.layers.0.self_attn.q_proj.bias', 'scores'])
      await expectFailure(match(name), /unexpected tensors/);
    expect(warnings).toEqual([]);
  });

  test.each(['F8_E4M3', 'I64', 'F64'] as const)('a parameter of dtype %s is refused', async (dtype) => {
    const odd = { ...source('a', [2, 3]), dtype };
    await expectFailure(
      () => matchParameters(parameters, [good[0], odd], 'd'),
      new RegExp(`f: "a" has dtype "${dtype}", which is not read; convert the model`),
    );
  });

  test('names what is missing, unexpected or of another shape', async () => {
    await expectFailure(() => matchParameters(parameters, [good[0]], 'd'), /in d lack tensors: a;/);
    await expectFailure(() => matchParameters(parameters, [...good, source('c', [])], 'd'), /unexpected tensors: "c"/);
    await expectFailure(
      () => matchParameters(parameters, [good[0], source('a', [3, 2])], 'd'),
      /a has shape \[3, 2\] where \[2, 3\] is expected/,
    );
    const many = Array.from({ length: 5 }, (_, i) => ({ name: `p${i}`, shape: [1] }));
    await expectFailure(() => matchParameters(many, [], 'd'), /p0, p1, p2 and 2 more/);
  });
});
