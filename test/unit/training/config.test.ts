import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTemplate } from '../../../src/data/template';
import { learningRate, needsReference, type TrainConfigInput } from '../../../src/training/config';
import { applyAssignments, parseYaml, readYamlFile, resolveConfig } from '../../../src/training/load-config';

const minimal = { model: '/m', data: { train: 'arithmetic' } };
const failure = (input: unknown): string => {
  try {
    resolveConfig(input as TrainConfigInput, 'run.yaml');
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_ZERO_RL_CONFIG' });
    return (error as Error).message;
  }
  throw new Error('the config was accepted');
};

test('defaults are those of the zero-RL experiments', () => {
  const config = resolveConfig(minimal);
  expect(config).toMatchObject({
    algorithm: { name: 'rloo', numerics: 'default' },
    kl: { initCoefficient: 0, measure: false },
    rollout: { promptsPerStep: 32, samplesPerPrompt: 8, temperature: 1 },
    optimizer: { betas: [0.9, 0.95], aggregation: 'token-mean', objective: 'reinforce', maxGradNorm: 1 },
    reward: { name: 'math', format: 'boxed', correct: 1, wrongAnswer: -0.5, wrongFormat: -1 },
  });
  expect(needsReference(config)).toBe(false);
});

test('the reference is needed for any KL', () => {
  for (const kl of [{ initCoefficient: 0.1 }, { lossCoefficient: 0.1 }, { measure: true }]) {
    expect(needsReference(resolveConfig({ ...minimal, kl }))).toBe(true);
  }
});

