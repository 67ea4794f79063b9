/** The dashboard as a person uses it, in Chromium: a run that trains, its rollouts, two runs beside each other, strange input. */
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { StepMetrics } from '../../src/observe/metrics';
import type { Dashboard, DashboardOptions } from '../../src/observe/dashboard/serve';
import { train } from '../../src/training/train';
import { BanditPolicy } from '../support/bandit-policy';
import { browserReason, hasBrowser, launchBrowser } from '../support/browser';
import { repository } from '../support/child';

// The page is compiled; the server beside it is too.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { startDashboard } = require(join(repository, 'dist/observe/dashboard/serve.js')) as {
  startDashboard: (options: DashboardOptions) => Promise<Dashboard>;
};

const hostile = '</script><script>window.attacked=1</script><img src=x onerror="window.attacked=1">';
const scratch = mkdtempSync(join(tmpdir(), 'dashboard-'));
const runs = join(scratch, 'runs');
const data = join(scratch, 'rows.jsonl');
writeFileSync(
  data,
  Array.from({ length: 10 }, (_, i) => JSON.stringify({ id: `p${i}`, problem: `${i}${hostile}`, answer: '2' })).join(
    '\n',
  ),
);

let browser: Browser;
let dashboard: Dashboard;
let page: Page;
const complaints: string[] = [];
const requests: string[] = [];

function startRun(name: string, steps: number, seed = 0): { steps: AsyncGenerator<StepMetrics>; folder: () => string } {
  let folder = '';
  const generator = train(
    {
      name,
      seed,
      steps,
      model: scratch,
      data: { train: data, evaluation: data },
      reward: ['math', { name: 'length', buffer: 4, weight: 0.5 }],
      kl: { measure: true },
      rollout: { promptsPerStep: 4, samplesPerPrompt: 4 },
      optimizer: { learningRate: seed === 9 ? 0.1 : 0.5 },
      evaluation: { problems: 4, every: 1 },
      output: runs,
    },
    {
      loadPolicy: (directory) => BanditPolicy.load(directory),
      onEvent: (event) => {
        if (event.type === 'start') folder = event.folder;
      },
    },
  );
  return { steps: generator, folder: () => folder };
}

async function finished(name: string, steps: number, seed = 0): Promise<string> {
  const run = startRun(name, steps, seed);
  while (!(await run.steps.next()).done);
  return run.folder();
}

