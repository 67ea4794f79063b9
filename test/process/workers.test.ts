/** The addon in worker threads: each has its own, all share the engine, and ending a worker stops only its work. */
import { childProgram, runChild } from '../support/child';

const program = childProgram('workers.cjs');

test.each([
  ['three workers one after the other and then the main thread', 'successive', 0],
  ['two workers and the main thread at once', 'concurrent', 0],
  ['worker.terminate() while the engine works for it', 'terminate', 0],
  ['process.exit() while the engine works for a worker', 'exit', 7],
  ['worker.terminate() while its job waits behind endless work of the main thread', 'queued', 0],
  ['process.exit() while the job of a worker waits behind endless work of the main thread', 'exitQueued', 7],
])('%s', async (_, scenario, code) => {
  const ended = await runChild([program, scenario]);
  expect(ended).toMatchObject({ code, signal: null, stderr: '' });
  if (code === 0) expect(ended.stdout).toBe('done\n');
});
