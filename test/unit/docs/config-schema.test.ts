/** config.schema.json, which editors check configs by, takes what `train` takes: recipes, examples, presets, resolved configs. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv from 'ajv/dist/2020';
import { parse } from 'yaml';
import type { TrainConfigInput } from '../../../src/training/config';
import { resolveConfig } from '../../../src/training/load-config';
import { presetNames } from '../../../src/training/presets';
import { repository } from '../../support/child';

type Config = Record<string, unknown> & { data?: object };

const read = (...name: string[]): string => readFileSync(path.join(repository, ...name), 'utf8');
// Keys that are required where a condition holds lie beside the properties, not in the condition.
const ajv = new Ajv({ allErrors: true, strict: true, strictRequired: false, strictTypes: false });
const validate = ajv.compile(JSON.parse(read('config.schema.json')) as object);
const problems = (config: unknown): string[] => {
  validate(JSON.parse(JSON.stringify(config)));
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
};

const recipes = [
  ...readdirSync(path.join(repository, 'recipes')).map((name) => ['recipes', name]),
  ['configs', 'reproduce.yaml'],
];

test.each(recipes)('%s/%s is valid, before and after it is resolved, and names the schema', (folder, name) => {
  const text = read(folder, name);
  const [, schema] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? [];
  expect(existsSync(path.join(repository, folder, schema))).toBe(true);
  const config = parse(text) as TrainConfigInput;
  expect(problems(config)).toEqual([]);
  expect(problems(resolveConfig(config))).toEqual([]);
});

const documents = ['README.md', ...readdirSync(path.join(repository, 'docs')).map((name) => `docs/${name}`)];
const examples = documents
  .filter((name) => name.endsWith('.md'))
  .flatMap((name) =>
    [...read(name).matchAll(/```yaml\n([^]*?)```/g)].map(([, text], i): [string, number, Config] => [
      name,
      i + 1,
      parse(text) as Config,
    ]),
  )
  // Of other files than configs of training, which have schemas of their own.
  .filter(([, , config]) => !('suites' in config) && !('corpus' in config));

test('examples are found', () => expect(examples.map(([name]) => name)).toContain('README.md'));

test.each(examples)('%s, example %i', (_, __, part) => {
  const config = { model: '/m', ...part, data: { train: 'arithmetic', ...part.data } };
  expect(problems(config)).toEqual([]);
  expect(() => resolveConfig(config as TrainConfigInput)).not.toThrow();
});

const model = '/m';
const data = { train: '/d.jsonl' };

test.each<[string, Config]>([
  ['nothing but what is needed', { model, data }],
  ...presetNames.map((preset): [string, Config] => [`preset ${preset}`, { preset, model, data }]),
  ['a preset with data', { preset: 'tinyzero', model }],
  ['options of the reward of a preset', { preset: 'seed', model, data, reward: { wrongAnswer: 0 } }],
  ['rewards by name, by code and as objects', { model, data, reward: ['math', './r.mjs#f', { name: 'format' }] }],
  ['one reward by name', { model, data, reward: 'countdown' }],
  ['sources as a list', { model, data: { train: ['countdown', { source: 'a/b' }] } }],
  ['an environment by its code', { model, data, environment: './e.mjs#make' }],
  ['an estimator of ones own', { model, data, algorithm: { name: './a.mjs#mine' } }],
  ['a key of another framework', { model, data, init_kl_coef: 0.1, algo: { kl: { init_coef: 0 } } }],
])('%s is valid', (_, config) => {
  const framework = 'init_kl_coef' in config;
  if (!framework) expect(() => resolveConfig(config as unknown as TrainConfigInput)).not.toThrow();
  expect(problems(config)).toEqual([]);
});

test.each<[Config, string]>([
  [{ data }, "must have required property 'model'"],
  [{ model }, "must have required property 'data'"],
  [{ model, data: {} }, "must have required property 'train'"],
  [{ model, preset: 'seed' }, "must have required property 'data'"],
  [{ model, data, reward: { wrongAnswer: 0 } }, "must have required property 'name'"],
  [{ model, data, reward: 'maths' }, '/reward must'],
  [{ model, data, algorithm: { name: 'grpoo' } }, '/algorithm/name must'],
  [{ model, data, kl: { lossEstimator: 'k1' } }, '/kl/lossEstimator must'],
  [{ model, data, optimizer: { lr: 1 } }, 'must NOT have additional properties'],
])('%j is not, as in train', (config, message) => {
  expect(problems(config).join('\n')).toContain(message);
  expect(() => resolveConfig(config as unknown as TrainConfigInput)).toThrow();
});