test.each([
  [
    { ...minimal, kl: { initCoeficient: 0.1 } },
    'Unknown key "kl.initCoeficient" (did you mean "kl.initCoefficient"?) in run.yaml',
  ],
  [{ ...minimal, stepz: 3 }, 'Unknown key "stepz" (did you mean "steps"?)'],
  [{ ...minimal, learningRate: 1 }, 'Unknown key "learningRate" (did you mean "optimizer.learningRate"?)'],
  [{ ...minimal, rollout: { samples_per_prompt: 1 } }, '(did you mean "rollout.samplesPerPrompt"?)'],
  [
    { ...minimal, optimizer: { clip: { hihg: 1 } } },
    'Unknown key "optimizer.clip.hihg" (did you mean "optimizer.clip.high"?)',
  ],
  [{ ...minimal, reward: { name: 'math', corect: 1 } }, 'Unknown key "reward.corect"'],
  [
    { ...minimal, reward: 'maths' },
    'Expected one of math, format, countdown, length, by-source or ./my.mjs#name for reward but received "maths" of type string (did you mean "math"?) in run.yaml',
  ],
  [
    { ...minimal, reward: { name: 'maths' } },
    'for reward.name but received "maths" of type string (did you mean "math"?)',
  ],
  [
    { ...minimal, reward: ['math', 'frmat'] },
    'for reward.1 but received "frmat" of type string (did you mean "format"?)',
  ],
  [{ ...minimal, reward: {} }, 'for reward.name but received undefined'],
  [{ ...minimal, reward: 5 }, 'Expected array or object for reward but received 5'],
  [{ ...minimal, data: { train: 5 } }, 'Expected string or object or array for data.train but received 5'],
  [{ ...minimal, kl: 0.1 }, 'Expected object for kl but received 0.1 of type number'],
  [{ ...minimal, reward: { name: 'math', format: 'xml' } }, 'for reward.format but received "xml"'],
  [{ ...minimal, reward: { name: 'custom', code: './r.mjs', timeoutSeconds: 0 } }, 'for reward.timeoutSeconds'],
  [{ ...minimal, steps: 'many' }, 'Expected number for steps but received "many" of type string'],
  [{ ...minimal, steps: 0 }, 'Expected a value of at least 1 for steps but received 0 of type number'],
  [{ ...minimal, steps: NaN }, 'for steps but received NaN of type number'],
  [
    { ...minimal, dtype: 'float16' },
    'Expected one of "float32", "bfloat16" for dtype but received "float16" of type string',
  ],
  [
    { ...minimal, algorithm: { name: 'grpoo' } },
    'pass-at-k, ppo or ./my.mjs#name for algorithm.name but received "grpoo"',
  ],
  [{ ...minimal, kl: { lossEstimator: 'k1' } }, 'k1 belongs in the reward) for kl.lossEstimator but received "k1"'],
  [{ ...minimal, kl: { lossEstimator: 'k4' } }, 'Expected one of "k2", "k3" for kl.lossEstimator'],
  [{ ...minimal, kl: { target: 1 } }, 'kl.initCoefficient and kl.lossCoefficient are both 0) for kl.target'],
  [{ ...minimal, optimizer: { entropy: { target: 1 } } }, 'for optimizer.entropy.coefficient'],
  [{ ...minimal, optimizer: { clip: { low: 2 } } }, 'Expected a value of at most 1 for optimizer.clip.low'],
  [
    { ...minimal, critic: { kind: 'trunk', model: 'm' } },
    'critic.kind trunk has no network of its own) for critic.model',
  ],
  [{ ...minimal, critic: { learningrate: 1 } }, '(did you mean "critic.learningRate"?)'],
  [{ data: { train: 'arithmetic' } }, 'model is missing'],
  [{ ...minimal, data: {} }, 'data.train'],
  [{ ...minimal, data: { train: { source: 'a.jsonl', problemkey: 'q' } } }, '(did you mean "data.train.problemKey"?)'],
  [
    { ...minimal, data: { train: [{ source: 'a.jsonl', weight: 1 }, 'b.jsonl'] } },
    'a weight for every source or for none',
  ],
  [{ ...minimal, data: { train: { source: 'a.jsonl', weight: 0 } } }, 'Expected a value above 0 for data.train.weight'],
  [{ ...minimal, data: { train: 'x', leakage: { action: 'delete' } } }, 'one of "warn", "remove", "error", "off"'],
  [{ ...minimal, data: { train: 'x', difficulty: { minPassRate: 0.9, maxPassRate: 0.1 } } }, 'at least minPassRate'],
  [{ ...minimal, data: { train: 'x', difficulty: { passRate: 0.9 } } }, 'Unknown key "data.difficulty.passRate"'],
  [{ ...minimal, data: { train: 'x', countdown: { minNumbers: 5 } } }, 'at least minNumbers'],
  [{ ...minimal, data: { train: 'x', countdwon: {} } }, '(did you mean "data.countdown"?)'],
  [
    { ...minimal, data: { train: ['b', { source: 'a.jsonl', wieght: 2 }] } },
    'Unknown key "data.train.1.wieght" (did you mean "data.train.weight"?)',
  ],
  [{ ...minimal, reward: [{ name: 'math', wrongAnser: 0 }] }, '(did you mean "reward.wrongAnswer"?)'],
  [{ ...minimal, reward: { name: 'length' } }, 'reward.buffer is missing'],
  [
    { ...minimal, rollout: { promptsPerStep: 4 }, optimizer: { minibatches: 8 } },
    'Expected at most rollout.promptsPerStep (a minibatch holds whole groups) for optimizer.minibatches but received 8',
  ],
  [
    { ...minimal, rollout: { promptsPerStep: 4 }, critic: { minibatches: 8 } },
    'Expected at most rollout.promptsPerStep (a minibatch holds whole groups) for critic.minibatches but received 8',
  ],
  [
    { ...minimal, rollout: { lengthPenalty: { buffer: 64, factor: 0.5 } } },
    'rollout.lengthPenalty.buffer is a reward now; add { name: length, buffer: 64, penalty: -0.5 } to the list under reward',
  ],
  [
    { ...minimal, rollout: { samplesPerPrompt: 1, dynamicSampling: { rounds: 2 } } },
    'Expected 0 (the reward of one sample per prompt has no spread) for rollout.dynamicSampling.rounds but received 2',
  ],
  [
    { ...minimal, checkpoint: { every: 0 }, watchdog: { kl: { action: 'rollback' } } },
    'set checkpoint.every) for watchdog.kl.action but received "rollback"',
  ],
  [
    { ...minimal, checkpoint: { every: 2 }, watchdog: { entropy: { action: 'rollback' } } },
    'checkpoint.keep has to be at least 3) for watchdog.entropy.action',
  ],
  [
    {
      ...minimal,
      checkpoint: { best: 'accuracy' },
      evaluation: { every: 1 },
      watchdog: { kl: { action: 'rollback' } },
    },
    'checkpoint.keep has to be at least 3) for watchdog.kl.action',
  ],
  [{ ...minimal, preset: 'seeds' }, '(did you mean "seed"?)'],
  [[1], 'Expected a mapping of keys'],
])('%j is one sentence', (input, message) => {
  expect(failure(input)).toContain(message);
});

