/** The runs below a folder: finds them, tells what changed since the last look, and keeps their metrics and rollouts open. */
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { runFiles } from '../../training/run-folder';
import { MetricTable } from './metric-table';
import type { RolloutKind, RunChanges, RunInfo } from './protocol';
import { RolloutIndex } from './rollout-index';
import { RunStatus } from './run-status';

/** Folders of runs may lie in folders of experiments. */
const MAX_DEPTH = 3;
/** Milliseconds between two looks for new folders. */
const RESCAN = 2000;
/** Numbers of metrics kept in memory: 64 MiB. */
const MAX_VALUES = 2 ** 23;
/** Indexes of rollouts kept in memory. */
const MAX_INDEXES = 4;

function findRuns(folder: string, depth = 0): string[] {
  if ([runFiles.config, runFiles.metrics].some((name) => existsSync(join(folder, name)))) return [folder];
  if (depth === MAX_DEPTH) return [];
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
      .flatMap((entry) => findRuns(join(folder, entry.name), depth + 1));
  } catch {
    return [];
  }
}

export class RunList {
  private readonly runs = new Map<string, { status: RunStatus; info: RunInfo; text: string }>();
  private readonly tables = new Map<string, MetricTable>();
  private readonly indexes = new Map<string, RolloutIndex>();
  private scanned = -Infinity;

  constructor(readonly folder: string) {}

  /** Looks again. */
  refresh(): RunChanges {
    const removed: string[] = [];
    if (performance.now() - this.scanned > RESCAN) {
      this.scanned = performance.now();
      const found = new Map(findRuns(this.folder).map((path) => [relative(this.folder, path) || '.', path]));
      for (const id of this.runs.keys()) {
        if (found.has(id)) continue;
        this.runs.delete(id);
        removed.push(id);
      }
      for (const [id, path] of found) {
        if (this.runs.has(id)) continue;
        const status = new RunStatus(id, path);
        this.runs.set(id, { status, info: status.read(), text: '' });
      }
    }
    const changed: RunInfo[] = [];
    for (const run of this.runs.values()) {
      run.info = run.status.read();
      const text = JSON.stringify(run.info);
      if (text !== run.text) changed.push(run.info);
      run.text = text;
    }
    return { changed, removed };
  }

  /** Those of the last look. */
  all(): RunInfo[] {
    return [...this.runs.values()].map(({ info }) => info);
  }

  /** Undefined where there is no such run: ids are looked up, never joined to a path. */
  get(id: string): { folder: string; info: RunInfo } | undefined {
    const run = this.runs.get(id);
    return run && { folder: run.status.folder, info: run.info };
  }

  /** The metrics of a run as they are now. */
  async metrics(id: string): Promise<MetricTable> {
    const table = take(this.tables, id, () => new MetricTable(join(this.get(id)!.folder, runFiles.metrics)));
    await table.update();
    const size = (): number => [...this.tables.values()].reduce((sum, { size: values }) => sum + values, 0);
    while (this.tables.size > 1 && size() > MAX_VALUES) this.tables.delete(this.tables.keys().next().value!);
    return table;
  }

  async rollouts(id: string, kind: RolloutKind): Promise<RolloutIndex> {
    const index = take(this.indexes, `${kind} ${id}`, () => new RolloutIndex(join(this.get(id)!.folder, kind)));
    if (this.indexes.size > MAX_INDEXES) this.indexes.delete(this.indexes.keys().next().value!);
    await index.update();
    return index;
  }
}

/** The value of a key, which becomes the newest of the map. */
function take<T>(map: Map<string, T>, key: string, make: () => T): T {
  const value = map.get(key) ?? make();
  map.delete(key);
  map.set(key, value);
  return value;
}
