/** save → load gives the same model; what is stored is what was trained. */
import { rmSync } from 'node:fs';
import { Policy } from '../../src';
import { fixtureTensors, temporaryFolder, writeFixtureModel } from '../support/fixture-model';
import { logitsGolden, maxDifference, stepsGolden } from '../support/golden';
import { readSafetensors } from '../support/read-safetensors';

const CPU = { device: 'cpu', dtype: 'float32', threads: 2 } as const;

describe('save', () => {
  const folders: string[] = [];
  const policies: Policy[] = [];
  const load = async (folder: string, dtype: 'float32' | 'bfloat16' = 'float32') => {
    const policy = await Policy.load(folder, { ...CPU, dtype });
    policies.push(policy);
    return policy;
  };
  const folderOf = (path: string) => {
    folders.push(path);
    return path;
  };
  afterEach(() => {
    for (const policy of policies.splice(0)) policy.dispose();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  test.each(logitsGolden().cases)(
    '$name: an untrained model keeps every value and its log-probs',
    async (reference) => {
      const source = folderOf(writeFixtureModel(reference));
      const target = folderOf(temporaryFolder());
      const policy = await load(source);
      await policy.save(target);
      const [before, after] = [readSafetensors(source), readSafetensors(target)];
      expect([...after.keys()].sort()).toEqual(Object.keys(fixtureTensors(reference)).sort());
      for (const [name, { shape, values }] of before) {
        expect(after.get(name)!.shape).toEqual(shape);
        expect(maxDifference(after.get(name)!.values, values)).toBe(0);
      }
      const reloaded = await load(target);
      const [expected, actual] = [
        await policy.logProbs(reference.sequences),
        await reloaded.logProbs(reference.sequences),
      ];
      expected.forEach((values, i) => expect(maxDifference(actual[i], values)).toBe(0));
    },
  );

  test('a trained model reloads to the same log-probs', async () => {
    const reference = stepsGolden().cases[0];
    const policy = await load(folderOf(writeFixtureModel(reference)));
    const sequences = reference.batches[0];
    const start = await policy.logProbs(sequences);
    for (let step = 0; step < 3; step++) await policy.step(sequences, reference.options);
    const target = folderOf(temporaryFolder());
    await policy.save(target);
    const expected = await policy.logProbs(sequences);
    const actual = await (await load(target)).logProbs(sequences);
    expected.forEach((values, i) => expect(maxDifference(actual[i], values)).toBe(0));
    expect(maxDifference(start[1], expected[1])).toBeGreaterThan(1e-3);
  });
});
