/** The package under Yarn Plug'n'Play, where there is no node_modules and the libraries lie in archives. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

const SETTINGS = `nodeLinker: pnp
enableGlobalCache: false
enableScripts: false
enableTelemetry: false
`;

/** The engine, a worker, the run folder, the command line and the page, whose files come from libraries. */
const PROGRAM = `
const { once } = require('node:events');
const { spawn } = require('node:child_process');
const path = require('node:path');
const { Policy, train, verifyBatch } = require('zero-rl');
const root = path.dirname(require.resolve('zero-rl/package.json'));
const model = path.join(root, 'models/arithmetic-1m');
(async () => {
  const policy = await Policy.load(model, { device: 'cpu', threads: 1 });
  const [{ tokens }] = await policy.sample(['Q: 27+48=?\\nA:'], { maxTokens: 48, seed: 1 });
  await policy.save('saved');
  policy.dispose();
  const [{ correct }] = await verifyBatch([{ gold: '75', completion: 'so \\\\boxed{75}' }], { workers: 1 });
  let steps = 0;
  const rollout = { promptsPerStep: 2, samplesPerPrompt: 2, maxTokens: 8 };
  const data = { train: 'arithmetic', count: 8 };
  for await (const _ of train({ model, data, rollout, steps: 1, threads: 1, preview: { prompts: 0 }, evaluation: { problems: 2 } })) steps++;
  const page = spawn(process.execPath, [path.join(root, 'dist/cli/main.js'), 'dashboard', 'runs', '--port', '0', '--json']);
  page.stderr.pipe(process.stderr);
  const [line] = await Promise.race([once(page.stdout, 'data'), once(page, 'exit').then(() => ['{}'])]);
  const { url } = JSON.parse(line);
  const { status } = url ? await fetch(new URL('/vendor/preact.js', url)) : { status: null };
  page.kill();
  console.log(JSON.stringify({ tokens: tokens.length > 0, correct, steps, status }));
})();
`;
const EXPECTED = JSON.stringify({ tokens: true, correct: true, steps: 1, status: 200 });

/** The registry of npm's settings, which Yarn does not read. */
function registry() {
  const { stdout } = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' });
  const url = stdout.trim().replace(/\/$/, '');
  return url.startsWith('http') ? { YARN_NPM_REGISTRY_SERVER: url } : {};
}

/**
 * @param consumer a project of makeConsumer in which nothing is installed
 * @param {string} yarn the script of Yarn
 * @returns faults as sentences
 */
export function checkPlugNPlay({ project, environment, run }, tarball, yarn) {
  const variables = { ...environment, ...registry(), YARN_GLOBAL_FOLDER: path.join(project, '.yarn/global') };
  writeFileSync(path.join(project, '.yarnrc.yml'), SETTINGS);
  writeFileSync(path.join(project, 'yarn.lock'), '');
  writeFileSync(path.join(project, 'use.cjs'), PROGRAM);
  try {
    run('yarn add', [yarn, 'add', `zero-rl@file:${tarball}`], variables);
    const said = run("Node under Plug'n'Play", [yarn, 'node', 'use.cjs'], variables).trim();
    const { ok } = JSON.parse(run('zero-rl doctor', [yarn, 'zero-rl', 'doctor', '--json'], variables));
    return said === EXPECTED && ok ? [] : [`Under Yarn Plug'n'Play the package says ${said}, not ${EXPECTED}.`];
  } catch (error) {
    return [`Yarn Plug'n'Play: ${error.message}`];
  }
}
