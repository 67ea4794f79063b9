/** How a config's engine options reach the models, and what they take. */
import { criticBytes, trainingBytes } from '../../../src/training/memory';
import { resolveConfig } from '../../../src/training/load-config';
import { openPolicy } from '../../../src/training/open-policy';
import type { LoadPolicy } from '../../../src/training/training-policy';
import { BanditPolicy } from '../../support/bandit-policy';

const configOf = (options: object) => resolveConfig({ model: '/m', data: { train: 'arithmetic' }, ...options });

test('the policy is loaded as the config says', async () => {
  const loads: object[] = [];
  const engine = {
    dtype: 'bfloat16',
    masterWeights: false,
    moments: 'host',
    device: 'cuda:1',
    threads: 3,
    memoryMiB: 99,
  };
  const load: LoadPolicy = (_, options) => {
    loads.push(options);
    return Promise.resolve(new BanditPolicy());
  };
  await openPolicy('/m', configOf(engine), load, { prepare: () => Promise.resolve() });
  expect(loads).toEqual([engine]);
});

test('bytes of a parameter while it is trained', () => {
  const bytes = (masterWeights: boolean, moments: 'device' | 'bfloat16' | 'host') =>
    trainingBytes({ masterWeights, moments });
  expect([bytes(true, 'device'), bytes(true, 'bfloat16'), bytes(true, 'host')]).toEqual([16, 12, 8]);
  expect([bytes(false, 'device'), bytes(false, 'bfloat16'), bytes(false, 'host')]).toEqual([10, 10, 6]);
  expect(criticBytes({ moments: 'device' })).toBe(16);
});
