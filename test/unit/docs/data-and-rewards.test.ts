/** What docs/data.md and docs/rewards.md name is all there is. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ANSWER_KEYS, PROBLEM_KEYS } from '../../../src/data/columns';
import { DATA_EXTENSIONS } from '../../../src/data/read-file';
import { generatorNames } from '../../../src/data/source';
import { templates } from '../../../src/data/template';
import { rewards } from '../../../src/rewards';
import { presetNames } from '../../../src/training/presets';
import { repository } from '../../support/child';

const read = (name: string): string => readFileSync(path.join(repository, 'docs', name), 'utf8');

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
