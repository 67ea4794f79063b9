/** What the README shows is run: its program, its config, its commands. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import type { TrainConfigInput } from '../../src/training/config';
import { resolveConfig } from '../../src/training/load-config';
import { repository, runChild } from '../support/child';

const readme = readFileSync(path.join(repository, 'README.md'), 'utf8');

function block(language: string): string {
  const found = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(readme);
  if (!found) throw new Error(`The README has no ${language} block`);
  return found[1];
}

test('its ten lines sample, verify and train the bundled model', async () => {
  const ended = await runChild(['-e', block('js')]);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toContain('boxed');
  expect(ended.stdout).toMatch(/gradNorm: \d/);
});

test('its config is valid', () => {
  const warnings: string[] = [];
  const config = resolveConfig(parse(block('yaml')) as TrainConfigInput, 'the README', (message) =>
    warnings.push(message),
  );
  expect(config.algorithm.name).toBe('rloo');
  expect(warnings).toEqual([]);
});

test('its commands and options exist', async () => {
  const commands = [...readme.matchAll(/npx zero-rl (\w+)(.*)/g)];
  expect(commands.length).toBeGreaterThan(5);
  for (const [, command, rest] of commands) {
    const help = await runChild(['dist/cli/main.js', command, '--help']);
    expect(help.code).toBe(0);
    for (const [option] of rest.split('#')[0].matchAll(/--[\w-]+/g)) expect(help.stdout).toContain(option);
  }
});
