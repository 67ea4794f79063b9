/** What a run folder says of its run, from as few bytes as will do: config, the ends of metrics.jsonl, lock and requests. */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { isPaused, pendingRequests } from '../../training/control';
import { runFiles } from '../../training/run-folder';
import { isLocked } from '../../training/run-lock';
import { parseObject } from './read-lines';
import type { RunInfo, RunState } from './protocol';

const TAIL = 2 ** 16;

export type ConfigObject = Record<string, unknown>;

/** A resolved config as it lies in the folder, or what is wrong with it. */
export function readConfig(folder: string): { config: ConfigObject | null; trouble: string | null } {
  const file = join(folder, runFiles.config);
  if (!existsSync(file)) return { config: null, trouble: `there is no ${runFiles.config}` };
  try {
    const config: unknown = parse(readFileSync(file, 'utf8'));
    if (typeof config === 'object' && config !== null && !Array.isArray(config))
      return { config: config as ConfigObject, trouble: null };
    return { config: null, trouble: `${runFiles.config} holds no keys` };
  } catch {
    return { config: null, trouble: `${runFiles.config} is not YAML` };
  }
}

/** Keys that may differ between the seeds of an experiment. */
const APART = new Set(['seed', 'name', 'output', 'threads', 'memoryMiB', 'device']);

/** Whole rows at the end of a JSON Lines file, the last first. */
function lastRows(file: string, count: number): Record<string, unknown>[] {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(descriptor);
    const bytes = Buffer.alloc(Math.min(TAIL, size));
    readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    const rows: Record<string, unknown>[] = [];
    for (const line of bytes.toString('utf8').split('\n').reverse()) {
      const row = line === '' ? null : parseObject(line);
      if (row !== null) rows.push(row);
      if (rows.length === count) break;
    }
    return rows;
  } catch {
    return [];
  } finally {
    closeSync(descriptor);
  }
}

interface Stamp {
  size: number;
  modified: number;
}

function stamp(file: string): Stamp {
  try {
    const { size, mtimeMs } = statSync(file);
    return { size, modified: mtimeMs };
  } catch {
    return { size: -1, modified: 0 };
  }
}

const numberOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;
const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;

/** Reads one folder again and again; files that did not change are not read. */
export class RunStatus {
  private configStamp = '';
  private metricsStamp = '';
  private config: ConfigObject | null = null;
  private trouble: string | null = null;
  private row: Record<string, unknown> | null = null;
  private group = '';

  constructor(
    readonly id: string,
    readonly folder: string,
  ) {}

  read(): RunInfo {
    const stamps = [runFiles.config, runFiles.metrics, runFiles.rollouts, runFiles.evaluations, runFiles.events].map(
      (name) => stamp(join(this.folder, name)),
    );
    const [configStamp, metricsStamp] = stamps.map(({ size, modified }) => `${size}/${modified}`);
    if (configStamp !== this.configStamp) {
      this.configStamp = configStamp;
      ({ config: this.config, trouble: this.trouble } = readConfig(this.folder));
      this.group = this.config
        ? JSON.stringify(Object.entries(this.config).filter(([key]) => !APART.has(key)))
        : this.folder;
    }
    if (metricsStamp !== this.metricsStamp) {
      this.metricsStamp = metricsStamp;
      this.row = lastRows(join(this.folder, runFiles.metrics), 1).at(0) ?? null;
    }
    const step = numberOf(field(this.row, 'step')) ?? 0;
    return {
      id: this.id,
      name: basename(this.folder),
      state: this.state(),
      step,
      steps: numberOf(field(this.config, 'steps')),
      group: this.group,
      seed: numberOf(field(this.config, 'seed')),
      model: textOf(field(this.config, 'model')),
      algorithm: textOf(field(field(this.config, 'algorithm'), 'name')),
      objective: textOf(field(field(this.config, 'optimizer'), 'objective')),
      reward: numberOf(field(this.row, 'rewardMean')),
      accuracy: numberOf(field(this.row, 'accuracy')),
      secondsPerStep: numberOf(field(field(this.row, 'seconds'), 'total')),
      updated: stamps[1].modified,
      version: stamps.map(({ size, modified }) => `${size}-${Math.round(modified)}`).join(' '),
      pending: pendingRequests(this.folder),
      trouble: this.trouble ?? (stamps[1].size < 0 ? `there is no ${runFiles.metrics} yet` : null),
    };
  }

  private state(): RunState {
    if (isLocked(this.folder)) return isPaused(this.folder) ? 'paused' : 'running';
    if (existsSync(join(this.folder, runFiles.summary))) return 'finished';
    // The closing checkpoint comes after the word that the run stops as asked.
    const last = lastRows(join(this.folder, runFiles.events), 2);
    return last.some((row) => row.type === 'stop') ? 'stopped' : 'interrupted';
  }
}
