/** What `data` does to a run: mixtures, the difficulty filter, the leakage check, stop tokens. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StepMetrics } from '../../../src/observe/metrics';
import type { TrainConfigInput } from '../../../src/training/config';
import type { DifficultyRow } from '../../../src/training/difficulty';
import { parseYaml } from '../../../src/training/load-config';
import { readRows, type SampleRow } from '../../../src/training/run-folder';
import { train, type TrainOptions } from '../../../src/training/train';
import type { TrainEvent } from '../../../src/training/train-event';
import { BanditPolicy } from '../../support/bandit-policy';

const scratch = mkdtempSync(join(tmpdir(), 'zero-rl-run-data-'));
const file = (name: string, answer: string, count = 8): string => {
  const path = join(scratch, `${name}.jsonl`);
  const rows = Array.from({ length: count }, (_, i) => ({ id: `${name}${i}`, problem: `${name} number ${i}`, answer }));
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'));
  return path;
};
/** The policy answers 3 now and then, 2 sometimes, 7 never. */
const [threes, twos, sevens] = [file('three', '3'), file('two', '2'), file('seven', '7')];
let outputs = 0;

interface Finished {
  steps: StepMetrics[];
  warnings: string[];
  measured: number[];
  folder: string;
  policy: BanditPolicy;
  error: (Error & { code?: string }) | null;
}

async function run(
  data: TrainConfigInput['data'],
  changes: Partial<TrainConfigInput> = {},
  options: TrainOptions = {},
): Promise<Finished> {
  const config: TrainConfigInput = {
    model: scratch,
    data: { evaluation: twos, leakage: { action: 'off' }, ...data },
    rollout: { promptsPerStep: 4, samplesPerPrompt: 4 },
    optimizer: { learningRate: 1e-9 },
    rollouts: { prompts: 100 },
    evaluation: { problems: 2 },
    preview: { prompts: 0 },
    steps: 4,
    output: join(scratch, `runs-${outputs++}`),
    ...changes,
  };
  const policy = new BanditPolicy();
  const finished: Finished = { steps: [], warnings: [], measured: [], folder: '', policy, error: null };
  const onEvent = (event: TrainEvent): void => {
    if (event.type === 'start') finished.folder = event.folder;
    // The report is written by a module that only the built package has.
    if (event.type === 'warning' && !event.message.startsWith('The report was not written'))
      finished.warnings.push(event.message);
    if (event.type === 'difficulty') finished.measured.push(event.measured);
  };
  try {
    for await (const step of train(config, { loadPolicy: () => Promise.resolve(policy), onEvent, ...options }))
      finished.steps.push(step);
  } catch (error) {
    finished.error = error as Error;
  }
  return finished;
}
const idsOf = (folder: string): string[] => {
  const samples = [1, 2, 3, 4].flatMap((step) =>
    readRows<SampleRow>(join(folder, 'rollouts', `step-00000${step}.jsonl`)),
  );
  return samples.filter(({ sample }) => sample === 0).map(({ id }) => id);
};
const difficultyOf = (folder: string): DifficultyRow[] => readRows(join(folder, 'difficulty.jsonl'));

test('a weighted mixture has its shares in the steps of a run', async () => {
  const { folder, error } = await run({
    train: [
      { source: twos, weight: 1 },
      { source: threes, weight: 3 },
    ],
  });
  expect(error).toBeNull();
  const ids = idsOf(folder);
  expect(ids).toHaveLength(16);
  expect(ids.filter((id) => id.startsWith('1/two'))).toHaveLength(4);
  expect(ids.filter((id) => id.startsWith('2/three'))).toHaveLength(12);
});

describe('golds that cannot be read', () => {
  const damaged = ['\\frac{1}{', '\\sqrt[3]{', '3', '\\frac', '\\frac{2}{'];
  const path = join(scratch, 'damaged.jsonl');
  const rows = damaged.map((answer, i) => ({ id: `d${i}`, problem: `Problem ${i}`, answer }));
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'));

  test('are counted, with examples, before the first step', async () => {
    const { warnings, error } = await run({ train: path });
    expect(error).toBeNull();
    const [found] = warnings.filter((message) => message.includes('cannot be read'));
    expect(found).toMatch(/^4 of 5 training answers cannot be read/);
    expect(found).toContain('d0: "\\\\frac{1}{"');
    expect(found).toContain('and 1 more');
  });

  test('do not matter to other rewards', async () => {
    const named = await run({ train: path }, { reward: 'format' });
    expect(named.warnings.join()).not.toContain('cannot be read');
    const given = await run({ train: path }, {}, { reward: ({ index = 0 }) => index });
    expect(given.error).toBeNull();
    expect(given.warnings.join()).not.toContain('cannot be read');
  });

  test('are not spoken of where there are none', async () => {
    const { warnings } = await run({ train: threes });
    expect(warnings.join()).not.toContain('cannot be read');
  });
});

