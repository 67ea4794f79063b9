/** The one addon in the other supported versions of Node. Skipped, with the reason, where npm cannot fetch them. */
import { fetchNode, nodeVersions } from '../../scripts/packaging/node-versions';
import { cacheDirectory } from '../../src/libtorch/cache';
import { childProgram, repository, runChild } from '../support/child';

describe.each(nodeVersions)('Node %s', (version) => {
  const node = fetchNode(version, cacheDirectory());
  const command = 'file' in node ? node.file : '';
  const title = (text: string): string => ('reason' in node ? `${text} (${node.reason})` : text);
  const testHere = 'file' in node ? test : test.skip;

  testHere(title('passes doctor'), async () => {
    const { code, stdout } = await runChild([`${repository}/dist/cli/main.js`, 'doctor', '--json'], { command });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, platform: { node: version } });
  });

  testHere.each([
    ['normal idle', 0],
    ['exit busy', 7],
    ['throw busy', 1],
  ])('%s', async (words, code) => {
    expect(await runChild([childProgram('exit.cjs'), ...words.split(' ')], { command })).toMatchObject({
      code,
      signal: null,
      stdout: 'ready\nthe engine has ended\n',
    });
  });

  testHere.each([
    ['successive', 0],
    ['terminate', 0],
    ['exit', 7],
  ])('workers: %s', async (scenario, code) => {
    expect(await runChild([childProgram('workers.cjs'), scenario], { command })).toMatchObject({
      code,
      signal: null,
      stderr: '',
    });
  });
});
