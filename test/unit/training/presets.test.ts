/** Presets and the recipes that are made of them. */
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { loadTemplate } from '../../../src/data/template';
import type { TrainConfig, TrainConfigInput } from '../../../src/training/config';
import { checkGroups, configAdvice } from '../../../src/training/config-advice';
import { parseYaml, readYamlFile, resolveConfig } from '../../../src/training/load-config';
import { loadInputs } from '../../../src/training/open-run';
import { presetNames } from '../../../src/training/presets';

const resolve = (config: Record<string, unknown>): TrainConfig =>
  resolveConfig({ model: '/m', data: { train: '/d.jsonl' }, ...config });

describe('presets', () => {
  test('are one word', () => {
    expect(resolve({ preset: 'tinyzero', data: {} })).toMatchObject({
      data: { train: [{ source: 'countdown' }], template: 'countdown' },
      reward: { name: 'countdown', correct: 1, wrongAnswer: 0.1, wrongFormat: 0 },
      kl: { initCoefficient: 0.001 },
    });
    expect(resolve({ preset: 'simplerl' })).toMatchObject({
      algorithm: { name: 'grpo' },
      data: { template: 'qwen-boxed' },
      reward: { name: 'math', format: 'any', correct: 1, wrongAnswer: 0, wrongFormat: 0 },
      kl: { initCoefficient: 0, lossCoefficient: 1e-4, lossEstimator: 'k3' },
    });
    expect(resolve({ preset: 'seed' })).toMatchObject({
      algorithm: { name: 'reinforce' },
      reward: { name: 'math', format: 'boxed', correct: 1, wrongAnswer: -0.5, wrongFormat: -1 },
      kl: { initCoefficient: 0, lossCoefficient: 0, measure: false },
    });
  });

  test('explicit keys come first, one by one', () => {
    const config = resolve({
      preset: 'seed',
      data: { train: '/d.jsonl', template: 'simple' },
      reward: { wrongAnswer: 0 },
      kl: { initCoefficient: 0.1 },
      rollout: { stopStrings: [] },
    });
    expect(config.data.template).toBe('simple');
    expect(config.reward).toEqual({
      name: 'math',
      format: 'boxed',
      correct: 1,
      wrongAnswer: 0,
      wrongFormat: -1,
      weight: 1,
    });
    expect(config.kl).toMatchObject({ initCoefficient: 0.1, lossCoefficient: 0 });
    expect(config.rollout).toMatchObject({ temperature: 1, stopStrings: [] });
  });

  test('a key of another framework counts as explicit', () => {
    expect(resolve({ preset: 'tinyzero', init_kl_coef: 0 }).kl.initCoefficient).toBe(0);
  });

  test('another reward replaces that of the preset', () => {
    expect(resolve({ preset: 'tinyzero', reward: { name: 'format', wrong: -1 } }).reward).toEqual({
      name: 'format',
      style: 'boxed',
      right: 1,
      wrong: -1,
      weight: 1,
    });
    expect(resolve({ preset: 'seed', reward: './r.mjs' }).reward).toMatchObject({ name: 'custom' });
    expect(resolve({ preset: 'seed', reward: ['math', { name: 'length', buffer: 10 }] }).reward).toHaveLength(2);
  });

  test('an unknown one is named, with the nearest', () => {
    expect(() => resolve({ preset: 'tinyzer0' })).toThrow(
      'Expected one of "tinyzero", "simplerl", "seed" for preset but received "tinyzer0" of type string (did you mean "tinyzero"?)',
    );
  });

  test.each(presetNames)('the resolved config of %s shows everything and reads back to itself', (preset) => {
    const config = resolve({ preset });
    expect(resolveConfig(parseYaml(stringify(config), 'resolved') as TrainConfigInput)).toEqual(config);
  });

  test.each(presetNames)('the template of %s makes a prompt without a chat template', async (preset) => {
    const template = await loadTemplate(resolve({ preset }).data.template);
    expect(template({ id: '1', problem: 'What is 1+1?', answer: '2' })).toContain('What is 1+1?');
  });
});

describe('recipes', () => {
  const folder = join(__dirname, '..', '..', '..', 'recipes');
  const names = readdirSync(folder).sort();
  const saved = { ...process.env };
  afterEach(() => (process.env = { ...saved }));

  test('are those of the documentation', () => {
    expect(names).toEqual(['demo.yaml', 'ppo.yaml', 'seed-7b.yaml', 'simplerl-0.5b.yaml', 'tinyzero-0.5b.yaml']);
  });

  const bundled = ['demo.yaml', 'ppo.yaml'];

  test.each(names)('%s is a valid config without warnings', (name) => {
    const hints: string[] = [];
    const config = resolveConfig(readYamlFile(join(folder, name)) as TrainConfigInput, name, (hint) =>
      hints.push(hint),
    );
    expect(config.name).toBe(name.replace('.yaml', ''));
    expect(config.dtype).toBe(bundled.includes(name) ? 'float32' : 'bfloat16');
    expect([...hints, ...configAdvice(config)]).toEqual([]);
    expect(() => checkGroups(config)).not.toThrow();
  });

  test.each(names.filter((name) => !bundled.includes(name)))(
    '%s, offline without the model, says what to do',
    async (name) => {
      process.env = { ...saved, HF_HUB_OFFLINE: '1', HF_HOME: mkdtempSync(join(tmpdir(), 'zero-rl-hf-')) };
      const config = resolveConfig(readYamlFile(join(folder, name)) as TrainConfigInput);
      await expect(loadInputs(config, { warn: () => undefined })).rejects.toMatchObject({
        code: 'ERR_ZERO_RL_HUB',
        message: expect.stringMatching(
          /HF_HUB_OFFLINE is set .* the model Qwen\/.*; download it where there is a network/,
        ),
      });
    },
  );

  test('one is found from any folder, as part of the package', () => {
    const before = process.cwd();
    process.chdir(tmpdir());
    try {
      expect(readYamlFile('recipes/demo.yaml')).toMatchObject({ name: 'demo' });
    } finally {
      process.chdir(before);
    }
  });
});
