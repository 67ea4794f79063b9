/** `npm run build:native`: builds the addon in a checkout whose other set-up is done. */
import { SetupError, startStep } from './setup/run.mjs';
import { steps } from './setup/steps.mjs';

const native = steps.at(-1);
const shown = startStep(native.title);
try {
  await native.run(shown.show);
  shown.done();
} catch (error) {
  shown.stop();
  process.stderr.write(`${error instanceof SetupError ? `zero-rl: ${error.message}` : error.stack}\n`);
  process.exitCode = 1;
}
