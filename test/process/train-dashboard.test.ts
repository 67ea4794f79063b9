/** `zero-rl train --dashboard`: the page beside a run that trains, and its end with the run. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { temporaryFolder } from '../support/fixture-model';
import { runCli } from '../support/run-cli';
import { createTinyPolicy, TOKENIZER_FOLDER } from '../support/tiny-policy';
import type { ChartData, RunInfo } from '../../src/observe/dashboard/protocol';

const folder = temporaryFolder();
const runs = join(folder, 'runs');
const config = join(folder, 'tiny.json');
const watched = join(folder, 'watched');
beforeAll(async () => {
  using policy = await createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER, endTokens: [7, 8, 9] });
  await policy.save(join(folder, 'model'));
  // From the third step on it waits until the page was looked at.
  const code = join(folder, 'code.mjs');
  writeFileSync(
    code,
    `import { existsSync } from 'node:fs';
     let samples = 0;
     const watched = ${JSON.stringify(watched)};
     export const patient = async ({ tokens }) => {
       if (++samples > 2 * 8 + 4) while (!existsSync(watched)) await new Promise((next) => setTimeout(next, 20));
       return tokens.length % 2;
     };`,
  );
  const settings = {
    model: join(folder, 'model'),
    data: { train: 'arithmetic', count: 20 },
    rollout: { promptsPerStep: 4, samplesPerPrompt: 2, maxTokens: 8 },
    evaluation: { problems: 4, every: 0 },
    checkpoint: { every: 0 },
    preview: { prompts: 0 },
    reward: `${code}#patient`,
    threads: 1,
    output: runs,
  };
  writeFileSync(config, JSON.stringify(settings));
});
afterEach(() => [runs, watched].forEach((path) => rmSync(path, { recursive: true, force: true })));
afterAll(() => rmSync(folder, { recursive: true }));

const get = async <T>(url: string, path: string): Promise<T> => (await fetch(new URL(path, url))).json() as Promise<T>;

/**
 * Trains until the page shows the curve of rewards over two steps of a run that is going on, does `then`, and returns how
 * the command ended, what the page said and its address.
 */
async function trainAndWatch(steps: number, then: (kill: (signal: NodeJS.Signals) => void) => void) {
  let url = '';
  let watching: Promise<{ run: RunInfo; rewards: ChartData; page: string }> | undefined;
  const watch = async (kill: (signal: NodeJS.Signals) => void) => {
    try {
      let run: RunInfo | undefined;
      while ((run = (await get<RunInfo[]>(url, 'api/runs')).at(0)) === undefined) await setTimeout(50);
      const rewards = await get<ChartData>(url, `api/data?chart=reward&x=step&run=${encodeURIComponent(run.id)}`);
      const page = await (await fetch(url)).text();
      then(kill);
      return { run, rewards, page };
    } finally {
      writeFileSync(watched, '');
    }
  };
  const ended = await runCli(['train', config, '--dashboard', '--set', `steps=${steps}`], {
    onErrorOutput: (stderr, kill) => {
      url = /^dashboard (http:\S+)$/m.exec(stderr)?.[1] ?? '';
      if (url !== '' && new RegExp(`^ *2/${steps} `, 'm').test(stderr)) watching ??= watch(kill);
    },
  });
  if (watching === undefined) throw new Error(ended.stderr);
  return { ...ended, url, ...(await watching) };
}

const gone = (url: string): Promise<string> =>
  fetch(url).then(
    () => 'answers',
    (error: unknown) => (error as { cause?: { code?: string } }).cause?.code ?? 'unknown',
  );

test('the address printed answers with the curves of the run, and no longer once the training has ended', async () => {
  const { code, url, run, rewards, page, stdout } = await trainAndWatch(4, () => undefined);
  expect(code).toBe(0);
  expect(stdout).toContain('trained in');
  expect(page).toContain('/page/main.js');
  expect(run).toMatchObject({ id: basename(readdirSync(runs)[0]), steps: 4 });
  expect(rewards.x.slice(0, 2)).toEqual([1, 2]);
  expect(rewards.curves[0].y[0]).toEqual(expect.any(Number));
  expect(await gone(url)).toBe('ECONNREFUSED');
});

test('a dashboard that does not start says why, and the training goes on without it', async () => {
  const broken = join(folder, 'broken.cjs');
  writeFileSync(broken, "if (process.argv.includes('dashboard')) { console.error('it broke'); process.exit(1); }");
  const { code, stderr } = await runCli(['train', config, '--dashboard', '--set', 'steps=1'], {
    env: { NODE_OPTIONS: `--require ${broken}` },
  });
  expect(code).toBe(0);
  expect(stderr).toMatch(/it broke[^]*the dashboard did not start[^]*^ *1\/1 /m);
});

test('Ctrl-C ends both: training with a checkpoint, the page after it', async () => {
  const { code, stderr, url, run } = await trainAndWatch(100_000, (kill) => kill('SIGINT'));
  expect(code).toBe(130);
  expect(run.state).toBe('running');
  expect(stderr).toContain('Stopped by SIGINT; go on with: zero-rl train --resume');
  expect(stderr).not.toMatch(/^ +at /m);
  expect(readdirSync(join(runs, run.id, 'checkpoints'))).toHaveLength(1);
  expect(await gone(url)).toBe('ECONNREFUSED');
});
