/** Every instruction set: a completion has the same bits whether its context was cached, computed in chunks, or anew. */
import { childProgram, runChild } from '../support/child';

test.each(['portable', 'avx2', 'avx512', 'avx512bf16', 'amx'])('%s', async (set) => {
  const { stdout, stderr } = await runChild([childProgram('sampling.cjs')], { env: { ZERO_RL_ISA: set } });
  expect(stderr).toBe('');
  expect((JSON.parse(stdout) as { differing: string[] }).differing).toEqual([]);
});
