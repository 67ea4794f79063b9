/**
 * The set-up of a checkout, with Node's own modules only: does the steps that are not done, then goes on.
 *   node scripts/setup.mjs                       nothing more
 *   node scripts/setup.mjs --then train x.yaml   runs zero-rl with these arguments
 *   node scripts/setup.mjs --then-jest [...]     runs the tests
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { withSetupLock } from './setup/lock.mjs';
import { checkTools } from './setup/native-build.mjs';
import { root } from './setup/content-hash.mjs';
import { SetupError, startStep } from './setup/run.mjs';
import { steps } from './setup/steps.mjs';

function checkPlatform() {
  const { engines, os, cpu, zeroRl } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const minimum = engines.node.replace('>=', '');
  const works = `Linux on x64 with glibc ${zeroRl.glibc} or newer and Node ${minimum} or newer`;
  if (process.versions.node.localeCompare(minimum, 'en', { numeric: true }) < 0) {
    throw new SetupError(`zero-rl runs on ${works}, but this is Node ${process.versions.node}.`);
  }
  if (!os.includes(process.platform) || !cpu.includes(process.arch)) {
    throw new SetupError(`zero-rl runs on ${works}, but this is ${process.platform}-${process.arch}.`);
  }
}

async function setup() {
  checkPlatform();
  for (const [index, step] of steps.entries()) {
    if (step.isDone()) continue;
    // A missing compiler is said before the downloads and not after them.
    if (index < steps.length - 1 && !steps.at(-1).mayBeDone()) checkTools();
    const shown = startStep(`[${index + 1}/${steps.length}] ${step.title}`);
    try {
      await step.run(shown.show);
    } catch (error) {
      shown.stop();
      throw error;
    }
    shown.done();
  }
}

/** Runs a program in place of this one: same streams, signals and exit code. */
function become(args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
  // The terminal sends an interrupt to both; the child decides what it means.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exitCode = code;
    else {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
}

try {
  await withSetupLock(setup);
  const [then, ...rest] = process.argv.slice(2);
  if (then === '--then') become([path.join(root, 'dist/cli/main.js'), ...rest]);
  else if (then === '--then-jest') become([path.join(root, 'node_modules/jest/bin/jest.js'), ...rest]);
} catch (error) {
  const told =
    error instanceof SetupError || (typeof error?.code === 'string' && error.code.startsWith('ERR_ZERO_RL_'));
  process.stderr.write(`${told ? `zero-rl: ${error.message}` : error.stack}\n`);
  process.exitCode = 1;
}
