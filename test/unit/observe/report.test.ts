import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chartSheet, lineChart, smooth, spreadLabels } from '../../../src/observe/chart';
import { renderReport as renderViews, writeReport } from '../../../src/observe/report';
import { choosePairs } from '../../../src/observe/report-samples';
import { readRun } from '../../../src/observe/run-view';
import { escapeHtml, formatNumber, formatPercent, formatSeconds } from '../../../src/observe/svg';
import { resolveConfig } from '../../../src/training/load-config';
import { RunFolder, type SampleRow } from '../../../src/training/run-folder';
import { stepMetrics } from '../../../src/observe/metrics';

const scratch = mkdtempSync(join(tmpdir(), 'zero-rl-report-'));
const hostile = '</pre><script>alert(1)</script><img src="//evil.example/x" onerror=\'x\'>\u0000\u001b[31m &amp;';

function sampleRow(step: number, uid: number, correct: boolean, completion = 'text'): SampleRow {
  const rest = { sample: 0, prompt: `prompt ${uid}`, answer: '2', reward: 1, reason: 'equal', formatted: true };
  return { step, id: `p${uid}`, uid, completion, correct, ...rest, length: 3, finishReason: 'stop' };
}

function evaluation(accuracy: number) {
  const interval: [number, number] = [accuracy - 0.04, accuracy + 0.04];
  const rest = { formatRate: 0.7, responseLength: 20, truncatedRate: 0, rewardMean: 0, seconds: 1 };
  return { problems: 500, samples: 1, accuracy, interval, passAtK: [], majorityAtK: [], ...rest };
}

async function makeRun(steps: number, kl: boolean, changes: object = {}): Promise<RunFolder> {
  const config = resolveConfig({
    model: scratch,
    data: { train: 'arithmetic' },
    steps,
    output: join(scratch, 'runs'),
    name: 'a.b',
    ...changes,
  });
  const folder = await RunFolder.create(config);
  await folder.appendMetrics({ step: 0, evaluation: evaluation(0.33) });
  for (let step = 1; step <= steps; step++) {
    const metrics = stepMetrics({
      step,
      samples: [],
      kl: kl ? [Float32Array.of(0.1)] : null,
      stats: {
        loss: 0,
        gradNorm: step === 2 ? NaN : 1 / step,
        entropy: 0.5,
        kl: 0,
        logProbDifference: 0,
        clipFraction: 0,
        tokens: 10,
        measuredTokens: 10,
        totalTokens: 20,
        microBatches: 1,
        applied: true,
        optimizerSteps: 1,
        seconds: 1,
      },
      learningRate: 1e-4,
      temperature: 1,
      sampled: { groups: 0, tokens: 0 },
      critic: null,
      klCoefficient: 0,
      entropyCoefficient: 0,
      seconds: { sample: 1, verify: 0.01, reference: 0, critic: 0, step: 2 },
      total: 3.1,
    });
    if (step === steps) metrics.evaluation = evaluation(0.95);
    await folder.appendMetrics(metrics);
  }
  await folder.writeEvaluation(0, [sampleRow(0, 1, false, hostile), sampleRow(0, 2, true)]);
  await folder.writeEvaluation(steps, [sampleRow(steps, 1, true, 'now \\boxed{2}'), sampleRow(steps, 2, true)]);
  return folder;
}

const renderReport = async (...runs: RunFolder[]): Promise<string> =>
  renderViews(await Promise.all(runs.map(({ path }) => readRun(path))));

