#!/usr/bin/env node
/**
 * The comparison's own side: the session behind `zero-rl bench`, told by lines on standard input. "run" answers with
 * the seconds, "end" with what `zero-rl bench --json` prints, the share of the roofline included.
 */
import { createInterface } from 'node:readline';
import { Bench } from '../../dist/bench/bench.js';
import { packageVersion } from '../../dist/libtorch/pin.js';

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const bench = await Bench.open(JSON.parse(process.argv[2]));
answer({ ready: `zero-rl ${packageVersion}` });
let runs = 0;
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === 'end') break;
  answer({ seconds: await bench.run(runs++ > 0) });
}
answer(await bench.result());
bench.dispose();
process.exit(0);
