/** `zero-rl doctor`: what was found on this machine, what was refused and why, what to do. */
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { addonPath } from '../../binding/index.js';
import { cacheDirectory } from '../libtorch/cache';
import { candidates, type Candidate } from '../libtorch/candidates';
import { examineCuda, type CudaReport } from '../libtorch/examine-cuda';
import { loadNative } from '../libtorch/load';
import { packageVersion, pin } from '../libtorch/pin';
import { currentPlatform, platformRefusal, type Platform } from '../libtorch/platform';
import { chooseCandidate, INSTALL_COMMAND } from '../libtorch/resolve';
import { packageRoot } from '../package-root';
import { defaultThreads } from '../policy/device';

interface Diagnosis {
  ok: boolean;
  version: string;
  platform: Platform & { refusal: string | null };
  torch: { pinned: string; loaded: string | null };
  addon: { path: string | null; error: { code: string | null; message: string } | null };
  libtorch: { cache: string; chosen: string | null; candidates: Candidate[] };
  /** Shared libraries of libtorch and OpenMP that are mapped after loading. */
  libraries: string[];
  cuda: CudaReport;
  threads: { processors: number; default: number; OMP_NUM_THREADS: string | null };
  /** Of the host, in MiB: what this process may use by the machine, control groups and limits, and what of it is free; null without the addon. */
  memory: { limit: number; available: number } | null;
  environment: Record<string, string>;
  /** What to do; empty when all is well. */
  advice: string[];
}

const VARIABLES = [
  'ZERO_RL_LIBTORCH',
  'ZERO_RL_CACHE',
  'ZERO_RL_DEVICE',
  'ZERO_RL_LOG',
  'CUDA_VISIBLE_DEVICES',
  'LD_LIBRARY_PATH',
  'LD_PRELOAD',
];

function mappedLibraries(): string[] {
  const report = process.report.getReport() as unknown as { sharedObjects: string[] };
  return report.sharedObjects.filter((file) =>
    /lib(torch|c10|gomp|cu[dpbfs]|nccl|zero_rl)|zero[_-]rl.*\.node$/.test(path.basename(file)),
  );
}

/** Examines this machine; loads libtorch and the addon in this process. */
export function diagnose(environment: NodeJS.ProcessEnv = process.env): Diagnosis {
  const platform = currentPlatform();
  const refusal = platformRefusal(platform) ?? null;
  const found = refusal === null ? [...candidates(environment)] : [];
  // First, because libtorch's CUDA part is best mapped before the addon.
  const cuda = examineCuda(environment);
  let loaded: string | null = null;
  let memory: Diagnosis['memory'] = null;
  let error: Diagnosis['addon']['error'] = null;
  try {
    const native = loadNative();
    loaded = native.torchVersion;
    const { limit, available } = native.machineMemory();
    memory = { limit: Math.floor(limit / 2 ** 20), available: Math.floor(available / 2 ** 20) };
  } catch (caught) {
    const { message, code } = caught as Error & { code?: string };
    error = { code: code ?? null, message };
  }
  const chosen = chooseCandidate(found, environment) ?? null;
  return {
    ok: error === null,
    version: packageVersion,
    platform: { ...platform, refusal },
    torch: { pinned: pin.torch, loaded },
    addon: { path: addonPath(packageRoot) ?? null, error },
    libtorch: { cache: cacheDirectory(environment), chosen: chosen?.directory ?? null, candidates: found },
    libraries: mappedLibraries(),
    cuda,
    threads: {
      processors: availableParallelism(),
      default: defaultThreads(),
      OMP_NUM_THREADS: environment.OMP_NUM_THREADS ?? null,
    },
    memory,
    environment: Object.fromEntries(
      VARIABLES.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])),
    ),
    // The errors are sentences that say what to do.
    advice: error !== null ? [error.message] : cuda.present && cuda.refusal !== null ? [cuda.refusal] : [],
  };
}

const entry = (label: string, text: string): string => `${label.padEnd(12)}${text}`;

function* cudaLines({ present, driver, devices, library, usable, refusal }: CudaReport): Generator<string> {
  yield entry('driver', !present ? 'no NVIDIA driver' : `NVIDIA ${driver ?? 'of an unknown version'}`);
  for (const [index, { name, memory, capability }] of devices.entries()) {
    const details = [memory && `${memory} MiB`, capability && `compute capability ${capability}`].filter(Boolean);
    yield entry('device', [`${index}: ${name}`, ...details].join(', '));
  }
  yield entry('kernels', library ?? 'no CUDA library beside the addon');
  if (usable > 0) yield entry('cuda', `usable, ${usable} ${usable === 1 ? 'device' : 'devices'}`);
  else if (present) yield entry('cuda', `refused: ${refusal!}`);
}

function* lines(diagnosis: Diagnosis): Generator<string> {
  const { platform, torch, addon, libtorch, threads } = diagnosis;
  yield entry('zero-rl', `${diagnosis.version}, for libtorch ${torch.pinned}`);
  yield entry(
    'platform',
    `${platform.platform}-${platform.arch}, ${platform.glibc === undefined ? 'no glibc' : `glibc ${platform.glibc}`}` +
      (platform.refusal === null ? '' : ' (refused)'),
  );
  yield entry('node', platform.node);
  yield entry('addon', addon.path ?? 'missing');
  yield entry('cache', libtorch.cache);
  for (const candidate of libtorch.candidates) {
    const verdict =
      candidate.refusal !== undefined
        ? `refused: ${candidate.refusal}`
        : candidate.directory === libtorch.chosen
          ? 'chosen'
          : 'usable';
    const parts = `${candidate.cuda ? 'with' : 'without'} CUDA, ${candidate.headers ? 'with' : 'without'} headers`;
    yield entry(
      'libtorch',
      `${candidate.directory} (${candidate.source}) ${candidate.version ?? '?'}, ${parts}: ${verdict}`,
    );
  }
  if (libtorch.candidates.length === 0) yield entry('libtorch', 'none found');
  yield entry('loaded', torch.loaded === null ? 'nothing' : `libtorch ${torch.loaded}`);
  for (const file of diagnosis.libraries) yield entry('', file);
  yield* cudaLines(diagnosis.cuda);
  yield entry(
    'threads',
    `${threads.default} of ${threads.processors} processors` +
      (threads.OMP_NUM_THREADS === null ? '' : `, OMP_NUM_THREADS=${threads.OMP_NUM_THREADS}`),
  );
  const { memory } = diagnosis;
  if (memory !== null)
    yield entry('memory', `${memory.limit} MiB for this process, ${memory.available} MiB of them free`);
  for (const [name, value] of Object.entries(diagnosis.environment)) yield entry('set', `${name}=${value}`);
  yield '';
  if (diagnosis.ok) yield diagnosis.advice.length === 0 ? 'All is well.' : 'All is well on the CPU.';
  yield* diagnosis.advice;
}

export const command = new Command('doctor')
  .description(
    `Says what was found on this machine: platform, libtorch candidates and verdicts, driver, threads. Exits with 1 when ` +
      `zero-rl cannot run; \`${INSTALL_COMMAND}\` repairs a missing libtorch.`,
  )
  .option('--json', 'print one JSON object')
  .action(({ json }: { json?: true }) => {
    const diagnosis = diagnose();
    if (json) console.log(JSON.stringify(diagnosis, null, 2));
    else for (const line of lines(diagnosis)) console.log(line);
    process.exitCode = diagnosis.ok ? 0 : 1;
  });
