/**
 * `npm run prebuilds`: fills prebuilds/ with the addon and, where `build/Release` holds it, the CUDA library, stripped, and
 * checks them with check-prebuilds.mjs. prebuildify works in a folder of its own, so the build of the checkout stays.
 */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import prebuildify from 'prebuildify';
import { checkPrebuilds } from './packaging/binaries.mjs';
import { root } from './setup/content-hash.mjs';
import { steps } from './setup/steps.mjs';

const staging = path.join(root, 'build/prebuilds');
const output = path.join(root, 'prebuilds');

const missing = steps.slice(0, -1).find((step) => !step.isDone());
if (missing !== undefined) {
  console.error('zero-rl: the set-up of this checkout is not done; run `npm run setup`.');
  process.exit(1);
}
for (const folder of [staging, output]) rmSync(folder, { recursive: true, force: true });
mkdirSync(staging, { recursive: true });
try {
  await promisify(prebuildify)({
    cwd: staging,
    out: root,
    nodeGyp: path.join(root, 'scripts/gyp-shim.js'),
    napi: true,
    strip: true,
    name: 'zero-rl.napi',
  });
} finally {
  rmSync(staging, { recursive: true, force: true });
}
const { lines, faults } = checkPrebuilds(output);
for (const line of lines) console.log(line);
for (const fault of faults) console.error(`zero-rl: ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;
