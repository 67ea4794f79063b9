/** What docs/data.md and docs/rewards.md show is valid. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { ANSWER_KEYS, PROBLEM_KEYS } from '../../../src/data/columns';
import { DATA_EXTENSIONS } from '../../../src/data/read-file';
import { generatorNames } from '../../../src/data/source';
import { templates } from '../../../src/data/template';
import { rewards } from '../../../src/rewards';
import { resolveConfig } from '../../../src/training/load-config';
import { presetNames } from '../../../src/training/presets';
import { repository } from '../../support/child';

const read = (name: string): string => readFileSync(path.join(repository, 'docs', name), 'utf8');

test.each(['data.md', 'rewards.md'])('the settings in %s are valid', (name) => {
  const blocks = [...read(name).matchAll(/```yaml\n([^]*?)```/g)];
  expect(blocks.length).toBeGreaterThan(0);
  for (const [, text] of blocks) {
    const part = parse(text) as { data?: object };
    const data = { train: 'arithmetic', ...part.data };
    expect(() => resolveConfig({ model: '/m', ...part, data })).not.toThrow();
  }
});

test('every name is described', () => {
  const data = read('data.md');
  const names = [
    ...generatorNames,
    ...DATA_EXTENSIONS,
    ...PROBLEM_KEYS,
    ...ANSWER_KEYS,
    ...Object.keys(templates),
    ...presetNames,
  ];
  expect(
    names.filter((name) => !data.includes(`${name}\``) && !data.includes(`\`${name}`) && !data.includes(` ${name}`)),
  ).toEqual([]);
  expect(Object.keys(rewards).filter((name) => !read('rewards.md').includes(`| \`${name}\` |`))).toEqual([]);
});