describe('the difficulty filter', () => {
  const difficulty = { minPassRate: 0.01, maxPassRate: 0.99, samples: 32 };

  test('keeps what the model gets right now and then, and writes what it measured', async () => {
    const { folder, error, measured } = await run({ train: [twos, sevens], difficulty });
    expect(error).toBeNull();
    expect(measured).toEqual([4, 8, 12, 16]);
    const rows = difficultyOf(folder);
    expect(rows).toHaveLength(16);
    for (const { id, passRate } of rows) {
      if (id.startsWith('2/seven')) expect(passRate).toBe(0);
      else expect(passRate).toBeGreaterThan(0);
    }
    expect(idsOf(folder).filter((id) => id.startsWith('2/'))).toEqual([]);
    expect(new Set(idsOf(folder).slice(0, 8)).size).toBe(8);
  });

  test('measures no more problems than asked for', async () => {
    const { folder } = await run({ train: twos, difficulty: { ...difficulty, problems: 5 } });
    expect(difficultyOf(folder)).toHaveLength(5);
    expect(new Set(idsOf(folder))).toEqual(new Set(difficultyOf(folder).map(({ id }) => id)));
  });

  test('when nothing is left, the bounds and the mean are named', async () => {
    const { error } = await run({ train: sevens, difficulty });
    expect(error).toMatchObject({
      code: 'ERR_ZERO_RL_DATA',
      message: expect.stringMatching(/^None of 8 problems has a pass rate between 0.01 and 0.99 \(their mean is 0.000/),
    });
  });

  test('a run that is stopped while measuring goes on with what it has', async () => {
    const controller = new AbortController();
    const onEvent = (event: TrainEvent): void => {
      if (event.type === 'difficulty') controller.abort();
    };
    const data = { train: [twos, sevens], difficulty };
    const stopped = await run(data, {}, { signal: controller.signal, onEvent });
    expect(stopped.error).toMatchObject({ code: 'ERR_ZERO_RL_ABORTED' });
    const folder = /resume: (.*)$/.exec(stopped.error?.message ?? '')?.[1] ?? '';
    const before = readFileSync(join(folder, 'difficulty.jsonl'), 'utf8');
    expect(difficultyOf(folder)).toHaveLength(4);

    const resumed = await run(data, {}, { resume: folder });
    expect(resumed.error).toBeNull();
    expect(resumed.measured).toEqual([8, 12, 16]);
    expect(readFileSync(join(folder, 'difficulty.jsonl'), 'utf8').startsWith(before)).toBe(true);
    const whole = await run(data);
    expect(difficultyOf(folder)).toEqual(difficultyOf(whole.folder));
    expect(idsOf(folder)).toEqual(idsOf(whole.folder));
  });
});

describe('the leakage check', () => {
  test('warns by default, and lists the rows in the run folder', async () => {
    const { folder, warnings, error } = await run({ train: [twos, threes], leakage: {} });
    expect(error).toBeNull();
    expect(warnings).toEqual([
      '2 of 16 training problems are held-out problems too (1/two0 is held-out two0; 1/two1 is held-out two1); data.leakage.action: remove leaves them out',
    ]);
    expect(readRows(join(folder, 'leakage.jsonl'))).toEqual([
      expect.objectContaining({ train: '1/two0', heldOut: 'two0', kind: 'same', heldOutText: 'two number 0' }),
      expect.objectContaining({ train: '1/two1' }),
    ]);
  });

  test('removes them where asked to', async () => {
    const { folder, warnings } = await run({ train: twos, leakage: { action: 'remove' } });
    expect(warnings).toEqual([expect.stringContaining('they are left out of training')]);
    expect(new Set(idsOf(folder)).size).toBe(6);
    expect(idsOf(folder)).not.toContain('two0');
  });

  test('ends the run where asked to, before it has a folder', async () => {
    const { error, folder } = await run({ train: twos, leakage: { action: 'error' } });
    expect(error).toMatchObject({ code: 'ERR_ZERO_RL_DATA', message: expect.stringContaining('clean the data') });
    expect(folder).toBe('');
    const all = await run({ train: twos, leakage: { action: 'remove' } }, { evaluation: { problems: 100 } });
    expect(all.error).toMatchObject({ code: 'ERR_ZERO_RL_DATA' });
  });

  test('finds nothing between sets that share nothing', async () => {
    const { folder, warnings } = await run({ train: threes, leakage: {} });
    expect(warnings).toEqual([]);
    expect(existsSync(join(folder, 'leakage.jsonl'))).toBe(false);
  });
});

test('held-out problems of several sources are taken evenly', async () => {
  const { folder } = await run({ train: threes, evaluation: [twos, sevens] }, { evaluation: { problems: 4 } });
  const ids = readRows<SampleRow>(join(folder, 'evaluations', 'step-000000.jsonl')).map(({ id }) => id);
  expect(ids).toEqual(['1/two0', '1/two1', '2/seven0', '2/seven1']);
});

test('with weights, by these as long as a source has any left', async () => {
  const evaluation = [
    { source: twos, weight: 3 },
    { source: sevens, weight: 1 },
  ];
  const { folder } = await run({ train: threes, evaluation }, { evaluation: { problems: 4 } });
  const ids = readRows<SampleRow>(join(folder, 'evaluations', 'step-000000.jsonl')).map(({ id }) => id);
  expect(ids).toEqual(['1/two0', '1/two1', '1/two2', '2/seven0']);
});

describe('stop tokens', () => {
  const rollout = { promptsPerStep: 4, samplesPerPrompt: 4 };

  test('are resolved to ids, which sampling, evaluation and the resolved config have', async () => {
    const { folder, policy, error } = await run({ train: threes }, { rollout: { ...rollout, stopTokens: ['A', 7] } });
    expect(error).toBeNull();
    expect(policy.sampleCalls.every(({ options }) => options.stopTokens?.join() === '65,7')).toBe(true);
    const resolved = parseYaml(readFileSync(join(folder, 'config.resolved.yaml'), 'utf8'), 'config');
    expect(resolved.rollout).toMatchObject({ stopTokens: [65, 7] });
  });

  test('a text of several tokens is refused', async () => {
    const { error } = await run({ train: threes }, { rollout: { ...rollout, stopTokens: ['AB'] } });
    expect(error).toMatchObject({
      code: 'ERR_ZERO_RL_CONFIG',
      message: expect.stringContaining(
        '"AB" is 2 tokens of this model; give one token, or put it in rollout.stopStrings',
      ),
    });
  });
});

test('groups without a spread are drawn anew from a mixture', async () => {
  const { steps, error, policy } = await run(
    {
      train: [
        { source: sevens, weight: 3 },
        { source: threes, weight: 1 },
      ],
    },
    {
      rollout: { promptsPerStep: 4, samplesPerPrompt: 4, dynamicSampling: { rounds: 2 } },
      steps: 2,
    },
    { reward: () => 0 },
  );
  expect(error).toBeNull();
  expect(steps).toHaveLength(2);
  // No reward differs, so every step samples its prompts and two rounds of others.
  expect(policy.sampleCalls.filter(({ prompts }) => prompts === 4)).toHaveLength(6);
});

test('earlier turns of conversations are kept for templates of one’s own, and said once where no template takes them in', async () => {
  const chats = join(scratch, 'chats.jsonl');
  const prompt = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: '1 + 1?' },
  ];
  writeFileSync(chats, [1, 2].map((id) => JSON.stringify({ id, prompt, answer: '2' })).join('\n'));
  const told = await run({ train: chats });
  expect(told.error).toBeNull();
  expect(told.warnings).toEqual([
    expect.stringMatching(
      /^2 of 2 training problems have messages of system before .*data\.template leaves them out \("chat" keeps them\)$/,
    ),
  ]);
  const template = join(scratch, 'chat.mjs');
  writeFileSync(
    template,
    'export default ({ problem, messages = [{ content: problem }] }) => messages.map(({ content }) => content).join("|");',
  );
  const own = await run({ train: chats, template });
  expect(own.error).toBeNull();
  expect(own.warnings).toEqual([]);
  const [row] = readRows<SampleRow>(join(own.folder, 'rollouts', 'step-000001.jsonl'));
  expect(row.prompt).toBe('Be brief.|1 + 1?');
});