test('rules may go back where a checkpoint from before their steps is kept', () => {
  const rollback = { action: 'rollback' as const };
  const checks = [
    { watchdog: { entropy: rollback } },
    { checkpoint: { every: 2, keep: 3 }, watchdog: { entropy: rollback } },
    { checkpoint: { every: 0 }, watchdog: { entropy: { ...rollback, limit: null } } },
  ];
  for (const changes of checks) expect(() => resolveConfig({ ...minimal, ...changes })).not.toThrow();
});

test('a length penalty that was off, as older runs wrote it, is taken out', () => {
  const rollout = { lengthPenalty: { buffer: 0, factor: 1, stopProperly: -1 } } as TrainConfigInput['rollout'];
  expect(resolveConfig({ ...minimal, rollout }).rollout.lengthPenalty).toEqual({ stopProperly: -1 });
});

describe('init_kl_coef of OpenRLHF', () => {
  test.each([[{ init_kl_coef: 0.5 }], [{ kl: { init_kl_coef: 0.5 } }], [{ algo: { kl: { init_coef: 0.5 } } }]])(
    '%j is taken with a hint',
    (extra) => {
      const hints: string[] = [];
      const input = { ...minimal, ...extra };
      const config = resolveConfig(input as TrainConfigInput, 'x', (hint) => hints.push(hint));
      expect(config.kl.initCoefficient).toBe(0.5);
      expect(hints).toEqual([expect.stringContaining('kl.initCoefficient')]);
      expect(input).toHaveProperty(Object.keys(extra)[0]);
    },
  );

  test('both spellings at once are refused', () => {
    expect(failure({ ...minimal, init_kl_coef: 0.5, kl: { initCoefficient: 0 } })).toContain('Both "init_kl_coef" and');
  });
});

