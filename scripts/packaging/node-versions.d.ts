/** The path of what was asked for, or the reason why it could not be had. */
export type Fetched = { file: string } | { reason: string };

/** The versions of Node that the package is checked with: the lowest supported one and those of newer lines. */
export const nodeVersions: readonly string[];

/** Installs exactly this version of a package of npm below `cacheDirectory`, once, and returns the path of a file in it. */
export function fetchPackage(name: string, version: string, file: string, cacheDirectory: string): Fetched;

/** The binary of exactly this version of Node. */
export function fetchNode(version: string, cacheDirectory: string): Fetched;
