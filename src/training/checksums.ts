/**
 * SHA-256 of every file of a saved folder, in the format of sha256sum (`sha256sum -c SHA256SUMS` checks it too): a disk may
 * give back other bits than were written, and weights with a flipped bit train on without a word.
 */
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { writeFileAtomically } from '../policy/atomic-file';

const SUMS_FILE = 'SHA256SUMS';
/** Read at a time; hashing it holds up the event loop for less than a millisecond. */
const CHUNK = 2 ** 20;

async function sumOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: CHUNK }), hash);
  return hash.digest('hex');
}

/** Writes the sums of all files in and below `folder`. @throws ZeroRlError `ERR_ZERO_RL_OUTPUT` */
export async function writeSums(folder: string): Promise<void> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== SUMS_FILE)
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    .sort();
  const lines: string[] = [];
  for (const file of files) lines.push(`${await sumOf(join(folder, file))}  ${file}\n`);
  await writeFileAtomically(join(folder, SUMS_FILE), lines.join(''));
}

/** What is wrong with a folder, as `model.safetensors is not as it was written`; null where nothing is, or where it has no sums. */
export async function findDamage(folder: string): Promise<string | null> {
  let text: string;
  try {
    text = readFileSync(join(folder, SUMS_FILE), 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : `${SUMS_FILE} cannot be read`;
  }
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const entry = /^([0-9a-f]{64}) {2}(.+)$/.exec(line);
    if (entry === null) return `${SUMS_FILE} is not as it was written`;
    const [, sum, file] = entry;
    try {
      if ((await sumOf(join(folder, file))) !== sum) return `${file} is not as it was written`;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT' ? `${file} is missing` : `${file} cannot be read`;
    }
  }
  return null;
}
