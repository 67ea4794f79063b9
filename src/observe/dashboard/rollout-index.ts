/**
 * Where each rollout of a run lies in its files, with the figures that filters and orders look at, in typed arrays: about 50
 * bytes a rollout. Step files never change once they are there, so only new ones are read; texts stay on the disk.
 */
import { statSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CHUNK, parseObject, readLines } from './read-lines';

export const flags = { stop: 1, length: 2, right: 4, wrong: 8, spread: 16 } as const;

/** Rows between two that are wanted, over which one read goes on. */
const MAX_GAP = 8;

interface IndexedFile {
  name: string;
  size: number;
  modified: number;
}

const numberOf = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : NaN);

export class RolloutIndex {
  count = 0;
  /** Lines that are no JSON objects. */
  damaged = 0;
  step = new Float64Array(1024);
  group = new Float64Array(1024);
  sample = new Uint32Array(1024);
  reward = new Float32Array(1024);
  advantage = new Float32Array(1024);
  length = new Uint32Array(1024);
  flags = new Uint8Array(1024);
  private file = new Uint32Array(1024);
  private offset = new Float64Array(1024);
  private bytes = new Uint32Array(1024);
  private files: IndexedFile[] = [];
  private reading: Promise<void> | null = null;

  /** @param folder of the step files */
  constructor(private readonly folder: string) {}

  /** Reads what is new; after a rollback, all. */
  update(): Promise<void> {
    this.reading ??= this.read().finally(() => (this.reading = null));
    return this.reading;
  }

  /** The rows at these places, in their order; null where a file has changed or gone meanwhile. */
  async rows(places: readonly number[]): Promise<(Record<string, unknown> | null)[]> {
    const stretches = this.stretches(places);
    return (await Promise.all(stretches.map((stretch) => this.readStretch(stretch)))).flat();
  }

  /** Places that lie behind each other in one file, as far as one read should go. */
  private stretches(places: readonly number[]): number[][] {
    const stretches: number[][] = [];
    for (const place of places) {
      const stretch = stretches.at(-1);
      const fits =
        stretch !== undefined &&
        this.file[place] === this.file[stretch[0]] &&
        place > stretch[stretch.length - 1] &&
        place - stretch[stretch.length - 1] <= MAX_GAP &&
        this.offset[place] + this.bytes[place] - this.offset[stretch[0]] <= CHUNK;
      if (fits) stretch.push(place);
      else stretches.push([place]);
    }
    return stretches;
  }

  private async readStretch(places: readonly number[]): Promise<(Record<string, unknown> | null)[]> {
    const last = places[places.length - 1];
    const from = this.offset[places[0]];
    let bytes = Buffer.allocUnsafe(this.offset[last] + this.bytes[last] - from);
    try {
      await using handle = await open(join(this.folder, this.files[this.file[last]].name), 'r');
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
      bytes = bytes.subarray(0, bytesRead);
    } catch {
      return places.map(() => null);
    }
    return places.map((place) => {
      const start = this.offset[place] - from;
      return parseObject(bytes.toString('utf8', start, start + this.bytes[place]));
    });
  }

  /** The places of the group that `place` is of: the same prompt in the same file. */
  groupOf(place: number): number[] {
    const places: number[] = [];
    const same = (other: number): boolean => this.file[other] === this.file[place];
    let first = place;
    while (first > 0 && same(first - 1)) first--;
    for (let i = first; i < this.count && same(i); i++) if (this.group[i] === this.group[place]) places.push(i);
    return places;
  }

  private async read(): Promise<void> {
    const names = (await readdir(this.folder).catch(() => [])).filter((name) => name.endsWith('.jsonl')).sort(byStep);
    const found: IndexedFile[] = [];
    const known = new Map(this.files.map((file) => [file.name, file]));
    for (const name of names) {
      // A call that waits its turn takes ten times as long, and there is one for every step.
      const stats = statSync(join(this.folder, name), { throwIfNoEntry: false });
      if (stats) found.push({ name, size: stats.size, modified: stats.mtimeMs });
    }
    const unchanged = this.files.every((file, i) => {
      const now = found[i] as IndexedFile | undefined;
      return now?.name === file.name && now.size === file.size && now.modified === file.modified;
    });
    if (!unchanged) {
      this.count = 0;
      this.damaged = 0;
      this.files = [];
      known.clear();
    }
    const chunk = Buffer.allocUnsafe(CHUNK);
    for (const file of found) {
      if (known.has(file.name)) continue;
      this.files.push(file);
      await this.readFile(this.files.length - 1, chunk).catch(() => undefined);
    }
  }

  private async readFile(index: number, chunk: Buffer): Promise<void> {
    const first = this.count;
    const add = (line: string, offset: number, bytes: number): void => {
      const row = parseObject(line);
      if (row === null) this.damaged++;
      else this.add(row, index, offset, bytes);
    };
    await readLines(join(this.folder, this.files[index].name), 0, add, { last: true, chunk });
    const ranges = new Map<number, { low: number; high: number }>();
    for (let i = first; i < this.count; i++) {
      const range = ranges.get(this.group[i]);
      const reward = this.reward[i];
      if (Number.isNaN(reward)) continue;
      if (!range) ranges.set(this.group[i], { low: reward, high: reward });
      else {
        range.low = Math.min(range.low, reward);
        range.high = Math.max(range.high, reward);
      }
    }
    for (let i = first; i < this.count; i++) {
      const range = ranges.get(this.group[i]);
      if (range && range.high > range.low) this.flags[i] |= flags.spread;
    }
  }

  private add(row: Record<string, unknown>, file: number, offset: number, bytes: number): void {
    if (this.count === this.step.length) this.grow();
    const i = this.count++;
    this.file[i] = file;
    this.offset[i] = offset;
    this.bytes[i] = bytes;
    this.step[i] = numberOf(row.step) || 0;
    this.group[i] = numberOf(row.uid) || 0;
    this.sample[i] = numberOf(row.sample) || 0;
    this.reward[i] = numberOf(row.reward);
    this.advantage[i] = numberOf(row.advantage);
    this.length[i] = numberOf(row.length) || 0;
    this.flags[i] =
      (row.finishReason === 'length' ? flags.length : row.finishReason === 'stop' ? flags.stop : 0) |
      (row.correct === true ? flags.right : row.correct === false ? flags.wrong : 0);
  }

  private grow(): void {
    const grown = <T extends Float64Array | Float32Array | Uint32Array | Uint8Array>(values: T): T => {
      const larger = new (values.constructor as new (length: number) => T)(2 * values.length);
      larger.set(values);
      return larger;
    };
    this.step = grown(this.step);
    this.group = grown(this.group);
    this.sample = grown(this.sample);
    this.reward = grown(this.reward);
    this.advantage = grown(this.advantage);
    this.length = grown(this.length);
    this.flags = grown(this.flags);
    this.file = grown(this.file);
    this.offset = grown(this.offset);
    this.bytes = grown(this.bytes);
  }
}

/** Files of later steps come later, whatever the width of their numbers; then by name. */
function byStep(a: string, b: string): number {
  const step = (name: string): number => Number(/step-(\d+)/.exec(name)?.[1] ?? 0);
  return step(a) - step(b) || (a < b ? -1 : 1);
}
