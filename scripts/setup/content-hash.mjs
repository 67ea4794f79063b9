/** Stamps: a step is done when the hash of all it depends on equals the one written after it last ran. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const stamps = path.join(root, '.setup');

/** Files below `folder`, relative to the root, whose name matches; sorted. */
export function filesIn(folder, pattern) {
  if (!existsSync(path.join(root, folder))) return [];
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** A hash of the names and contents of files and of extra strings. */
export function contentHash(files, ...extra) {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(root, file)))
      .update('\0');
  return hash.update(extra.join('\0')).digest('hex');
}

export function hasStamp(step, hash) {
  try {
    return readFileSync(path.join(stamps, `${step}.sha256`), 'utf8') === hash;
  } catch {
    return false;
  }
}

export function writeStamp(step, hash) {
  mkdirSync(stamps, { recursive: true });
  writeFileSync(path.join(stamps, `${step}.sha256`), hash);
}

export function removeStamp(step) {
  rmSync(path.join(stamps, `${step}.sha256`), { force: true });
}
