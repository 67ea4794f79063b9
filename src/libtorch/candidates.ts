/**
 * Where libtorch may lie on this machine and what speaks against each place. Nothing is loaded, and Python is asked only
 * where its torch lies: importing it would take seconds.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { cachedInstallations } from './cache';
import { pin } from './pin';

export type Source = 'ZERO_RL_LIBTORCH' | 'cache' | 'python' | 'system';

export interface Candidate {
  source: Source;
  /** The torch folder, which holds lib/; or the interpreter where no folder was found. */
  directory: string;
  /** E.g. "2.11.0+cu130"; undefined where it cannot be told. */
  version: string | undefined;
  /** True when the CUDA libraries of libtorch are there. */
  cuda: boolean;
  /** True when the headers for a build from source are there. */
  headers: boolean;
  /** Why it is refused, as a part of a sentence; undefined for a usable one. */
  refusal: string | undefined;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** The version of a torch folder, from the wheel's version.py, the archive's build-version or the headers, as text. */
export function readTorchVersion(directory: string): string | undefined {
  return (
    /^__version__\s*=\s*['"]([^'"]+)['"]/m.exec(readText(path.join(directory, 'version.py')) ?? '')?.[1] ??
    /^(\d+\.\d+\.\d+\S*)/.exec(readText(path.join(directory, 'build-version')) ?? '')?.[1] ??
    /"(\d+\.\d+\.\d+)"/.exec(readText(path.join(directory, 'include/torch/headeronly/version.h')) ?? '')?.[1]
  );
}

/** Judges one torch folder. */
export function inspect(source: Source, directory: string): Candidate {
  const library = path.join(directory, 'lib', 'libtorch_cpu.so');
  const version = readTorchVersion(directory);
  let refusal: string | undefined;
  if (!existsSync(library)) refusal = 'it has no lib/libtorch_cpu.so';
  else if (version === undefined) refusal = 'its version cannot be told';
  else if (version.split('+')[0] !== pin.torch) refusal = `it is version ${version} and ${pin.torch} is needed`;
  return {
    source,
    directory,
    version,
    cuda: existsSync(path.join(directory, 'lib', 'libtorch_cuda.so')),
    headers: existsSync(path.join(directory, 'include', 'torch', 'headeronly', 'version.h')),
    refusal,
  };
}

const FIND_TORCH =
  'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s and s.submodule_search_locations else "")';

function pythonInterpreters(environment: NodeJS.ProcessEnv): string[] {
  const names = [environment.VIRTUAL_ENV, environment.CONDA_PREFIX]
    .filter((prefix) => prefix !== undefined && prefix !== '')
    .map((prefix) => path.join(prefix!, 'bin', 'python'));
  return [...names.filter((file) => existsSync(file)), 'python3', 'python'];
}

function* pythonCandidates(environment: NodeJS.ProcessEnv): Generator<Candidate> {
  const seen = new Set<string>();
  for (const interpreter of pythonInterpreters(environment)) {
    const found = spawnSync(interpreter, ['-c', FIND_TORCH], { encoding: 'utf8', timeout: 10_000, env: environment });
    const directory = found.status === 0 ? found.stdout.trim() : '';
    if (directory === '' || !existsSync(directory) || seen.has(realpathSync(directory))) continue;
    seen.add(realpathSync(directory));
    yield inspect('python', directory);
  }
}

const SYSTEM_FOLDERS = ['/usr/local/libtorch', '/opt/libtorch', '/usr/local', '/usr'];

/**
 * Every place in order of preference, lazily, because asking Python takes time. With ZERO_RL_LIBTORCH set it is the only
 * one: a bad value is an error, never a reason to take another libtorch.
 */
export function* candidates(environment: NodeJS.ProcessEnv = process.env): Generator<Candidate> {
  if (environment.ZERO_RL_LIBTORCH) {
    yield inspect('ZERO_RL_LIBTORCH', path.resolve(environment.ZERO_RL_LIBTORCH));
    return;
  }
  for (const directory of cachedInstallations(environment)) yield inspect('cache', directory);
  yield* pythonCandidates(environment);
  for (const directory of SYSTEM_FOLDERS) {
    if (existsSync(path.join(directory, 'lib', 'libtorch_cpu.so'))) yield inspect('system', directory);
  }
}
