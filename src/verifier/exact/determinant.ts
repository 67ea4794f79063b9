/** Determinant without division, over any commutative ring. */

export interface Ring<T> {
  zero: T;
  add(a: T, b: T): T;
  multiply(a: T, b: T): T;
  negate(a: T): T;
}

/** Rows of a larger matrix are refused: the work doubles with every row. */
const maximumRows = 8;

/** Null unless the matrix is square with 1 to 8 rows. Takes n·2^n ring operations. */
export function determinant<T>(rows: readonly (readonly T[])[], ring: Ring<T>): T | null {
  const n = rows.length;
  if (n === 0 || n > maximumRows || rows.some((row) => row.length !== n)) return null;
  // minors[columns]: determinant of the last rows, as many as there are columns in the set.
  const minors = new Map<number, T>();
  const minor = (columns: number, row: number): T => {
    const known = minors.get(columns);
    if (known !== undefined) return known;
    let result = ring.zero;
    let negative = false;
    for (let column = 0; column < n; column++) {
      if ((columns & (1 << column)) === 0) continue;
      const entry = rows[row][column];
      const term = row === n - 1 ? entry : ring.multiply(entry, minor(columns & ~(1 << column), row + 1));
      result = ring.add(result, negative ? ring.negate(term) : term);
      negative = !negative;
    }
    minors.set(columns, result);
    return result;
  };
  return minor((1 << n) - 1, 0);
}