describe('report', () => {
  test('hostile completions are text, and the page asks for nothing', async () => {
    const page = await renderReport(await makeRun(30, true));
    expect(page).toContain('&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).not.toMatch(/<script|<img|<link|onerror='|@import|url\(/);
    expect(page).not.toMatch(/<[^>]*\s(?:src|href)=/);
    expect(page).not.toContain('\u0000');
    expect(page.replaceAll('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:/);
  });

  test('shows the outcome, the formula and the change', async () => {
    const folder = await makeRun(30, true);
    const file = await writeReport(folder.path);
    const page = readFileSync(file, 'utf8');
    expect(page).toContain('33.0 % <small>[29.0, 37.0]</small>');
    expect(page).toContain('95.0 % <small>[91.0, 99.0]</small>');
    expect(page).toContain('A[i,t] = r[i] - mean of r over the other samples');
    expect(page).toContain('KL to the reference');
    expect(page).not.toContain('has not finished');
  });

  test('a run without KL, without steps or torn is still a page', async () => {
    expect(await renderReport(await makeRun(2, false))).not.toContain('KL to the reference');
    const empty = await RunFolder.create(
      resolveConfig({ model: scratch, data: { train: 'arithmetic' }, output: join(scratch, 'empty') }),
    );
    writeFileSync(empty.file('metrics.jsonl'), '{"step":0,"evalu');
    expect(await renderReport(empty)).toContain('This run has not finished.');
  });

  test('several runs: seeds are one line with a band, other settings lines of their own, and what differs is named', async () => {
    const first = await makeRun(12, false, { seed: 1 });
    const second = await makeRun(12, false, { seed: 2 });
    const third = await makeRun(8, true, { seed: 1, kl: { initCoefficient: 0.1 } });
    const page = await renderReport(first, second, third);
    expect(page).toContain('3 runs compared');
    expect(page).toContain('2 configs');
    const reward = /<svg[^>]*aria-label="Reward"[^]*?<\/svg>/.exec(page)?.[0] ?? '';
    expect(reward.match(/class="line /g)).toHaveLength(2);
    expect(reward.match(/class="band /g)).toHaveLength(1);
    expect(page).toMatch(/<th>kl.initCoefficient<\/th><td>0<\/td><td>0<\/td><td>0.1<\/td>/);
    expect(page).toMatch(/<th>seed<\/th><td>1<\/td><td>2<\/td><td>1<\/td>/);
  });

  test('damage is said and left out, and hostile figures are no markup', async () => {
    const folder = await makeRun(6, true);
    const metrics = folder.file('metrics.jsonl');
    const good = readFileSync(metrics, 'utf8');
    writeFileSync(
      metrics,
      `${good}{"torn\n{"step":"<script>"}\n{"step":7,"evaluation":{"accuracy":"<b>"},"rewardMean":"<script>"}\n{"step":8,"rewa`,
    );
    writeFileSync(
      folder.file('rollouts', 'step-000007.jsonl'),
      `{"prompt":5,"completion":${JSON.stringify(hostile)}}\n{`,
    );
    writeFileSync(folder.file('evaluations', 'step-000006.jsonl'), 'no JSON\n');
    mkdirSync(folder.file('watchdog'));
    writeFileSync(
      folder.file('watchdog', 'kl-step-000004.jsonl'),
      `${JSON.stringify(sampleRow(4, 1, false, hostile))}\n`,
    );
    writeFileSync(
      folder.file('events.jsonl'),
      [
        {
          time: '2026-01-02T03:04:05.678Z',
          step: 4,
          type: 'watchdog',
          message: 'KL <b>',
          file: 'watchdog/kl-step-000004.jsonl',
        },
        { time: 5, step: '<b>', type: 'warning', message: hostile, file: '../../../../etc/passwd' },
        { type: 'start', message: 'the run begins' },
      ]
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(''),
    );
    const noted = await renderReport(folder);
    expect(noted).toContain('step 4<small>2026-01-02 03:04:05</small>');
    expect(noted).toMatch(/<summary>KL &lt;b&gt;<\/summary><pre class="prompt">prompt 1/);
    expect(noted).not.toMatch(/<script|<img|<b>|onerror='|the run begins/);
    rmSync(folder.file('events.jsonl'));
    const page = await renderReport(folder);
    expect(page).toContain('metrics.jsonl: line 8 cannot be read and is left out');
    expect(page).toContain('rows without a step are left out');
    expect(page).toContain('alarm of the rule kl');
    expect(page).not.toMatch(/<script|<img|<b>|onerror='|NaN|undefined/);
    rmSync(folder.file('config.resolved.yaml'));
    expect(await renderReport(folder)).toContain('config.resolved.yaml is missing');
  });

  test('a folder that is no run is refused in one sentence', async () => {
    await expect(readRun(scratch)).rejects.toMatchObject({ code: 'ERR_ZERO_RL_DATA', message: /is not a run folder/ });
  });

  test('a long run has no more points than its charts have pixels', async () => {
    const folder = await makeRun(2, false);
    const [, row] = folder.metrics();
    const rows = Array.from({ length: 20_000 }, (_, i) => JSON.stringify({ ...row, step: i + 1 }));
    writeFileSync(folder.file('metrics.jsonl'), `${rows.join('\n')}\n`);
    expect((await renderReport(folder)).length).toBeLessThan(2e6);
  });

  test('pairs put improvements first and keep some of each other kind', () => {
    const start = [0, 1, 2, 3, 4, 5, 6, 7].map((uid) => sampleRow(0, uid, uid >= 6));
    const end = [0, 1, 2, 3, 4, 5, 6, 7].map((uid) => sampleRow(9, uid, uid !== 7 && uid !== 0));
    const pairs = choosePairs(start, end, 4);
    expect(pairs.map(([from, to]) => `${from.uid} ${from.correct}-${to.correct}`)).toEqual([
      '1 false-true',
      '2 false-true',
      '6 true-true',
      '7 true-false',
    ]);
    expect(choosePairs(start, [], 4)).toEqual([]);
  });
});

describe('charts', () => {
  const points = [1, 2, 3, 4].map((x) => ({ x, y: x === 3 ? NaN : x }));

  test('values that are not finite leave no mark', async () => {
    for (const scale of ['linear', 'log'] as const) {
      const svg = await lineChart(
        [{ label: 'a', color: 0, points: [...points, { x: 5, y: Infinity }, { x: 6, y: 0 }] }],
        { title: 't', scale },
      );
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    }
    expect(await lineChart([{ label: 'none', color: 0, points: [] }], { title: 'empty', scale: 'log' })).not.toMatch(
      /NaN/,
    );
  });

  test('labels keep their distance and their order', () => {
    const placed = spreadLabels([100, 101, 102, 20], 103);
    expect(placed[3]).toBe(20);
    expect(placed[1] - placed[0]).toBeGreaterThanOrEqual(13);
    expect(placed[2] - placed[1]).toBeGreaterThanOrEqual(13);
    expect(placed[2]).toBeLessThanOrEqual(103);
  });

  test('smoothing averages over the window and less at the ends', () => {
    const line = [0, 3, 6, 9].map((y, x) => ({ x, y }));
    expect(smooth(line, 1).map(({ y }) => y)).toEqual([1.5, 3, 6, 7.5]);
    expect(smooth(line, 0)).toEqual(line);
  });

  test('a sheet is one file with light and dark colours', async () => {
    const chart = await lineChart([{ label: '<b>', color: 1, points }], { title: '"t"' });
    const sheet = chartSheet([chart, chart], 2, { width: 400, height: 250 }, 'caption');
    expect(sheet).toContain('prefers-color-scheme:dark');
    expect(sheet).toContain('&lt;b&gt;');
    expect(sheet.match(/<svg class="chart" x=/g)).toHaveLength(2);
  });
});

test('numbers for people', () => {
  expect([0, 0.01234, 36.44, 12345, NaN, null, 1e-5].map(formatNumber)).toEqual([
    '0',
    '0.0123',
    '36.4',
    '12,300',
    '–',
    '–',
    '1.0e-5',
  ]);
  expect([0.962, null].map((share) => formatPercent(share))).toEqual(['96.2 %', '–']);
  expect([3.14, 42, 204, 7260].map(formatSeconds)).toEqual(['3.1 s', '42 s', '3 min 24 s', '2 h 1 min']);
  expect(escapeHtml('\n\t<')).toBe('\n\t&lt;');
});
