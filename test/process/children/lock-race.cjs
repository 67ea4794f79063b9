/**
 * One of several processes that race for locks: lock-race.cjs <folder> <rounds>. In each round, which begins when the file
 * `start-R` is there, it tries once to take `lock-R`, and writes `won-R-PID` where it got it. It holds what it has until it ends.
 */
const { existsSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { lockRun } = require('../../../dist/training/run-lock.js');

const [folder, rounds] = process.argv.slice(2);

(async () => {
  for (let round = 0; round < Number(rounds); round++) {
    while (!existsSync(join(folder, `start-${round}`)));
    try {
      await lockRun(join(folder, `run-${round}`));
      writeFileSync(join(folder, `won-${round}-${process.pid}`), '');
    } catch (error) {
      if (error.code !== 'ERR_ZERO_RL_OUTPUT') throw error;
    }
    writeFileSync(join(folder, `tried-${round}-${process.pid}`), '');
  }
  process.stdin.resume();
})();
