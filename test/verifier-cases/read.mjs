// Reads verifier cases: JSON lines whose long texts are stored as generators and expanded here.
import { readFileSync } from 'node:fs';

/** The text that a generator stands for: prefix, unit × times, middle, unit2 × times2, suffix. */
export function expand({ prefix = '', unit = '', times = 0, middle = '', unit2 = '', times2 = 0, suffix = '' }) {
  return prefix + unit.repeat(times) + middle + unit2.repeat(times2) + suffix;
}

/** Cases of one file: `gold` and `completion` are text; `pred` is taken as another name for `completion`. */
export function readCases(path) {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    let row;
    try {
      row = JSON.parse(line);
    } catch (cause) {
      throw new Error(`${path}:${index + 1} is not JSON`, { cause });
    }
    const gold = row.goldGenerator ? expand(row.goldGenerator) : row.gold;
    const generator = row.completionGenerator ?? row.predGenerator;
    const completion = generator ? expand(generator) : (row.completion ?? row.pred);
    return [{ ...row, gold, completion, line: index + 1 }];
  });
}
