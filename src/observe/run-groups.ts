/** Runs that are compared: those that differ in nothing but the seed form a group, which charts draw as one line with a band. */
import { isJsonObject, leavesOf, type JsonObject } from '../json-object';
import type { RunView } from './run-view';

export interface RunGroup {
  /** Letter in the charts; empty where there is one group. */
  letter: string;
  /** Index of the colour, 0 ... 7. */
  color: number;
  runs: RunView[];
  /** What sets it apart from the other groups, e.g. `kl.initCoefficient 0.1`; the run's name where nothing does. */
  label: string;
}

export interface ConfigDifference {
  key: string;
  /** One value a run, as YAML writes scalars; `–` where the run has none. */
  values: string[];
}

/** What a run is called and where it lies makes no difference. */
const APART = new Set(['name', 'output']);
const COLORS = 8;
const MOST_KEYS = 3;
const LONGEST_VALUE = 28;

/** Values by their paths, lists as JSON. An empty object is no setting. */
function flatten(config: JsonObject | null): Map<string, string> {
  const settings = leavesOf(config ?? {}).filter(([, value]) => !isJsonObject(value));
  return new Map(settings.map(([path, value]) => [path, typeof value === 'string' ? value : JSON.stringify(value)]));
}

/** The settings in which the runs differ. */
export function configDifferences(runs: readonly RunView[]): ConfigDifference[] {
  const flat = runs.map(({ config }) => flatten(config));
  const keys = [...new Set(flat.flatMap((config) => [...config.keys()]))].filter((key) => !APART.has(key));
  return keys
    .map((key) => ({ key, values: flat.map((config) => config.get(key) ?? '–') }))
    .filter(({ values }) => new Set(values).size > 1);
}

const letterOf = (index: number): string =>
  (index >= 26 ? letterOf(Math.floor(index / 26) - 1) : '') + String.fromCharCode(65 + (index % 26));

const shorten = (text: string): string => (text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text);

/** Groups in the order of their first run. A run without a config is a group of its own. */
export function groupRuns(runs: readonly RunView[]): RunGroup[] {
  const differences = configDifferences(runs).filter(({ key }) => key !== 'seed');
  const groups = new Map<string, { runs: RunView[]; first: number }>();
  runs.forEach((run, i) => {
    const key = run.config === null ? `path ${run.path}` : JSON.stringify(differences.map(({ values }) => values[i]));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { runs: [run], first: i });
    else group.runs.push(run);
  });
  return [...groups.values()].map(({ runs: members, first }, i): RunGroup => {
    const shown = differences.slice(0, MOST_KEYS).map(({ key, values }) => `${key} ${shorten(values[first])}`);
    const more = differences.length > MOST_KEYS ? ', …' : '';
    const label = members[0].config === null || shown.length === 0 ? members[0].name : shown.join(', ') + more;
    return { letter: groups.size === 1 ? '' : letterOf(i), color: i % COLORS, runs: members, label };
  });
}
