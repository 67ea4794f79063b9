/** Dashes that tell the series of a run apart, as lengths of strokes and gaps; as many as the largest chart has series. */
export const dashes: readonly (readonly number[])[] = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 2, 1, 2, 1, 2], [14, 4]];
