/** What docs/training.md says of defaults and keys is so. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { resolveConfig } from '../../../src/training/load-config';
import { watchdogRules } from '../../../src/training/watchdog';
import { repository } from '../../support/child';

const read = (name: string): string => readFileSync(path.join(repository, 'docs', name), 'utf8');
const training = read('training.md');

test.each(watchdogRules)('the row of the rule %s has its defaults', (rule) => {
  const { limit, steps, action } = resolveConfig({ model: '/m', data: { train: 'arithmetic' } }).watchdog[rule];
  const row = training.split('\n').find((line) => line.startsWith(`| \`${rule}\` |`));
  expect(row).toMatch(new RegExp(` (above|below) ${limit} \\| ${steps} \\| ${action} \\|$`));
});

test('every key is one of the config', () => {
  const sections = [...read('config.md').matchAll(/^\| `(\w+)\.[\w.]+` \|/gm)].map(([, section]) => section);
  const named = [...training.matchAll(/`(\w+)((?:\.\w+)+)[:`]/g)].filter(
    ([whole, section]) => sections.includes(section) && !/json|safetensors/.test(whole),
  );
  expect(named.length).toBeGreaterThan(15);
  const known = new Set([...read('config.md').matchAll(/^\| `([\w.]+)` \|/gm)].map(([, key]) => key));
  const unknown = named
    .map(([, section, rest]) => section + rest)
    .filter((key) => !known.has(key) && ![...known].some((other) => other.startsWith(`${key}.`)));
  expect(unknown).toEqual([]);
});
