/**
 * The four steps from a bare clone to a package that runs. Each has `isDone`, which is cheap, and `run`. They use what
 * earlier steps made: the step for libtorch runs code that the step before has compiled.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { nativeBuild } from './native-build.mjs';
import { contentHash, filesIn, hasStamp, root, writeStamp } from './content-hash.mjs';
import { run, SetupError } from './run.mjs';

const require = createRequire(import.meta.url);
const readJson = (file) => JSON.parse(readFileSync(path.join(root, file), 'utf8'));

const dependencies = {
  title: 'Installing the dependencies from npm',
  /** npm leaves beside the packages a copy of the lock file of what it has installed. */
  isDone() {
    if (!existsSync(path.join(root, 'node_modules/.package-lock.json'))) return false;
    const installed = readJson('node_modules/.package-lock.json').packages;
    return Object.entries(readJson('package-lock.json').packages).every(
      ([folder, wanted]) =>
        folder === '' || (installed[folder] ? installed[folder].version === wanted.version : wanted.optional === true),
    );
  },
  async run() {
    const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
    if (npm.length === 1 && spawnSync('npm', ['--version']).status !== 0) {
      throw new SetupError('npm is missing; install Node.js with npm (Debian, Ubuntu: apt-get install npm).');
    }
    await run(npm[0], [...npm.slice(1), 'ci', '--no-audit', '--no-fund'], {
      cwd: root,
      failure: '`npm ci` failed; check the network and the settings of npm, then start again.',
    });
  },
};

const typescript = {
  title: 'Compiling the TypeScript',
  hash: () =>
    contentHash([
      ...filesIn('src', /\.(tsx?|html|css)$/),
      'src/observe/dashboard/page/tsconfig.json',
      ...filesIn('binding', /\.d\.ts$/),
      'tsconfig.json',
      'tsconfig.build.json',
      'scripts/build-typescript.mjs',
    ]),
  isDone() {
    return existsSync(path.join(root, 'dist')) && hasStamp('typescript', this.hash());
  },
  async run() {
    const hash = this.hash();
    await run(process.execPath, ['scripts/build-typescript.mjs'], {
      cwd: root,
      failure: 'The TypeScript does not compile; see the errors above.',
    });
    const sources = new Set(filesIn('src', /\.tsx?$/).map((file) => file.slice('src/'.length).replace(/\.tsx?$/, '')));
    for (const file of filesIn('dist', /\.(js|d\.ts)$/)) {
      if (!sources.has(file.slice('dist/'.length).replace(/\.(js|d\.ts)$/, ''))) rmSync(path.join(root, file));
    }
    writeStamp('typescript', hash);
  },
};

/** A torch folder with headers to build against, or undefined. */
export function findLibtorch() {
  const { resolveLibtorch } = require(path.join(root, 'dist/libtorch/resolve.js'));
  const { candidates } = require(path.join(root, 'dist/libtorch/candidates.js'));
  for (const candidate of candidates()) {
    if (candidate.refusal === undefined && candidate.headers) return candidate.directory;
  }
  if (process.env.ZERO_RL_LIBTORCH) {
    throw new SetupError(
      `ZERO_RL_LIBTORCH names ${resolveLibtorch().directory}, which has no include/ with the headers; ` +
        'point it to a complete libtorch or unset it.',
    );
  }
  return undefined;
}

const libtorch = {
  title: 'Installing libtorch',
  isDone: () => findLibtorch() !== undefined,
  async run(show) {
    const { installLibtorch, installProgressText } = require(path.join(root, 'dist/libtorch/install.js'));
    await installLibtorch({ headers: true, onProgress: (progress) => show(installProgressText(progress)) });
  },
};

const native = {
  title: 'Building the native addon',
  isDone: () => nativeBuild.isDone(findLibtorch()),
  mayBeDone: () => nativeBuild.mayBeDone(),
  run: (show) => nativeBuild.run(findLibtorch(), show),
};

export const steps = [dependencies, typescript, libtorch, native];
