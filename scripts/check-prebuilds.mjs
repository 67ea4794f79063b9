/**
 * Checks the binaries of prebuilds/, or of the folder that is named, against the floors of package.json; see
 * packaging/binaries.mjs. Prints what each needs; exits with 1 where one needs more, after saying which symbols do.
 */
import path from 'node:path';
import { checkPrebuilds } from './packaging/binaries.mjs';
import { root } from './setup/content-hash.mjs';

const { lines, faults } = checkPrebuilds(path.resolve(process.argv[2] ?? path.join(root, 'prebuilds')));
for (const line of lines) console.log(line);
for (const fault of faults) console.error(`zero-rl: ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;
