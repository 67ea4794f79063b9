/** The nearest known name to a misspelt one, for error messages about option and config keys. */

/** Case, `_` and `-` do not count, so `max_tokens` finds `maxTokens`. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '');
}

/** Edits that turn `a` into `b`: insertions, deletions, substitutions and swaps of neighbours. */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const substituted = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const best = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, substituted);
      rows[i].push(swapped ? Math.min(best, rows[i - 2][j - 2] + 1) : best);
    }
  }
  return rows[a.length][b.length];
}

/** The candidate closest to `name`, or undefined when it is more than 2 edits and a third of its length away. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const wanted = plain(name).slice(0, 64);
  let found: string | undefined;
  let least = Infinity;
  for (const candidate of candidates) {
    const edits = distance(wanted, plain(candidate));
    const limit = Math.min(wanted.length - 1, Math.max(2, Math.floor(candidate.length / 3)));
    if (edits >= least || edits > limit) continue;
    found = candidate;
    least = edits;
  }
  return found;
}
