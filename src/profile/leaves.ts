/**
 * Whose each moment is: of the stretches under way, the engine's innermost section (while the engine waits for its other
 * threads, theirs), else the loop's innermost span, else nobody's.
 */

export interface Stretch {
  name: string;
  start: number;
  end: number;
}

export interface Leaf {
  calls: number;
  /** From start to end, what lies inside included. */
  total: number;
  /** Of it what belongs to nothing inside. */
  own: number;
}

export interface Leaves {
  loop: Map<string, Leaf>;
  engine: Map<string, Leaf>;
  /** Of a span of the loop, by its place in the input: time in which the engine was at work. */
  engineWithin: Float64Array;
  /** Time of no stretch. */
  unnamed: number;
}

interface Boundary {
  time: number;
  stretch: number;
  opens: boolean;
}

export interface Stretches {
  loop: readonly Stretch[];
  /** Of the engine's own thread. */
  engine: readonly Stretch[];
  /** Of the threads that it waits for in the section `wait`. */
  workers: readonly Stretch[];
  wait: string;
}

/** Sweeps over the boundaries. Stretches of one list should nest; where they overlap, the later one has the time. */
export function leaves({ loop, engine, workers, wait }: Stretches, start: number, end: number): Leaves {
  const all = [...loop, ...engine, ...workers];
  const listOf = (i: number): 'loop' | 'engine' | 'workers' =>
    i < loop.length ? 'loop' : i < loop.length + engine.length ? 'engine' : 'workers';
  const boundaries: Boundary[] = all.flatMap((stretch, i) => [
    { time: Math.max(start, Math.min(end, stretch.start)), stretch: i, opens: true },
    { time: Math.max(start, Math.min(end, stretch.end)), stretch: i, opens: false },
  ]);
  const length = (i: number): number => all[i].end - all[i].start;
  // At one moment ends come before beginnings, and outer stretches begin first and end last.
  boundaries.sort(
    (a, b) =>
      a.time - b.time ||
      Number(a.opens) - Number(b.opens) ||
      (a.opens ? length(b.stretch) - length(a.stretch) : length(a.stretch) - length(b.stretch)),
  );
  const result: Leaves = {
    loop: new Map(),
    engine: new Map(),
    engineWithin: new Float64Array(loop.length),
    unnamed: 0,
  };
  const leafOf = (i: number): Leaf => {
    const table = i < loop.length ? result.loop : result.engine;
    const found = table.get(all[i].name) ?? { calls: 0, total: 0, own: 0 };
    table.set(all[i].name, found);
    return found;
  };
  [...loop, ...engine].forEach((stretch, i) => {
    const leaf = leafOf(i);
    leaf.calls++;
    leaf.total += stretch.end - stretch.start;
  });
  const open: Record<'loop' | 'engine' | 'workers', number[]> = { loop: [], engine: [], workers: [] };
  const innermost = (): number | undefined => {
    const own = open.engine.at(-1);
    if (own === undefined) return open.loop.at(-1);
    return all[own].name === wait ? (open.workers.at(-1) ?? own) : own;
  };
  let last = start;
  for (const { time, stretch, opens } of boundaries) {
    const passed = time - last;
    last = time;
    if (passed > 0) {
      const inner = innermost();
      if (inner === undefined) result.unnamed += passed;
      else leafOf(inner).own += passed;
      const span = open.loop.at(-1);
      if (open.engine.length > 0 && span !== undefined) result.engineWithin[span] += passed;
    }
    const stack = open[listOf(stretch)];
    if (opens) stack.push(stretch);
    else stack.splice(stack.lastIndexOf(stretch), 1);
  }
  result.unnamed += end - last;
  return result;
}
