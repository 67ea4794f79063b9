/** Every kernel of the CUDA library beside its twin on the CPU; skipped, with the reason, where there is no device. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { repository, runChild } from '../support/child';
import { checkOperator, operatorCases, operatorRequests } from '../support/operator-cases';

const hasDevice = existsSync('/dev/nvidiactl');
if (!hasDevice) console.log('Skipped: this machine has no NVIDIA device.');

(hasDevice ? describe : describe.skip)('on the device', () => {
  const requests = operatorRequests(['cuda']);
  let results: Record<string, number | null>[];

  beforeAll(async () => {
    const child = path.join(repository, 'test', 'support', 'operators-child.cjs');
    const ended = await runChild([child, 'cuda'], { input: JSON.stringify(requests) });
    expect(ended.stderr).toBe('');
    ({ results } = JSON.parse(ended.stdout) as { results: typeof results });
  });

  test.each(Object.keys(operatorCases))('%s does what its twin does', (kernel) => {
    expect(checkOperator(kernel, requests, results)).toBeGreaterThan(0);
  });
});
