/** Resolved configs side by side. */
import { leavesOf } from '../../json-object';
import type { ConfigTable } from './protocol';
import { readConfig } from './run-status';

/** @param runs in the order of the columns */
export function configTable(runs: readonly { id: string; folder: string }[]): ConfigTable {
  const read = runs.map(({ id, folder }) => ({ id, ...readConfig(folder) }));
  const columns = read.map(
    ({ config }) => new Map(leavesOf(config ?? {}).map(([path, value]) => [path, JSON.stringify(value)])),
  );
  const keys = [...new Set(columns.flatMap((column) => [...column.keys()]))];
  return {
    runs: read.map(({ id, trouble }) => ({ id, trouble })),
    rows: keys.map((key) => {
      const values = columns.map((column) => column.get(key) ?? null);
      // A config that cannot be read is no difference.
      const known = values.filter((_, i) => read[i].config !== null);
      return { key, values, differs: new Set(known).size > 1 };
    }),
  };
}
