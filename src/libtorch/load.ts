/** The addon, loaded once per thread at the first use of the engine; importing the package loads nothing native. */
import * as binding from '../../binding/index.js';
import type { NativeBinding } from '../../binding/native';
import { isZeroRlError, ZeroRlError } from '../errors';
import { packageRoot } from '../package-root';
import { checkPlatform } from './platform';
import { INSTALL_COMMAND, resolveLibtorch } from './resolve';

let loaded: NativeBinding | undefined;

/**
 * Finds libtorch, maps it and loads the addon.
 * @throws ZeroRlError `ERR_ZERO_RL_PLATFORM`, `_LIBTORCH_NOT_FOUND`, `_LIBTORCH_VERSION` or `_ADDON_NOT_FOUND`.
 */
export function loadNative(): NativeBinding {
  if (loaded !== undefined) return loaded;
  checkPlatform();
  const { directory } = resolveLibtorch();
  if (binding.addonPath(packageRoot) === undefined) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_ADDON_NOT_FOUND',
      'The native addon of zero-rl is missing; in a checkout run `npm run setup`, beside a bundle install zero-rl, otherwise reinstall it.',
    );
  }
  try {
    loaded = binding.load({ directory, root: packageRoot });
  } catch (error) {
    throw loadFailure(error, directory);
  }
  return loaded;
}

/**
 * The same without holding up the event loop while the libraries are mapped; where there may be a CUDA device, its part of
 * libtorch too.
 * @param cuda whether a CUDA device is going to be used
 */
export async function loadNativeInBackground(cuda: boolean): Promise<NativeBinding> {
  if (loaded !== undefined) return loaded;
  checkPlatform();
  const found = resolveLibtorch();
  await binding.mapInBackground({ directory: found.directory, cuda: cuda && found.cuda });
  return loadNative();
}

/** One sentence for what the dynamic linker or the addon said. */
function loadFailure(error: unknown, directory: string): ZeroRlError {
  if (isZeroRlError(error)) return new ZeroRlError(error.code, error.message, { cause: error });
  const said =
    error instanceof Error || (error as { message?: unknown }).message ? (error as Error).message : String(error);
  const code = (error as { code?: string }).code;
  if (code === 'ERR_DLOPEN_DISABLED') {
    return new ZeroRlError(
      'ERR_ZERO_RL_NATIVE',
      `This Node process may not load addons (${said}); run it without --no-addons.`,
      {
        cause: error,
      },
    );
  }
  const advice = /GLIBCXX_|CXXABI_/.test(said)
    ? 'the C++ library in use is too old: unset LD_LIBRARY_PATH or update libstdc++6'
    : /static TLS/.test(said)
      ? 'import zero-rl before other native packages'
      : `run \`${INSTALL_COMMAND}\` for a complete copy`;
  return new ZeroRlError(
    'ERR_ZERO_RL_LIBTORCH_NOT_FOUND',
    `libtorch in ${directory} could not be loaded (${said}); ${advice}.`,
    {
      cause: error,
    },
  );
}
