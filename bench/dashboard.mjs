/**
 * How the dashboard bears many figures: 8 runs with a million metric values in all and a run with 200,000 rollouts. Measures in
 * Chromium the time from opening the page to the curves and to the list of rollouts, the longest task of the page's main thread
 * while zooming, and the memory of the server. `node bench/dashboard.mjs` after `npm run build`; writes bench/results/dashboard.json.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('..', import.meta.url));
const RUNS = 8;
const STEPS = 3500;
const STEP_FILES = 800;
const ROLLOUTS_PER_STEP = 250;
const folder = mkdtempSync(join(tmpdir(), 'dashboard-bench-'));

const wave = (step, run) => 1 - Math.exp(-step / 900) + 0.1 * Math.sin(step / (3 + run)) + 0.05 * Math.cos(step * 7.3);

function metricsRow(step, run) {
  const value = wave(step, run);
  const phases = { sample: 1 + value / 9, verify: 0.1, reference: 0.5, critic: 0, step: 2 };
  return {
    step,
    rewardMean: value,
    rewardStd: 0.5,
    accuracy: value / 1.2,
    formatRate: 0.9,
    truncatedRate: 0.02,
    responseLength: 200 + 90 * value,
    entropy: 0.4 / (1 + value),
    klPerToken: value / 100,
    klPerSequence: value,
    loss: -0.01,
    gradNorm: 0.2 + value / 10,
    clipFraction: 0.01,
    logProbDifference: 1e-6,
    learningRate: 1e-6,
    klCoefficient: 0,
    entropyCoefficient: 0,
    applied: true,
    groups: 32,
    usableGroups: 20,
    usableTokens: 9000,
    sampledGroups: 32,
    sampledTokens: 12000,
    repetition: 0.05,
    temperature: 1,
    samples: 256,
    excludedSamples: 0,
    timedOutSamples: 0,
    seconds: { ...phases, total: 3.6 },
    tokensPerSecond: { sample: 9000 + 500 * value, verify: 90000, reference: 30000, step: 8000 },
    memoryMiB: 900,
  };
}

let values = 0;
const count = (row) =>
  Object.values(row).reduce((sum, value) => sum + (typeof value === 'object' ? count(value) : 1), 0);
for (let run = 0; run < RUNS; run++) {
  const path = join(folder, `run-${run}`);
  mkdirSync(join(path, 'rollouts'), { recursive: true });
  writeFileSync(
    join(path, 'config.resolved.yaml'),
    `name: run\nseed: 0\nsteps: ${STEPS}\noptimizer: { learningRate: ${run} }\n`,
  );
  const rows = Array.from({ length: STEPS }, (_, i) => metricsRow(i + 1, run));
  values += rows.reduce((sum, row) => sum + count(row), 0);
  writeFileSync(join(path, 'metrics.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}
const words = 'so we take the first number and add the second one to it, which gives '.repeat(4);
for (let step = 1; step <= STEP_FILES; step++) {
  const rows = Array.from({ length: ROLLOUTS_PER_STEP }, (_, i) => ({
    step,
    id: `train-${step}`,
    uid: Math.floor(i / 8),
    sample: i % 8,
    prompt: `Q: ${step}+${i}=?\nA:`,
    answer: String(step + i),
    completion: ` ${words}\\boxed{${step + i}}`,
    reward: (i * step) % 3 === 0 ? 1 : -0.5,
    reason: 'equal',
    correct: (i * step) % 3 === 0,
    formatted: true,
    advantage: 0.3,
    length: 40 + (i % 90),
    finishReason: i % 50 === 0 ? 'length' : 'stop',
  }));
  const name = `step-${String(step).padStart(6, '0')}.jsonl`;
  writeFileSync(join(folder, 'run-0', 'rollouts', name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

const server = spawn(process.execPath, [join(root, 'dist/cli/main.js'), 'dashboard', folder, '--port', '0', '--json'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const { url } = JSON.parse(await new Promise((done) => server.stdout.once('data', (text) => done(String(text)))));
const peakMiB = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]) / 1024;

const quiet = ['background-networking', 'component-update', 'sync'].map((name) => `--disable-${name}`);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', ...quiet],
});
try {
  const page = await browser.newPage({ viewport: { width: 1360, height: 900 } });
  await page.addInitScript(() => {
    window.tasks = [];
    new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => window.tasks.push(duration))).observe(
      {
        type: 'longtask',
      },
    );
  });
  // Looked for in every frame that the page draws: a locator looks twice a second after its first tries.
  const found = (text) =>
    page.waitForFunction(
      (wanted) =>
        document.querySelector('.found')?.textContent.startsWith(wanted) && document.querySelector('.rollout'),
      text,
      { polling: 'raf' },
    );
  const all = Array.from({ length: RUNS }, (_, run) => `run-${run}`).join('|');
  let start = performance.now();
  await page.goto(`${url}#runs=${all}`);
  await page.waitForFunction(
    (runs) =>
      document.querySelectorAll('[data-chart=usable] .legend .value').length >= runs &&
      document.querySelector('[data-chart=reward] canvas'),
    RUNS,
    { polling: 'raf' },
  );
  const chartsSeconds = (performance.now() - start) / 1000;

  await page.waitForTimeout(1000);
  await page.evaluate(() => (window.tasks.length = 0));
  const box = await page.locator('[data-chart=reward] .u-over').boundingBox();
  const y = box.y + box.height / 2;
  for (let i = 0; i < 6; i++) {
    await page.mouse.move(box.x + box.width * 0.2, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.8, y, { steps: 20 });
    await page.mouse.up();
    await page.waitForTimeout(300);
  }
  await page.locator('[data-chart=reward]').focus();
  for (const key of ['-', '+', '+', 'ArrowRight', 'ArrowRight', '0']) {
    await page.keyboard.press(key);
    await page.waitForTimeout(200);
  }
  const zoomTasks = await page.evaluate(() => window.tasks);

  await page.goto('about:blank');
  start = performance.now();
  await page.goto(`${url}#view=rollouts&run=run-0`);
  await found('200,000 of 200,000');
  const rolloutsSeconds = (performance.now() - start) / 1000;
  start = performance.now();
  await page.getByLabel('Ended by').selectOption('length');
  await found('4,000 of 200,000');
  const filterSeconds = (performance.now() - start) / 1000;

  const result = {
    metricValues: values,
    runs: RUNS,
    rollouts: STEP_FILES * ROLLOUTS_PER_STEP,
    firstOpen: { chartsSeconds, rolloutsSeconds },
    filterSeconds,
    zoom: { tasksOver50ms: zoomTasks.length, longestMs: Math.max(0, ...zoomTasks) },
    serverPeakRssMiB: peakMiB(),
    // More than the processors: other programs ran meanwhile, and times are longer than they would be.
    loadAverage: loadavg()[0],
    processors: `${cpus().length} x ${cpus()[0].model}`,
    node: process.version,
  };
  mkdirSync(join(root, 'bench/results'), { recursive: true });
  writeFileSync(join(root, 'bench/results/dashboard.json'), `${JSON.stringify(result, null, 2)}\n`);
  console.log(JSON.stringify(result, null, 2));
  const { firstOpen, zoom, serverPeakRssMiB } = result;
  const held =
    Math.max(firstOpen.chartsSeconds, firstOpen.rolloutsSeconds) < 2 &&
    zoom.tasksOver50ms === 0 &&
    serverPeakRssMiB < 300;
  process.exitCode = held ? 0 : 1;
} finally {
  await browser.close();
  server.kill();
  rmSync(folder, { recursive: true });
}
