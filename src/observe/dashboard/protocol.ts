/** What the dashboard's server and its page say to each other: JSON in these shapes. */

/** `stopped`: as asked. `interrupted`: not finished, and no process writes it. */
export type RunState = 'running' | 'paused' | 'finished' | 'stopped' | 'interrupted';

export interface RunInfo {
  /** Path of the run folder below the folder shown; `.` is that folder itself. */
  id: string;
  name: string;
  state: RunState;
  /** Steps done, and those of the config; null where there is none. */
  step: number;
  steps: number | null;
  /** Runs with the same group differ in their seed alone. */
  group: string;
  seed: number | null;
  model: string | null;
  algorithm: string | null;
  /** Of the loss; null where the config does not say. */
  objective: string | null;
  /** Of the last step. */
  reward: number | null;
  accuracy: number | null;
  /** Seconds of a step, mean over the run; null before the first. */
  secondsPerStep: number | null;
  /** Milliseconds since 1970 of the last write to the metrics. */
  updated: number;
  /** Changes whenever the metrics, the rollouts or the events do. */
  version: string;
  /** Requests that the run has not obeyed yet. */
  pending: string[];
  /** What is wrong with the folder, for people; null: nothing. */
  trouble: string | null;
}

/** An event of the stream /api/live, named `runs`. The first one has every run. */
export interface RunChanges {
  changed: RunInfo[];
  removed: string[];
}

export const xAxes = ['step', 'time', 'tokens'] as const;
export type XAxis = (typeof xAxes)[number];

export type Format = 'number' | 'percent' | 'rate' | 'memory';

/** A chart of /api/charts. */
export interface ChartInfo {
  id: string;
  title: string;
  subtitle: string;
  format: Format;
  scale: 'linear' | 'log';
  /** Always within the y axis. */
  include: number[];
  /** Whether each value is a dot of its own. */
  dots: boolean;
  series: { column: string; label: string }[];
}

/** A line of /api/data; its arrays are as long as `x` of the answer, null where the curve has no point. */
export interface CurveData {
  /** Runs that it is made of: one, or those of a band. */
  runs: string[];
  label: string;
  column: string;
  /** Which of the chart's series. */
  series: number;
  y: (number | null)[];
  /** Interval, or the range over seeds. */
  low?: (number | null)[];
  high?: (number | null)[];
  /** Not smoothed, where `y` is. */
  raw?: (number | null)[];
  /** Value at the last point in full resolution. */
  last: number | null;
}

export interface ChartData {
  x: number[];
  curves: CurveData[];
  /** Extent of x over all points, also those outside the range asked for; null without points. */
  extent: [number, number] | null;
}

export const rolloutKinds = ['rollouts', 'evaluations', 'watchdog'] as const;
export type RolloutKind = (typeof rolloutKinds)[number];
export const rolloutSorts = [
  'newest',
  'oldest',
  'reward',
  'lowest-reward',
  'longest',
  'shortest',
  'advantage',
] as const;
export type RolloutSort = (typeof rolloutSorts)[number];

/** A row of a list of rollouts; texts are cut. */
export interface RolloutBrief {
  /** Together they name it for /api/rollout, in links that hold as long as the run does. */
  step: number;
  id: string;
  sample: number;
  /** The uid of its prompt, which tells a problem that was drawn twice in a step apart. */
  group: number;
  prompt: string;
  completion: string;
  reward: number | null;
  reason: string;
  correct: boolean | null;
  advantage: number | null;
  length: number;
  finishReason: string;
}

export interface RolloutList {
  total: number;
  /** Rollouts of the run and kind in all. */
  of: number;
  /** Lines that are no JSON objects, left out. */
  damaged: number;
  steps: [number, number] | null;
  rows: RolloutBrief[];
}

export interface RolloutDetail {
  row: Record<string, unknown>;
  /** The group: completions of the same prompt in the same file. */
  group: { sample: number; reward: number | null; length: number; correct: boolean | null }[];
}

export interface EventRow {
  run: string;
  time: string | null;
  step: number;
  type: string;
  message: string;
  rule: string | null;
  file: string | null;
}

export interface ConfigRow {
  key: string;
  /** JSON texts in the order of the runs; null where the key is absent. */
  values: (string | null)[];
  differs: boolean;
}

export interface ConfigTable {
  runs: { id: string; trouble: string | null }[];
  rows: ConfigRow[];
}

export const actions = ['pause', 'resume', 'checkpoint', 'stop'] as const;
export type Action = (typeof actions)[number];

/** Header of requests that act, with the token of the page. */
export const tokenHeader = 'x-zero-rl-token';
