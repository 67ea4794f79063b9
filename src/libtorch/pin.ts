/** The versions this package is built for, read from package.json so that they are stated once. */

interface Pin {
  /** The one libtorch version, e.g. "2.11.0". */
  torch: string;
  /** Requirements of the two NVIDIA packages that the CPU part of the wheel links to. */
  wheels: string[];
  /** Requirements of what the CUDA part needs besides those. */
  cudaWheels: string[];
  /** The lowest glibc, e.g. "2.28". */
  glibc: string;
  /** The lowest version of the C++ library's symbols, e.g. "3.4.24". */
  glibcxx: string;
}

interface PackageJson {
  version: string;
  engines: { node: string };
  zeroRl: Pin;
}

// Bundlers put the file into the bundle. As an import it would have to lie in src.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const packageJson = require('../../package.json') as PackageJson;

export const packageVersion = packageJson.version;
export const pin = packageJson.zeroRl;
/** The lowest Node, e.g. "20.19". */
export const minimumNode = packageJson.engines.node.replace('>=', '');
