/** A verifier worker with the bugs that the real one should not have: it hangs, ends or throws where the completion says so. */
const { parentPort, workerData } = require('node:worker_threads');
const { serveChunks } = require('../../../dist/verifier/batch/serve.js');

function check(gold, completion) {
  if (completion === 'hang') for (;;);
  if (completion === 'exit') process.exit(3);
  if (completion === 'memory') for (const kept = []; ;) kept.push(new Array(1e6).fill(0.5));
  if (completion === 'throw') throw new Error('thrown');
  return { correct: gold === completion, reason: gold === completion ? 'equal' : 'different', ms: 0 };
}

serveChunks(parentPort, workerData, check);
