import { join } from 'node:path';
import { repository, runChild } from '../support/child';

test('docs/config.md and config.schema.json say what the schema says, and every key has a docstring', async () => {
  const { code, stderr } = await runChild([join(repository, 'scripts', 'config-schema.mjs'), '--check']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
});
