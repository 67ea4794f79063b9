/** Every labelled case and attack of test/verifier-cases, and every row of the tables in docs/verifier.md. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verify } from '../../../src/verifier';

interface Text {
  prefix?: string;
  unit?: string;
  times?: number;
  middle?: string;
  unit2?: string;
  times2?: number;
  suffix?: string;
}

interface Case {
  id: string;
  gold?: string;
  goldGenerator?: Text;
  completion?: string;
  completionGenerator?: Text;
  expected: boolean | null;
  alsoAccept?: (boolean | null)[];
}

const expand = ({
  prefix = '',
  unit = '',
  times = 0,
  middle = '',
  unit2 = '',
  times2 = 0,
  suffix = '',
}: Text): string => prefix + unit.repeat(times) + middle + unit2.repeat(times2) + suffix;

const folder = join(__dirname, '../../verifier-cases');
const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));

function read(file: string): Case[] {
  const lines = readFileSync(join(folder, file), 'utf8').split('\n');
  return lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as Case);
}

test('there are at least 300 cases', () => {
  expect(files.flatMap(read).length).toBeGreaterThan(300);
});

describe.each(files)('%s', (file) => {
  test.each(read(file).map((row) => [row.id, row] as const))('%s', (_, row) => {
    const gold = row.goldGenerator ? expand(row.goldGenerator) : row.gold!;
    const completion = row.completionGenerator ? expand(row.completionGenerator) : row.completion!;
    const { correct } = verify(gold, completion);
    expect([row.expected, ...(row.alsoAccept ?? [])]).toContain(correct);
  });
});

describe('docs/verifier.md', () => {
  const page = readFileSync(join(__dirname, '../../../docs/verifier.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `(.+?)` \| `(.+?)` \| ([a-z-]+) \|$/gm)];
  test('has examples', () => expect(rows.length).toBeGreaterThan(60));
  test.each(rows.map((row) => row.slice(1)))('%s and %s: %s', (gold, answer, reason) => {
    const [right, stated] = [gold, answer].map((cell) => cell.replace(/\\\|/g, '|'));
    expect(verify(right, `\\boxed{${stated}}`).reason).toBe(reason);
  });
});
