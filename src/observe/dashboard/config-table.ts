/** Resolved configs side by side. */
import type { ConfigTable } from './protocol';
import { readConfig } from './run-status';

function flatten(value: unknown, path: string, into: Map<string, string>): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0) {
    for (const [key, inner] of Object.entries(value)) flatten(inner, path === '' ? key : `${path}.${key}`, into);
  } else into.set(path, JSON.stringify(value));
}

/** @param runs in the order of the columns */
export function configTable(runs: readonly { id: string; folder: string }[]): ConfigTable {
  const read = runs.map(({ id, folder }) => ({ id, ...readConfig(folder) }));
  const columns = read.map(({ config }) => {
    const keys = new Map<string, string>();
    if (config) flatten(config, '', keys);
    return keys;
  });
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