const open = async (place = ''): Promise<void> => {
  await page.goto('about:blank');
  await page.goto(`${dashboard.url}${place}`);
};
/** Waits for what another process does. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((next) => setTimeout(next, 20));
}
const chart = (id: string) => page.locator(`[data-chart=${id}]`);

const suite = hasBrowser ? describe : describe.skip;
if (!hasBrowser) test.skip(`dashboard: ${browserReason}`, () => undefined);

suite('dashboard', () => {
  beforeAll(async () => {
    mkdirSync(runs);
    browser = await launchBrowser();
    dashboard = await startDashboard({ folder: runs, port: 0 });
  });
  afterAll(async () => {
    await browser.close();
    await dashboard.close();
    rmSync(scratch, { recursive: true });
  });
  beforeEach(async () => {
    page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => requests.push(request.url()));
  });
  afterEach(async () => {
    expect(await page.evaluate('window.attacked')).toBeUndefined();
    await page.close();
    expect(complaints.splice(0)).toEqual([]);
    const away = requests
      .splice(0)
      .filter((url) => !url.startsWith(new URL('/', dashboard.url).href) && !/^(data:|about:)/.test(url));
    expect(away).toEqual([]);
  });

  test('curves appear while a run is going, and it pauses, saves and stops as asked', async () => {
    await open();
    await page.getByText('There is no run in this folder yet').waitFor();
    const run = startRun('live', 50);
    await run.steps.next();
    await chart('reward').waitFor();
    await page.getByText(/step 1 of 50/).waitFor();
    expect(new URL(page.url()).search).toBe('');
    await page.reload();
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    const other = await (await browser.newContext()).newPage();
    await other.goto(new URL('/', dashboard.url).href);
    await other.getByText('To pause, save or stop it, open the address').waitFor();
    await expect(other.getByRole('button', { name: 'Pause' }).count()).resolves.toBe(0);
    await other.context().close();
    await expect(chart('reward').locator('canvas').count()).resolves.toBe(1);
    await run.steps.next();
    await page.getByText(/step 2 of 50/).waitFor();

    await page.getByRole('button', { name: 'Pause' }).click();
    const third = run.steps.next();
    await page.locator('.state.paused').waitFor();
    await page.getByRole('button', { name: 'Checkpoint' }).click();
    await until(() => existsSync(join(run.folder(), 'checkpoints', 'step-2')));
    await page.getByRole('button', { name: 'Go on' }).click();
    await expect(third).resolves.toMatchObject({ value: { step: 3 } });

    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.getByRole('button', { name: 'Stop the run' }).click();
    await page.getByText('asked for stop').waitFor();
    await expect(run.steps.next()).rejects.toMatchObject({ code: 'ERR_ZERO_RL_ABORTED' });
    await page.locator('.state.stopped').waitFor();
    await page.getByRole('button', { name: 'Events' }).click();
    await page.getByText('the run stops, as asked').waitFor();
  });

  test('a rollout is found by filters and opened, with its terms, tokens and group', async () => {
    const folder = await finished('found', 4);
    await open(`#runs=${basename(folder)}`);
    await page.getByRole('button', { name: 'Rollouts' }).click();
    await page.getByLabel('Verdict').selectOption('right');
    await page.getByLabel('Reward from').fill('0.5');
    await page.getByLabel('Reward from').press('Tab');
    await page.getByLabel('Group').selectOption('yes');
    await page.locator('.rollout.right').first().waitFor();
    await expect(page.locator('.rollout.wrong').count()).resolves.toBe(0);
    await page.locator('.rollout').first().click();
    const detail = page.getByRole('region', { name: 'Rollout', exact: true });
    await detail.getByText('Terms of the reward').waitFor();
    await expect(detail.locator('pre.prompt').textContent()).resolves.toContain(hostile);
    await expect(detail.locator('.group li').count()).resolves.toBe(4);
    await page.getByLabel('Group').selectOption('no');
    await page.getByLabel('Ended by').selectOption('length');
    await page.getByText('0 of 64').waitFor();
    await page.getByText('No sample fits all of these filters').waitFor();
  });

  test('what is typed filters as it is typed and stays while the run goes on', async () => {
    const folder = await finished('typed', 2);
    await open(`#view=rollouts&runs=${basename(folder)}`);
    await page.getByText('32 of 32').waitFor();
    const text = page.getByLabel('Text');
    await text.pressSequentially('no such text');
    await page.getByText('0 of 32').waitFor();
    appendFileSync(join(folder, 'events.jsonl'), '{"type":"warning","message":"x","step":2}\n');
    appendFileSync(join(folder, 'metrics.jsonl'), '{"step":3}\n');
    await text.press('Backspace');
    await page.getByText(/step 3 of/).waitFor();
    await expect(text.inputValue()).resolves.toBe('no such tex');
    await page.goBack();
    await page.getByText('32 of 32').waitFor();
    await expect(text.inputValue()).resolves.toBe('');
    await page.getByLabel('Step').pressSequentially('1');
    await page.getByText('16 of 32').waitFor();
  });

  test('Back undoes a step, and a link holds runs, zoom and the rollout that is open', async () => {
    const [one, two] = [basename(await finished('linked', 3, 1)), basename(await finished('linked-too', 3, 2))];
    await open(`#runs=${one}`);
    await chart('reward').locator('.legend .value').waitFor();
    await chart('reward').locator('canvas').waitFor();
    await chart('reward').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('+');
    await page.waitForURL(({ hash }) => hash.includes('to=1.5'));
    await page.getByRole('button', { name: 'Rollouts' }).click();
    await page.locator('.rollout').nth(5).click();
    const detail = page.getByRole('region', { name: 'Rollout', exact: true });
    const title = await detail.getByRole('heading', { level: 2 }).textContent();
    const link = page.url();

    const other = await browser.newPage();
    await other.goto(link);
    await other.getByRole('region', { name: 'Rollout', exact: true }).getByRole('heading', { name: title! }).waitFor();
    await expect(other.locator('.rollout[aria-pressed=true]').count()).resolves.toBe(1);
    await other.getByRole('button', { name: 'Charts' }).click();
    await expect(other.getByRole('button', { name: 'Whole run' }).isEnabled()).resolves.toBe(true);
    await expect(other.getByRole('checkbox', { checked: true }).count()).resolves.toBe(1);
    await other.close();

    for (const gone of [detail, page.locator('.list')]) {
      await page.goBack();
      await gone.waitFor({ state: 'detached' });
    }
    await page.getByRole('button', { name: 'Whole run' }).waitFor();
    await page.goBack();
    await page.waitForURL(({ hash }) => !hash.includes('to='));

    await open();
    await page.waitForURL(({ hash }) => hash.includes(one) && hash.includes(two));
    await open(`#runs=${one}|nowhere&view=rollouts&run=elsewhere`);
    await page.getByText('There is no run nowhere in this folder').waitFor();
    await page.getByText('There is no run elsewhere in this folder').waitFor();
  });

  test('two runs are compared: curves, zoom by keys, and the keys of their configs that differ', async () => {
    const first = await finished('left', 6, 1);
    const second = await finished('right', 6, 9);
    await open(`#runs=${basename(first)}|${basename(second)}`);
    await chart('reward').locator('.legend .name').nth(1).waitFor();
    await page.getByRole('radio', { name: 'Tokens' }).check();
    await page.getByRole('radio', { name: 'Step' }).check();
    await chart('reward').focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction("document.activeElement?.getAttribute('aria-label')?.includes('step 1:')");
    await page.keyboard.press('+');
    await page.getByRole('button', { name: 'Whole run' }).click();
    await page.getByRole('button', { name: 'Config' }).click();
    await page.getByRole('rowheader', { name: 'optimizer.learningRate' }).waitFor();
    await expect(page.getByRole('rowheader').allTextContents()).resolves.toEqual(
      expect.arrayContaining(['name', 'optimizer.learningRate', 'seed']),
    );
    await expect(page.getByRole('rowheader', { name: 'steps' }).count()).resolves.toBe(0);
  });

  test('torn lines, missing files and hostile text show cleanly', async () => {
    const folder = await finished('strange', 3);
    const file = join(folder, 'rollouts', 'step-000003.jsonl');
    const [line] = readFileSync(file, 'utf8').split('\n');
    const row = {
      ...(JSON.parse(line) as object),
      completion: hostile,
      reason: hostile,
      id: hostile,
      tokenLengths: 'x',
      parts: [hostile, 7],
    };
    appendFileSync(file, `${JSON.stringify(row)}\n{"step":3,"completion":"to`);
    appendFileSync(join(folder, 'metrics.jsonl'), '{"step":4,"rewardMean":\nnull\n{"step":5,"rew');
    writeFileSync(
      join(folder, 'events.jsonl'),
      `{"type":"warning","message":${JSON.stringify(hostile)},"step":"x"}\n{`,
    );
    mkdirSync(join(runs, 'broken'));
    writeFileSync(join(runs, 'broken', 'config.resolved.yaml'), `"${hostile}: [`);
    await open(`#runs=${basename(folder)}|broken`);
    await page.getByText('2 lines of the metrics could not be read').waitFor();
    await page.getByText('config.resolved.yaml is not YAML').first().waitFor();
    await page.getByRole('button', { name: 'Rollouts' }).click();
    await page.getByRole('combobox', { name: /^Run/ }).selectOption(basename(folder));
    await page.getByText('1 lines could not be read').waitFor();
    await page.locator('.rollout', { hasText: 'onerror' }).first().click();
    await page.getByLabel('Text').fill('img src=x onerror');
    await page.getByLabel('Text').press('Tab');
    await page.locator('.detail pre.prompt').waitFor();
    for (const view of ['Events', 'Config', 'Charts']) await page.getByRole('button', { name: view }).click();
    await chart('reward').waitFor();
  });

  test('a narrow page does not scroll sideways, and its parts have names', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    for (const view of ['charts', 'rollouts', 'events', 'config']) {
      await open(`#view=${view}`);
      await page.getByRole('main', { name: new RegExp(view, 'i') }).waitFor();
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      expect(width).toBeLessThanOrEqual(390);
      const names = await page.locator('button:visible').allTextContents();
      expect(names).not.toContain('');
    }
  });
});
