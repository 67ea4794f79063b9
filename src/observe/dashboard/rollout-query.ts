/** Filters and orders over the index of a run's rollouts. */
import { z } from 'zod';
import { rolloutSorts, type RolloutBrief, type RolloutDetail, type RolloutList } from './protocol';
import { flags, type RolloutIndex } from './rollout-index';

const number = z.coerce.number();

/** Parameters of /api/rollouts as they come in the address; absent ones do not filter. */
export const rolloutQuery = z.object({
  step: number.optional(),
  minReward: number.optional(),
  maxReward: number.optional(),
  minLength: number.optional(),
  maxLength: number.optional(),
  finish: z.enum(['stop', 'length']).optional(),
  verdict: z.enum(['right', 'wrong', 'unknown']).optional(),
  /** Whether the rewards of the group differ. */
  spread: z.enum(['yes', 'no']).optional(),
  /** Part of the prompt, the completion or the answer, whatever the case. */
  text: z.string().max(200).optional(),
  sort: z.enum(rolloutSorts).default('newest'),
  offset: number.int().min(0).default(0),
  limit: number.int().min(1).max(200).default(50),
});
export type RolloutQuery = z.output<typeof rolloutQuery>;

const BRIEF = 240;
/** Rollouts read at a time while a text is looked for. */
const BATCH = 256;

function matches(index: RolloutIndex, i: number, query: RolloutQuery): boolean {
  const { step, minReward, maxReward, minLength, maxLength, finish, verdict, spread } = query;
  const flag = index.flags[i];
  if (step !== undefined && index.step[i] !== step) return false;
  // A reward that is not known is outside of every range.
  if (minReward !== undefined && !(index.reward[i] >= Math.fround(minReward))) return false;
  if (maxReward !== undefined && !(index.reward[i] <= Math.fround(maxReward))) return false;
  if (minLength !== undefined && index.length[i] < minLength) return false;
  if (maxLength !== undefined && index.length[i] > maxLength) return false;
  if (finish !== undefined && !(flag & flags[finish])) return false;
  if (verdict === 'unknown' ? flag & (flags.right | flags.wrong) : verdict !== undefined && !(flag & flags[verdict]))
    return false;
  return spread === undefined || (spread === 'yes') === Boolean(flag & flags.spread);
}

/** Unknown figures come last. */
const keys: Record<RolloutQuery['sort'], ((index: RolloutIndex) => (i: number) => number) | null> = {
  oldest: null,
  newest: null,
  reward: (index) => (i) => -(index.reward[i] || (index.reward[i] === 0 ? 0 : -Infinity)),
  'lowest-reward': (index) => (i) => (Number.isNaN(index.reward[i]) ? Infinity : index.reward[i]),
  longest: (index) => (i) => -index.length[i],
  shortest: (index) => (i) => index.length[i],
  advantage: (index) => (i) => -(Number.isNaN(index.advantage[i]) ? -Infinity : Math.abs(index.advantage[i])),
};

/** Places that fit, in order. `newest`: the latest step first, the rollouts of a step in the order of the file. */
function ordered(index: RolloutIndex, places: number[], sort: RolloutQuery['sort']): number[] {
  if (sort === 'oldest') return places;
  if (sort === 'newest') return places.sort((a, b) => index.step[b] - index.step[a] || a - b);
  const key = keys[sort]!(index);
  const values = Float64Array.from(places, key);
  const order = Uint32Array.from(places, (_, i) => i).sort((a, b) => values[a] - values[b] || a - b);
  return Array.from(order, (i) => places[i]);
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

function brief(index: RolloutIndex, place: number, row: Record<string, unknown>): RolloutBrief {
  const flag = index.flags[place];
  return {
    step: index.step[place],
    id: text(row.id),
    sample: index.sample[place],
    group: index.group[place],
    prompt: text(row.prompt).slice(-BRIEF),
    completion: text(row.completion).slice(0, BRIEF),
    reward: finite(index.reward[place]),
    reason: text(row.reason),
    correct: flag & flags.right ? true : flag & flags.wrong ? false : null,
    advantage: finite(index.advantage[place]),
    length: index.length[place],
    finishReason: text(row.finishReason),
  };
}

/** Those of `places` whose texts contain `wanted`. */
async function withText(index: RolloutIndex, places: readonly number[], wanted: string): Promise<number[]> {
  const needle = wanted.toLowerCase();
  const found: number[] = [];
  for (let first = 0; first < places.length; first += BATCH) {
    const batch = places.slice(first, first + BATCH);
    const rows = await index.rows(batch);
    rows.forEach((row, i) => {
      const texts = row ? [row.prompt, row.completion, row.answer, row.id] : [];
      if (texts.some((value) => text(value).toLowerCase().includes(needle))) found.push(batch[i]);
    });
  }
  return found;
}

export async function listRollouts(index: RolloutIndex, query: RolloutQuery): Promise<RolloutList> {
  let places: number[] = [];
  let steps: [number, number] | null = null;
  for (let i = 0; i < index.count; i++) {
    const step = index.step[i];
    steps = steps ? [Math.min(steps[0], step), Math.max(steps[1], step)] : [step, step];
    if (matches(index, i, query)) places.push(i);
  }
  if (query.text !== undefined && query.text !== '') places = await withText(index, places, query.text);
  const page = ordered(index, places, query.sort).slice(query.offset, query.offset + query.limit);
  const rows = await index.rows(page);
  return {
    total: places.length,
    of: index.count,
    damaged: index.damaged,
    steps,
    rows: rows.flatMap((row, i) => (row ? [brief(index, page[i], row)] : [])),
  };
}

/** Parameters of /api/rollout: what names a rollout. Links without the group find the first of the problem. */
export const rolloutName = z.object({
  step: number,
  id: z.string(),
  sample: number.default(0),
  group: number.optional(),
});

/** A rollout whole, with the figures of its group; null where there is none of this name. */
export async function findRollout(
  index: RolloutIndex,
  { step, id, sample, group: wanted }: z.output<typeof rolloutName>,
): Promise<RolloutDetail | null> {
  const places: number[] = [];
  for (let i = 0; i < index.count; i++) {
    const fits = index.step[i] === step && index.sample[i] === sample;
    if (fits && (wanted === undefined || index.group[i] === wanted)) places.push(i);
  }
  const rows = await index.rows(places);
  const found = rows.findIndex((row) => row !== null && text(row.id) === id);
  const row = found < 0 ? null : rows[found];
  if (row === null) return null;
  const group = index.groupOf(places[found]).map((other) => ({
    sample: index.sample[other],
    reward: finite(index.reward[other]),
    length: index.length[other],
    correct: index.flags[other] & flags.right ? true : index.flags[other] & flags.wrong ? false : null,
  }));
  return { row, group };
}