describe('files and assignments', () => {
  test('--set reads its value as YAML and makes missing sections', () => {
    const changed = applyAssignments({ a: { b: 1 } }, ['a.b=2', 'c.d=[1, x]', 'e=true', 'f=', 'g=a=b']);
    expect(changed).toEqual({ a: { b: 2 }, c: { d: [1, 'x'] }, e: true, f: null, g: 'a=b' });
  });

  test.each(['steps', '=3', 'a..b=1'])('--set %s is refused', (assignment) => {
    expect(() => applyAssignments({}, [assignment])).toThrow('Expected key=value for --set');
  });

  test('a key that every object inherits from is refused as unknown and reaches no other object', async () => {
    for (const key of ['__proto__', 'kl.__proto__', 'constructor.prototype', 'toString'])
      expect(failure(applyAssignments(minimal, [`${key}.polluted=1`]))).toContain('Unknown key');
    for (const yaml of ['__proto__: { polluted: 1, steps: 7 }', 'preset: seed\n__proto__: { steps: 7 }'])
      expect(failure({ ...minimal, ...parseYaml(yaml, 'run.yaml') })).toContain('Unknown key "__proto__"');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    await expect(loadTemplate('constructor')).rejects.toThrow('Expected');
  });

  test('broken YAML names file and line', () => {
    expect(() => parseYaml('a: [1\nb: 2', 'run.yaml')).toThrow(/run\.yaml is not valid YAML: .*line 2/);
    expect(() => parseYaml('- 1', 'run.yaml')).toThrow('it holds a list');
    expect(() => readYamlFile('/nowhere.yaml')).toThrow('Cannot read the config /nowhere.yaml (ENOENT)');
  });

  test('a written resolved config reads back to itself', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'zero-rl-')), 'config.json');
    const config = resolveConfig({ ...minimal, reward: ['math', { name: 'format', weight: 0.5 }] });
    writeFileSync(file, JSON.stringify(config));
    expect(resolveConfig(readYamlFile(file) as TrainConfigInput)).toEqual(config);
    expect(readFileSync(file, 'utf8')).toContain('"weight":0.5');
  });

  test('sources are written out, models and datasets of the hub keep their ids', () => {
    const config = resolveConfig({
      model: 'org/model@v1',
      referenceModel: 'hf:gpt2',
      data: {
        train: ['countdown', 'org/data', { source: './rows.jsonl', answerKey: 'a' }],
        evaluation: 'data/rows.parquet',
      },
    });
    expect(config).toMatchObject({ model: 'org/model@v1', referenceModel: 'hf:gpt2' });
    expect(config.data.train).toEqual([
      { source: 'countdown' },
      { source: 'org/data' },
      { source: join(process.cwd(), 'rows.jsonl'), answerKey: 'a' },
    ]);
    expect(config.data.evaluation).toEqual([{ source: join(process.cwd(), 'data', 'rows.parquet') }]);
    expect(resolveConfig(config)).toEqual(config);
  });

  test('paths become absolute; shipped ones are found', () => {
    const config = resolveConfig({
      model: 'nowhere',
      data: { train: './rows.jsonl', template: './t.mjs#t' },
      reward: './r.mjs',
    });
    expect(config.model).toBe(join(process.cwd(), 'nowhere'));
    expect(config.data.template).toBe(`${join(process.cwd(), 't.mjs')}#t`);
    expect(config.reward).toEqual({
      name: 'custom',
      code: join(process.cwd(), 'r.mjs'),
      timeoutSeconds: 30,
      weight: 1,
    });
  });
});

test('learning-rate schedules', () => {
  const rates = (optimizer: TrainConfigInput['optimizer'], steps: number): number[] => {
    const config = resolveConfig({ ...minimal, steps, optimizer: { learningRate: 1, ...optimizer } });
    return Array.from({ length: steps }, (_, i) => Math.round(1e4 * learningRate(config, i + 1)) / 1e4);
  };
  expect(rates({}, 3)).toEqual([1, 1, 1]);
  expect(rates({ warmupSteps: 2, schedule: 'linear' }, 6)).toEqual([0.5, 1, 1, 0.75, 0.5, 0.25]);
  expect(rates({ schedule: 'cosine' }, 4)).toEqual([1, 0.8536, 0.5, 0.1464]);
});

test('a warm-up of the critic comes before that of the policy, and the schedule spans what is left', () => {
  const optimizer = { learningRate: 1, warmupSteps: 2, schedule: 'linear' } as const;
  const config = resolveConfig({
    ...minimal,
    ...{ steps: 9, optimizer, critic: { warmupSteps: 3 }, algorithm: { name: 'ppo' } },
  });
  const rates = Array.from({ length: 9 }, (_, i) => learningRate(config, i + 1));
  expect(rates).toEqual([0, 0, 0, 0.5, 1, 1, 0.75, 0.5, 0.25]);
});
