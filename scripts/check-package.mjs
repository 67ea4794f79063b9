/**
 * Packs the package and uses it as its users do: prebuilds, list of files, publint, then installation of the tarball into
 * empty folders by npm, pnpm and Yarn Plug'n'Play under the supported versions of Node, with no compiler and no Python on PATH; there a program
 * samples, scores and steps the bundled model on the CPU, by require and by import, the command line trains one step, and
 * test runners and bundlers run a program that uses workers and user code.
 * Needs the set-up of the checkout and the registry of npm. `--keep DIR` leaves the tarball in DIR. Exits with 1 and a
 * sentence for each fault.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { makeConsumer } from './packaging/consumer.mjs';
import { pack } from './packaging/contents.mjs';
import { checkPlugNPlay } from './packaging/plug-n-play.mjs';
import { checkTools } from './packaging/tools.mjs';
import { checkTypes } from './packaging/types.mjs';
import { root } from './setup/content-hash.mjs';

const require = createRequire(import.meta.url);
const { fetchNode, fetchPackage, nodeVersions } = require('./packaging/node-versions.js');
const { cacheDirectory } = require('../dist/libtorch/cache.js');
const { resolveLibtorch } = require('../dist/libtorch/resolve.js');
const PNPM = '10.34.9';
const YARN = '4.18.1';

const faults = [];
const started = Date.now();
const say = (text) => console.log(`${String(Math.round((Date.now() - started) / 1000)).padStart(4)} s  ${text}`);

/** The script of npm: of the npm that runs this, else of the one on PATH. */
function findNpm() {
  if (process.env.npm_execpath) return process.env.npm_execpath;
  return realpathSync(spawnSync('/bin/sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).stdout.trim());
}

/** Runs a check that prints its own findings. */
function passes(args) {
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status === 0;
}

/** Versions of Node with their binaries; one that cannot be fetched is said and left out. */
function findNodes() {
  const nodes = nodeVersions.map((version) => ({ version, ...fetchNode(version, cacheDirectory()) }));
  for (const { reason } of nodes) if (reason) say(`left out: ${reason}`);
  const found = nodes.filter(({ file }) => file);
  return found.length > 0 ? found : [{ version: process.versions.node, file: process.execPath }];
}

/** Installs and uses the package in one way; returns the figures of the program. */
function useIn(directory, tarball, { version, file: node }, manager, script) {
  const { directory: torch, source } = resolveLibtorch();
  // By the cache and by the variable in turn.
  const byCache = source === 'cache' && manager === 'pnpm';
  const libtorch = byCache ? { ZERO_RL_CACHE: cacheDirectory() } : { ZERO_RL_LIBTORCH: torch };
  const consumer = makeConsumer(directory, { node, [manager]: script, libtorch });
  consumer.install(tarball);
  if (manager === 'npm') {
    for (const name of consumer.installScripts()) faults.push(`${name} runs a script at install.`);
  }
  const [required, imported] = consumer.use();
  if (!isDeepStrictEqual(required, imported)) faults.push(`Node ${version}, ${manager}: require and import differ.`);
  if (required.difference > 1e-4)
    faults.push(`Node ${version}, ${manager}: log-probs differ by ${required.difference}.`);
  const doctor = JSON.parse(consumer.cli('doctor', '--json'));
  if (!/prebuilds\/linux-x64\/zero-rl\.napi\.node$/.test(doctor.addon.path))
    faults.push(`The addon is ${doctor.addon.path}.`);
  for (const { status, stderr } of consumer.failWithoutLibtorch()) {
    if (status === 1 && /^[^\n]*No usable libtorch [^\n]*; run `npx zero-rl libtorch install`\.\n$/.test(stderr))
      continue;
    faults.push(
      `Node ${version}, ${manager}: without libtorch it ends with ${status} and says ${JSON.stringify(stderr)}.`,
    );
  }
  say(`Node ${version}, ${manager}, libtorch by ${Object.keys(libtorch)[0]}: sampled, scored and stepped`);
  return { required, consumer };
}

const { values: flags } = parseArgs({ options: { keep: { type: 'string' } } });
const directory = mkdtempSync(path.join(tmpdir(), 'zero-rl-package-'));
try {
  if (!passes(['scripts/prebuilds.mjs'])) throw new Error('The prebuilds cannot be shipped; see above.');
  const packed = pack(directory);
  faults.push(...packed.faults);
  say(
    `${path.basename(packed.file)}: ${(packed.size / 1e6).toFixed(1)} MB packed, ${(packed.unpackedSize / 1e6).toFixed(1)} MB unpacked`,
  );
  if (!passes(['node_modules/publint/src/cli.js', 'run', packed.file, '--strict']))
    faults.push('publint found faults; see above.');
  const pnpm = fetchPackage('pnpm', PNPM, 'bin/pnpm.cjs', cacheDirectory());
  if (pnpm.reason) say(`left out: ${pnpm.reason}`);
  const yarn = fetchPackage('@yarnpkg/cli-dist', YARN, 'bin/yarn.js', cacheDirectory());
  if (yarn.reason) say(`left out: ${yarn.reason}`);
  const figures = [];
  for (const node of findNodes()) {
    const { required, consumer } = useIn(directory, packed.file, node, 'npm', findNpm());
    figures.push(required);
    if (figures.length === 1) {
      faults.push(...checkTypes(consumer.project));
      say('TypeScript projects in CommonJS, ESM and for bundlers compile');
      faults.push(...checkTools(consumer, cacheDirectory(), say));
      const settings = ['model=node_modules/zero-rl/models/arithmetic-1m', 'steps=1', 'evaluation.problems=20'];
      consumer.cli('train', 'node_modules/zero-rl/recipes/demo.yaml', ...settings.flatMap((text) => ['--set', text]));
      say('zero-rl train: one step of a recipe');
      if (yarn.file) {
        const libtorch = { ZERO_RL_LIBTORCH: resolveLibtorch().directory };
        faults.push(...checkPlugNPlay(makeConsumer(directory, { node: node.file, libtorch }), packed.file, yarn.file));
        say("Yarn Plug'n'Play: engine, workers, command line and dashboard");
      }
    }
    if (pnpm.file) figures.push(useIn(directory, packed.file, node, 'pnpm', pnpm.file).required);
  }
  if (!figures.every((figure) => isDeepStrictEqual(figure, figures[0])))
    faults.push('Installations compute different figures.');
  if (flags.keep !== undefined) {
    mkdirSync(flags.keep, { recursive: true });
    copyFileSync(packed.file, path.join(flags.keep, path.basename(packed.file)));
  }
} catch (error) {
  faults.push(error.message);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
for (const fault of faults) console.error(`zero-rl: ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;
