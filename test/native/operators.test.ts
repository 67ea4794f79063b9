/**
 * Every operator of devices, whose bodies are those of the CUDA kernels, beside its twin: at sizes that no pack, no
 * warp and no split divides, with one thread for a block and with all the threads that the device would have.
 */
import path from 'node:path';
import { repository, runChild } from '../support/child';
import { checkOperator, operatorCases, operatorRequests } from '../support/operator-cases';

const requests = operatorRequests(['serial', 'emulation']);

interface Compared {
  operators: string[];
  results: Record<string, number | null>[];
}

let compared: Compared;
beforeAll(async () => {
  const child = path.join(repository, 'test', 'support', 'operators-child.cjs');
  const ended = await runChild([child], { input: JSON.stringify(requests) });
  expect(ended.stderr).toBe('');
  compared = JSON.parse(ended.stdout) as Compared;
}, 240_000);

test('every operator has a case', () => {
  expect(Object.keys(operatorCases).sort()).toEqual([...compared.operators].sort());
});

test.each(Object.keys(operatorCases))('%s does what its twin does', (kernel) => {
  expect(checkOperator(kernel, requests, compared.results)).toBeGreaterThan(0);
});
