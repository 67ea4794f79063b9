/**
 * Gets the wheels of libtorch through pip, so that the user's index, mirror, proxy and certificates apply. The Python of
 * the wheels is fixed: only their libraries are used, so it need not be the one that runs pip.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { ZeroRlError } from '../errors';
import type { Flavor } from './cache';
import { pin } from './pin';

/** pip takes wheels of exactly the platforms that it is told; those of NVIDIA have many. */
const GLIBC_MINORS = Array.from({ length: 24 }, (_, i) => 28 - i);
const PLATFORMS = [...GLIBC_MINORS.map((minor) => `manylinux_2_${minor}_x86_64`), 'manylinux2014_x86_64'];
const TARGET = [
  ...['--only-binary=:all:', '--implementation', 'cp', '--python-version', '3.11'],
  ...['cp311', 'abi3', 'none'].flatMap((abi) => ['--abi', abi]),
  ...PLATFORMS.flatMap((platform) => ['--platform', platform]),
];

/** The command line of pip, or undefined where there is none. */
export function findPip(): string[] | undefined {
  for (const python of ['python3', 'python']) {
    if (spawnSync(python, ['-m', 'pip', '--version'], { stdio: 'ignore' }).status === 0) return [python, '-m', 'pip'];
  }
  return undefined;
}

/**
 * Downloads the wheels into `directory` and returns their paths.
 * @param onBytes called about twice a second with the bytes that have arrived so far
 * @throws ZeroRlError with pip's last words
 */
export async function fetchWheels(
  pip: string[],
  directory: string,
  flavor: Flavor,
  onBytes?: (bytes: number) => void,
): Promise<string[]> {
  const temporary = path.join(directory, '..', 'pip');
  await mkdir(temporary, { recursive: true });
  // pip fills its temporary folder and then copies to the destination.
  const watch = async (): Promise<void> =>
    onBytes?.(Math.max(await folderSize(temporary), await folderSize(directory)));
  const timer = setInterval(() => void watch(), 500);
  try {
    const nvidia = flavor === 'cpu' ? pin.wheels : [...pin.wheels, ...pin.cudaWheels];
    await download(pip, directory, [`torch==${pin.torch}`, ...nvidia]);
  } finally {
    clearInterval(timer);
  }
  return wheelsIn(directory);
}

async function wheelsIn(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return names.filter((name) => name.endsWith('.whl')).map((name) => path.join(directory, name));
}

async function folderSize(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(directory, { recursive: true }).catch(() => [])) {
    const found = await stat(path.join(directory, entry)).catch(() => undefined);
    if (found?.isFile()) bytes += found.size;
  }
  return bytes;
}

function download(pip: string[], directory: string, what: string[]): Promise<void> {
  const [command, ...prefix] = pip;
  const child = spawn(
    command,
    // pip's own cache would hold a second copy of half a gigabyte.
    [
      ...prefix,
      'download',
      '--quiet',
      '--no-cache-dir',
      '--no-deps',
      '--disable-pip-version-check',
      '--dest',
      directory,
      ...TARGET,
      ...what,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, TMPDIR: path.join(directory, '..', 'pip') } },
  );
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-4000)));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) {
        resolve();
        return;
      }
      const said =
        words
          .split('\n')
          .filter((line) => line.startsWith('ERROR'))
          .at(-1) ?? words.trim().split('\n').at(-1);
      reject(
        new ZeroRlError(
          'ERR_ZERO_RL_LIBTORCH_NOT_FOUND',
          `pip could not download ${what[0]} and NVIDIA's libraries (${said ?? `exit code ${status}`})`,
        ),
      );
    });
  });
}
