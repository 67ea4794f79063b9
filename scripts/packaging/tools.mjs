/**
 * Uses the installed package under the test runners and bundlers of projects for Node, as they come: jest, vitest (in processes
 * and in contexts of its own), esbuild (CommonJS and ES modules, the package inside the bundle and outside) and webpack. All
 * run the same program and must compute the same figures.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { root } from '../setup/content-hash.mjs';
import { MODEL } from './consumer.mjs';

const { fetchPackage } = createRequire(import.meta.url)('./node-versions.js');

/** As README.md says for bundles of ES modules. */
const BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** What needs files of the package: the addon, a worker that verifies, one that runs user code, and the run folder's page. */
const USE = `
async function use({ Policy, train, verifyBatch }) {
  const policy = await Policy.load('${MODEL}', { device: 'cpu', threads: 1 });
  const [{ tokens }] = await policy.sample(['Q: 27+48=?\\nA:'], { maxTokens: 48, seed: 1 });
  policy.dispose();
  const [{ correct }] = await verifyBatch([{ gold: '75', completion: 'so \\\\boxed{75}' }], { workers: 1 });
  const rewards = [];
  const config = {
    model: '${MODEL}', data: { train: 'arithmetic', count: 8 }, reward: './reward.mjs#reward', steps: 1, threads: 1,
    rollout: { promptsPerStep: 2, samplesPerPrompt: 2, maxTokens: 8 }, preview: { prompts: 0 }, evaluation: { problems: 2 },
  };
  for await (const { rewardMean } of train(config)) rewards.push(rewardMean);
  return { tokens: [...tokens], correct, rewards };
}
`;
const FIGURES = 'figures.json';
const WRITE = `then((figures) => require('node:fs').writeFileSync('${FIGURES}', JSON.stringify(figures)))`;

const files = {
  'reward.mjs': 'export const reward = ({ completion }) => completion.length;\n',
  'plain.cjs': `${USE}use(require('zero-rl')).${WRITE};\n`,
  'use.test.js': `${USE}test('works', () => use(require('zero-rl')).${WRITE}, 60_000);\n`,
  'use.spec.mjs': `import { createRequire } from 'node:module';\nimport * as zeroRl from 'zero-rl';\nconst require = createRequire(import.meta.url);\n${USE}test('works', () => use(zeroRl).${WRITE}, 60_000);\n`,
  'entry.mjs': `import { writeFileSync } from 'node:fs';\nimport { Policy, train, verifyBatch } from 'zero-rl';\n${USE}use({ Policy, train, verifyBatch }).then((figures) => writeFileSync('${FIGURES}', JSON.stringify(figures)));\n`,
  'pack.cjs': `
    const [, , webpack, output] = process.argv;
    const options = { mode: 'none', target: 'node', entry: './entry.mjs', output: { path: __dirname, filename: output } };
    require(webpack)(options, (error, stats) => {
      const said = error ? error.message : stats.hasErrors() ? stats.toString('errors-only') : '';
      if (said !== '') process.exitCode = (console.error(said), 1);
    });
  `,
};

/** Versions of each tool that run on the lowest version of Node, and the file to run. */
const tools = {
  vitest: ['4.1.12', 'vitest.mjs'],
  esbuild: ['0.28.2', 'bin/esbuild'],
  webpack: ['5.113.0', 'lib/index.js'],
};

/** What is run in turn: a name, and the arguments of each run of Node. */
function* uses({ vitest, esbuild, webpack }) {
  yield ['node', ['plain.cjs']];
  yield ['jest', [path.join(root, 'node_modules/jest/bin/jest.js'), 'use.test.js', '--rootDir=.']];
  if (vitest) {
    for (const pool of ['forks', 'vmThreads'])
      yield [`vitest with ${pool}`, [vitest, 'run', 'use.spec.mjs', '--globals', `--pool=${pool}`]];
  }
  if (esbuild) {
    for (const format of ['cjs', 'esm']) {
      for (const inside of [true, false]) {
        const output = `bundle-${inside ? 'inside' : 'outside'}.${format === 'cjs' ? 'cjs' : 'mjs'}`;
        const extra = inside ? (format === 'esm' ? [`--banner:js=${BANNER}`] : []) : ['--external:zero-rl'];
        const args = ['entry.mjs', '--bundle', '--platform=node', `--format=${format}`, `--outfile=${output}`];
        const what = `esbuild to ${format}, the package ${inside ? 'inside' : 'outside'}`;
        yield [what, [esbuild, ...args, '--log-level=error', ...extra], [output]];
      }
    }
  }
  if (webpack) yield ['webpack', ['pack.cjs', webpack, 'packed.cjs'], ['packed.cjs']];
}

/**
 * @param {{ project: string, run: (what: string, args: string[]) => string }} consumer one with the package installed
 * @param {string} cacheDirectory where the tools are kept
 * @param {(text: string) => void} say
 * @returns faults as sentences
 */
export function checkTools({ project, run }, cacheDirectory, say) {
  const found = {};
  for (const [name, [version, file]] of Object.entries(tools)) {
    const fetched = fetchPackage(name, version, file, cacheDirectory);
    if (fetched.reason) say(`left out: ${fetched.reason}`);
    found[name] = fetched.file;
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(project, name), text);
  const faults = [];
  let expected;
  for (const [name, ...runs] of uses(found)) {
    try {
      for (const args of runs) run(name, args);
      const figures = JSON.parse(readFileSync(path.join(project, FIGURES), 'utf8'));
      rmSync(path.join(project, FIGURES));
      expected ??= figures;
      if (!isDeepStrictEqual(figures, expected))
        faults.push(`${name} computes ${JSON.stringify(figures)}, and Node alone ${JSON.stringify(expected)}.`);
      say(`${name}: the program runs`);
    } catch (error) {
      faults.push(`${name} cannot use the package: ${error.message}`);
    }
  }
  return faults;
}
