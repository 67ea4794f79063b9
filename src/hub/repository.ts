/** Names of repositories of the hub and where they lie in its cache. */
import path from 'node:path';

export interface Repository {
  type: 'model' | 'dataset';
  /** `org/name`, or `name` where it has no organisation. */
  name: string;
  /** Branch, tag or commit. */
  revision: string;
}

export const DEFAULT_REVISION = 'main';

const PART = '[A-Za-z0-9_](?:[\\w.-]*\\w)?';
const ID = new RegExp(`^(?:hf:)?(${PART}(?:/${PART})?)(?:@([\\w./-]+))?$`);
const COMMIT = /^[0-9a-f]{40}$/;

/**
 * The repository that `org/name`, `org/name@revision`, `hf:org/name` or `hf:name` names; null for any other text. A folder
 * of that path comes first: callers look for it before.
 */
export function parseHubId(text: string): Omit<Repository, 'type'> | null {
  const found: (string | undefined)[] | null = ID.exec(text);
  const name = found?.[1];
  const revision = found?.[2] ?? DEFAULT_REVISION;
  if (name === undefined || (!text.startsWith('hf:') && !name.includes('/')) || name.includes('..')) return null;
  return isRevision(revision) ? { name, revision } : null;
}

/** Whether a branch or tag may have that name, which is one of a file of the cache as well. */
export function isRevision(text: string): boolean {
  return !/[\0-\x20\x7f\\]/.test(text) && !text.includes('..') && text.split('/').every((part) => /^[^.]/.test(part));
}

export function isCommit(revision: string): boolean {
  return COMMIT.test(revision);
}

/** `models--org--name` below the cache. */
export function repositoryFolder(cache: string, { type, name }: Repository): string {
  return path.join(cache, [`${type}s`, ...name.split('/')].join('--'));
}

/** `org/name@revision` for messages, the commit shortened. */
export function repositoryTitle({ name, revision }: Repository): string {
  return `${name}@${isCommit(revision) ? revision.slice(0, 8) : revision}`;
}
