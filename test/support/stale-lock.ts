/** Locks as killed processes and other hosts leave them. */
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

export interface LockOwner {
  pid: number;
  started: string | null;
  host: string;
  system: string | null;
}

/** A process of this system. A pid of today with a start of its own is that of another process. */
export function ownerHere(pid: number, started: string | null = '1'): LockOwner {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return { pid, started, host: hostname(), system: `${boot} ${readlinkSync('/proc/self/ns/pid')}` };
}

/** When the process started, as /proc has it. */
export function startOf(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop()!.split(' ')[19];
}

/** Makes the lock `path`; returns the file of its holder. */
export function writeLock(path: string, owner: object | string, name = 'holder'): string {
  mkdirSync(path);
  const file = join(path, name);
  writeFileSync(file, typeof owner === 'string' ? owner : JSON.stringify(owner));
  return file;
}
