/** Chooses the libtorch to load. */
import { ZeroRlError } from '../errors';
import { cacheDirectory } from './cache';
import { candidates, type Candidate } from './candidates';
import { pin } from './pin';

/** The command that repairs every failure to find libtorch. */
export const INSTALL_COMMAND = 'npx zero-rl libtorch install';

/**
 * The first usable libtorch. `ZERO_RL_LIBTORCH`, when set, is the only candidate.
 * @throws ZeroRlError `ERR_ZERO_RL_LIBTORCH_NOT_FOUND`, or `ERR_ZERO_RL_LIBTORCH_VERSION` when versions were the only
 * thing wrong; the message lists what was tried.
 */
export function resolveLibtorch(environment: NodeJS.ProcessEnv = process.env): Candidate {
  const refused: Candidate[] = [];
  for (const candidate of candidates(environment)) {
    if (candidate.refusal === undefined) return candidate;
    refused.push(candidate);
  }
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

function refusalCode(refused: Candidate[]): 'ERR_ZERO_RL_LIBTORCH_VERSION' | 'ERR_ZERO_RL_LIBTORCH_NOT_FOUND' {
  const onlyVersions = refused.length > 0 && refused.every(({ refusal }) => refusal?.startsWith('it is version'));
  return onlyVersions ? 'ERR_ZERO_RL_LIBTORCH_VERSION' : 'ERR_ZERO_RL_LIBTORCH_NOT_FOUND';
}
