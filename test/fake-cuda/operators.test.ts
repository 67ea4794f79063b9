/** Every operator of the CUDA library, with its launches, beside its twin; each launch is checked (see cuda_runtime.cc). */
import { loadNative } from '../../src/libtorch/load';
import { checkOperator, operatorCases, operatorRequests } from '../support/operator-cases';

const requests = operatorRequests(['cuda']);
let results: Record<string, number | null>[];

beforeAll(async () => {
  const binding = loadNative();
  results = [];
  for (const request of requests) {
    results.push(await binding.compareOperator({ seed: 7, samples: 0, seconds: 0, compare: true, ...request }));
  }
}, 300_000);

test.each(Object.keys(operatorCases))('%s does what its twin does', (kernel) => {
  expect(checkOperator(kernel, requests, results)).toBeGreaterThan(0);
});
