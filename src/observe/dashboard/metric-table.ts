/**
 * The rows of a metrics.jsonl as columns of numbers: every numeric leaf is a column named by its path (`seconds.sample`,
 * `evaluation.interval.0`). Follows the file as it grows, by offset; a file that was replaced is read anew.
 */
import { stat } from 'node:fs/promises';
import { parseObject, readLines } from './read-lines';

/** Columns that a hostile file may make. */
const MAX_COLUMNS = 400;
const MAX_DEPTH = 4;

/** Cumulated or computed columns, beside those of the file. */
export const derived = { time: '#time', tokens: '#tokens', usable: '#usable' } as const;

interface Node {
  children: Map<string, Node>;
  column: Float64Array | null;
}

export class MetricTable {
  /** Rows. */
  count = 0;
  /** Lines that are no JSON objects with a step. */
  damaged = 0;
  private readonly columns = new Map<string, Float64Array>();
  private root: Node = { children: new Map(), column: null };
  private capacity = 256;
  private offset = 0;
  private inode = -1;
  private reading: Promise<void> | null = null;

  constructor(private readonly file: string) {}

  /** Values held, for a limit on memory. */
  get size(): number {
    return this.columns.size * this.capacity;
  }

  names(): string[] {
    return [...this.columns.keys()];
  }

  /** NaN where a row has no such number; null where no row has. */
  column(name: string): Float64Array | null {
    return this.columns.get(name)?.subarray(0, this.count) ?? null;
  }

  /** Whether a row has a number other than `value` there. */
  hasOther(name: string, value: number): boolean {
    return this.column(name)?.some((other) => other !== value && !Number.isNaN(other)) ?? false;
  }

  /** Reads what was written since the last call. */
  update(): Promise<void> {
    this.reading ??= this.read().finally(() => (this.reading = null));
    return this.reading;
  }

  private async read(): Promise<void> {
    const { ino, size } = await stat(this.file).catch(() => ({ ino: -1, size: 0 }));
    if (ino !== this.inode || size < this.offset) this.reset(ino);
    if (size === this.offset) return;
    this.offset = await readLines(this.file, this.offset, (line) => this.add(line)).catch(() => this.offset);
  }

  private reset(inode: number): void {
    this.inode = inode;
    this.offset = 0;
    this.count = 0;
    this.damaged = 0;
    this.columns.clear();
    this.root = { children: new Map(), column: null };
  }

  private add(line: string): void {
    const row = parseObject(line);
    const step = row?.step;
    if (row === null || typeof step !== 'number' || !Number.isFinite(step)) {
      this.damaged++;
      return;
    }
    // A step written again takes the place of what came after it.
    const steps = this.columns.get('step');
    while (steps && this.count > 0 && steps[this.count - 1] >= step) this.count--;
    if (this.count === this.capacity) this.grow();
    const place = this.count++;
    for (const column of this.columns.values()) column[place] = NaN;
    this.store(row, this.root, '', place, 0);
    const number = (name: string): number => this.columns.get(name)?.[place] ?? NaN;
    this.accumulate(derived.time, number('seconds.total'), place);
    this.accumulate(derived.tokens, number('sampledTokens'), place);
    this.set(derived.usable, number('usableGroups') / number('groups'), place);
  }

  private accumulate(name: string, value: number, place: number): void {
    const before = place === 0 ? 0 : this.columns.get(name)![place - 1];
    this.set(name, before + (Number.isFinite(value) ? value : 0), place);
  }

  private set(name: string, value: number, place: number): void {
    let column = this.columns.get(name);
    if (column === undefined) {
      if (Number.isNaN(value)) return;
      column = this.newColumn(name);
    }
    column[place] = value;
  }

  private store(value: object, node: Node, path: string, place: number, depth: number): void {
    for (const key in value) {
      const leaf = (value as Record<string, unknown>)[key];
      let child = node.children.get(key);
      if (child === undefined) node.children.set(key, (child = { children: new Map(), column: null }));
      if (typeof leaf === 'number' || typeof leaf === 'boolean') {
        if (child.column === null) {
          if (this.columns.size >= MAX_COLUMNS) continue;
          child.column = this.newColumn(path + key);
        }
        child.column[place] = Number(leaf);
      } else if (typeof leaf === 'object' && leaf !== null && depth < MAX_DEPTH)
        this.store(leaf, child, `${path}${key}.`, place, depth + 1);
    }
  }

  private newColumn(name: string): Float64Array {
    const column = new Float64Array(this.capacity).fill(NaN);
    this.columns.set(name, column);
    return column;
  }

  private grow(): void {
    this.capacity *= 2;
    for (const [name, column] of this.columns) {
      const larger = new Float64Array(this.capacity).fill(NaN);
      larger.set(column);
      this.columns.set(name, larger);
    }
    this.rebind(this.root, '');
  }

  private rebind(node: Node, path: string): void {
    for (const [key, child] of node.children) {
      if (child.column) child.column = this.columns.get(path + key)!;
      this.rebind(child, `${path}${key}.`);
    }
  }
}
