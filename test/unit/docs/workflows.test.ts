/** The workflow files follow GitHub's schema and name scripts that exist. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { validateWorkflow } from '@action-validator/core';
import { repository } from '../../support/child';

const folder = path.join(repository, '.github/workflows');
const { scripts } = JSON.parse(readFileSync(path.join(repository, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

test.each(readdirSync(folder))('%s', (name) => {
  const text = readFileSync(path.join(folder, name), 'utf8');
  expect(validateWorkflow(text).errors).toEqual([]);
  for (const [, script, rest] of text.matchAll(/npm run ([\w:-]+)(.*)/g)) {
    if (!rest.includes('--if-present')) expect(Object.keys(scripts)).toContain(script);
  }
  for (const [, file] of text.matchAll(/(?:node|bash) ((?:scripts|\.ci)\/\S+)/g)) {
    expect(existsSync(path.join(repository, file))).toBe(true);
  }
});
