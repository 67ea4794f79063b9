/** The data files of a dataset of the hub: those of a subset and a split, by the hub's habits of naming them. */
import path from 'node:path';
import { ZeroRlError } from '../errors';
import { holdsRows, isDataFile } from '../data/read-file';
import { nearest } from '../nearest';
import type { Repository } from './repository';
import { downloadSnapshot } from './snapshot';

export interface DatasetRequest {
  subset?: string;
  split: string;
  /** Whether the split was asked for by name; otherwise a dataset without splits is taken whole. */
  splitIsDefault: boolean;
  /** Patterns instead of subset and split: `*` stands for any text in a name, `**` for any folders. */
  files?: readonly string[];
  /**
   * A folder of one's own: all files of the split are taken, whatever folders below it they are in; where some say a split, those
   * that say none are for training.
   */
  local?: boolean;
  signal?: AbortSignal;
}

const SPLITS = ['train', 'training', 'test', 'testing', 'validation', 'valid', 'val', 'dev', 'eval'];
/** Names of one split. */
const SAME: Readonly<Record<string, readonly string[]>> = {
  train: ['train', 'training'],
  test: ['test', 'testing', 'eval'],
  validation: ['validation', 'valid', 'val', 'dev'],
};
/** Folders that name no subset. */
const PLAIN_FOLDERS = ['.', 'data', 'default'];
const SHOWN = 8;

function error(message: string): ZeroRlError {
  return new ZeroRlError('ERR_ZERO_RL_DATA', message);
}

const list = (names: readonly string[]): string =>
  names.slice(0, SHOWN).join(', ') + (names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '');

function matches(file: string, pattern: string): boolean {
  const expression = pattern
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((part) => {
      if (part === '**/') return '(?:.*/)?';
      if (part === '**') return '.*';
      if (part === '*') return '[^/]*';
      return part === '?' ? '[^/]' : part.replace(/[\\^$.|+()[\]{}]/g, '\\$&');
    })
    .join('');
  return new RegExp(`^${expression}$`).test(file);
}

const wordsOf = (text: string): string[] => text.toLowerCase().split(/[/_.-]+/);

/** Whether the name of a file says one of `names`; its folders count only where the name says no split. */
function hasSplit(file: string, names: readonly string[]): boolean {
  const { dir, name } = path.posix.parse(file);
  const words = wordsOf(name);
  const said = words.some((word) => SPLITS.includes(word) || names.includes(word));
  return (said ? words : wordsOf(dir)).some((word) => names.includes(word));
}

function inSubset(file: string, subset: string): boolean {
  const name = path.posix.basename(file);
  const isPrefix = name.startsWith(subset) && /^[-_.]/.test(name.slice(subset.length));
  return isPrefix || `/${path.posix.dirname(file)}/`.includes(`/${subset}/`);
}

/** The folder that stands for the subset of a file; '' for none. */
function subsetOf(file: string): string {
  const folders = path.posix
    .dirname(file)
    .split('/')
    .filter((folder) => !PLAIN_FOLDERS.includes(folder));
  return folders.filter((folder) => !SPLITS.includes(folder.toLowerCase())).join('/');
}

/** The data files that `request` asks for. @throws ZeroRlError `ERR_ZERO_RL_DATA` naming what there is */
export function selectDataFiles(all: readonly string[], request: DatasetRequest, title: string): string[] {
  const { subset, split, splitIsDefault, files: patterns, local = false } = request;
  if (patterns !== undefined) {
    const chosen = all.filter((file) => isDataFile(file) && patterns.some((pattern) => matches(file, pattern)));
    if (chosen.length > 0) return chosen;
    throw error(`No data file of ${title} matches ${patterns.join(' or ')}; it has ${list(all)}`);
  }
  let files = all.filter(holdsRows);
  if (files.length === 0) throw error(`${title} has no .parquet or .jsonl file; it has ${list(all)}`);
  if (!local && files.some((file) => file.endsWith('.parquet')))
    files = files.filter((file) => file.endsWith('.parquet'));
  const subsets = [...new Set(files.map(subsetOf))].filter((name) => name !== '');
  if (subset !== undefined) {
    files = files.filter((file) => inSubset(file, subset));
    if (files.length === 0) {
      const near = nearest(subset, subsets);
      throw error(
        `${title} has no subset ${subset}${near ? ` (did you mean "${near}"?)` : subsets.length > 0 ? ` (it has ${list(subsets)})` : ''}`,
      );
    }
  }
  const wanted = files.filter((file) => hasSplit(file, SAME[split] ?? [split.toLowerCase()]));
  const named = files.filter((file) => hasSplit(file, SPLITS));
  const silent = files.filter((file) => !named.includes(file));
  if (wanted.length > 0) files = wanted;
  else if (local && splitIsDefault && split === 'train' && silent.length > 0) files = silent;
  else if (!splitIsDefault || named.length > 0)
    throw error(`${title} has no split ${split}; set split or files to one of ${list(files)}`);
  const left = [...new Set(files.map(subsetOf))];
  if (left.length > 1 && !local)
    throw error(`${title} has several subsets; set subset to one of ${list(left.map((name) => name || '(none)'))}`);
  return files;
}

/**
 * Downloads the data files that `request` asks for.
 *
 * @returns Their paths, and the commit that they are of.
 * @throws ZeroRlError `ERR_ZERO_RL_HUB` saying what to do when they cannot be had, `ERR_ZERO_RL_DATA` when there are none
 */
export async function datasetFiles(
  repository: Repository,
  request: DatasetRequest,
): Promise<{ files: string[]; commit: string }> {
  const title = `The dataset ${repository.name}`;
  const { folder, files, commit } = await downloadSnapshot(repository, {
    select: (all) => selectDataFiles(all, request, title),
    signal: request.signal,
  });
  return { files: files.map((file) => path.join(folder, file)), commit };
}
