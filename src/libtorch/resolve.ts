/** Chooses the libtorch to load. */
import { ZeroRlError } from '../errors';
import { cacheDirectory } from './cache';
import { candidates, type Candidate } from './candidates';
import { devicesAreHidden, nvidiaPresent } from './nvidia';
import { pin } from './pin';

/** The command that repairs every failure to find libtorch. */
export const INSTALL_COMMAND = 'npx zero-rl libtorch install';

/** The first usable candidate; where a CUDA device seems present, the first with a CUDA part, if there is one. */
export function chooseCandidate(
  all: Iterable<Candidate>,
  environment: NodeJS.ProcessEnv = process.env,
  preferCuda = nvidiaPresent() && !devicesAreHidden(environment),
): Candidate | undefined {
  let withoutCuda: Candidate | undefined;
  for (const candidate of all) {
    if (candidate.refusal !== undefined) continue;
    if (candidate.cuda || !preferCuda) return candidate;
    withoutCuda ??= candidate;
  }
  return withoutCuda;
}

/**
 * The libtorch to load, see {@link chooseCandidate}. `ZERO_RL_LIBTORCH`, when set, is the only candidate.
 * @throws ZeroRlError `ERR_ZERO_RL_LIBTORCH_NOT_FOUND`, or `ERR_ZERO_RL_LIBTORCH_VERSION` when versions were the only
 * thing wrong; the message lists what was tried.
 */
export function resolveLibtorch(environment: NodeJS.ProcessEnv = process.env): Candidate {
  const refused: Candidate[] = [];
  const chosen = chooseCandidate(noteRefused(candidates(environment), refused), environment);
  if (chosen !== undefined) return chosen;
  const first = refused.at(0);
  if (first?.source === 'ZERO_RL_LIBTORCH') {
    throw new ZeroRlError(
      refusalCode(refused),
      `ZERO_RL_LIBTORCH names ${first.directory}, but ${first.refusal!}; point it to a folder of libtorch ${pin.torch} ` +
        `with lib/libtorch_cpu.so, or unset it and run \`${INSTALL_COMMAND}\`.`,
    );
  }
  const tried =
    refused.length > 0
      ? refused.map(({ source, directory, refusal }) => `${directory} (${source}: ${refusal!})`).join(', ')
      : `the cache ${cacheDirectory(environment)}, Python's torch and the system folders`;
  throw new ZeroRlError(
    refusalCode(refused),
    `No usable libtorch ${pin.torch} was found, having tried ${tried}; run \`${INSTALL_COMMAND}\`.`,
  );
}

function* noteRefused(all: Iterable<Candidate>, refused: Candidate[]): Generator<Candidate> {
  for (const candidate of all) {
    if (candidate.refusal !== undefined) refused.push(candidate);
    yield candidate;
  }
}

function refusalCode(refused: Candidate[]): 'ERR_ZERO_RL_LIBTORCH_VERSION' | 'ERR_ZERO_RL_LIBTORCH_NOT_FOUND' {
  const onlyVersions = refused.length > 0 && refused.every(({ refusal }) => refusal?.startsWith('it is version'));
  return onlyVersions ? 'ERR_ZERO_RL_LIBTORCH_VERSION' : 'ERR_ZERO_RL_LIBTORCH_NOT_FOUND';
}
