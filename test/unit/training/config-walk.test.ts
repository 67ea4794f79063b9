/**
 * Every key of the config changes something: for each the table says a value, what else has to be set for it to matter, and where
 * in the trace of a run the difference shows. A key that the table lacks fails, and so does one that is taken and ignored.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { applyAssignments } from '../../../src/training/load-config';
import type { TrainConfigInput } from '../../../src/training/config';
import { repository } from '../../support/child';
import { at, traceRun, type Trace } from '../../support/run-trace';

const scratch = mkdtempSync(path.join(tmpdir(), 'zero-rl-walk-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const file = (name: string, content: string): string => {
  writeFileSync(path.join(scratch, name), content);
  return path.join(scratch, name);
};
const lines = (rows: object[]): string => rows.map((row) => JSON.stringify(row)).join('\n');
const words = 'a long story of many plain words that two files may share';
const row = (i: number, side: string): object => ({
  id: `${side}${i}`,
  name: `name-${side}${i}`,
  problem: `${side} ${i}`,
  ask: `asked ${side} ${i}`,
  answer: '2',
  gold: '3',
  numbers: [i + 1, 2],
  target: i + 3,
});
const problems = Array.from({ length: 6 }, (_, i) => row(i, 'train'));
const rows = file('rows.jsonl', lines(problems));
const held = file('held.jsonl', lines([row(0, 'held'), row(1, 'held')]));
const other = file('other.jsonl', lines([row(7, 'other'), row(8, 'other')]));
const broken = file('broken.jsonl', lines([...problems, { id: 'no answer', problem: 'x' }]));
const shared = file('shared.jsonl', lines([{ problem: `${words} and then some more of it`, answer: '2' }]));
const sharedHeld = file('shared-held.jsonl', lines([{ problem: `${words} but it ends here`, answer: '2' }]));
const sets = path.join(scratch, 'sets');
mkdirSync(sets);
for (const name of ['train', 'test', 'extra']) writeFileSync(path.join(sets, `${name}.jsonl`), lines([row(0, name)]));
const subsets = path.join(scratch, 'subsets');
mkdirSync(subsets);
for (const name of ['alpha_train', 'beta_train', 'alpha_test', 'beta_test'])
  writeFileSync(path.join(subsets, `${name}.jsonl`), lines([row(0, name)]));
const code = file(
  'code.mjs',
  `export const estimator = ({ rewards, lengths }) => rewards.map((r, i) => Array(lengths[i]).fill(r + 1));
   export const asks = { respond: ({ turns }) => (turns.length < 9 ? ' go on ' : null) };
   export const slow = { respond: () => new Promise((done) => setTimeout(() => done(null), 200)) };
   export const half = ({ index }) => index / 2;
   export const whole = ({ index }) => index * 2;`,
);
const model = path.join(scratch, 'model');
const second = path.join(scratch, 'second');
for (const folder of [model, second]) mkdirSync(folder);

const base: Record<string, unknown> = {
  model,
  data: { train: rows, evaluation: held },
  rollout: { promptsPerStep: 2, samplesPerPrompt: 4 },
  optimizer: { learningRate: 0.5 },
  evaluation: { problems: 2 },
  preview: { prompts: 0 },
  steps: 3,
  threads: 1,
  output: path.join(scratch, 'runs'),
};

interface Witness {
  /** The value that is set, as --set writes it. */
  value: string | number | boolean;
  /** Where the difference shows; see {@link Trace}. */
  shows: string;
  /** What else is set in both runs. */
  beside?: string[];
  /** The watchdog ends both runs. */
  stops?: boolean;
  /** The key as it is set, where it is not the one of the schema. */
  set?: string;
}
/** A key whose effect needs what a trace has not is shown by a test of another file. */
interface Elsewhere {
  file: string;
  test: string;
}

const truncated = ['rollout.truncation=ignore'];
const ppo = ['algorithm.name=ppo'];
const offPolicy = ['optimizer.objective=ppo', 'optimizer.epochs=2'];
const kl = ['kl.initCoefficient=0.1'];
const klLoss = ['kl.lossCoefficient=0.1'];
const entropy = ['optimizer.entropy.coefficient=0.1', 'optimizer.entropy.target=1'];
const ema = ['ema.decay=0.5'];
const arithmetic = ['data={train: arithmetic, count: 30}'];
const countdown = ['data={train: countdown, count: 30}'];
const difficulty = ['data.difficulty={minPassRate: 0, maxPassRate: 1, samples: 3}'];
const episodes = [`environment={code: "${code}#asks"}`];
const leak = [`data={train: ${shared}, evaluation: ${sharedHeld}, leakage: {ngram: 5, overlap: 0.5}}`];
const rewards = 'rollouts';
const prompts = 'prompts';

/** A rule that speaks after the fourth step, once its figure has three to be held against. */
const watched = (rule: string, limit: number): Record<string, Witness> => {
  const beside = ['steps=5', 'kl.measure=true'];
  const set = `watchdog.${rule}`;
  return {
    [`${set}.limit`]: { value: limit, shows: 'warnings', beside: [...beside, `${set}={steps: 1, action: warn}`] },
    [`${set}.steps`]: {
      value: 2,
      shows: 'warnings',
      beside: [...beside, `${set}={limit: ${limit}, steps: 1, action: warn}`],
    },
    [`${set}.action`]: {
      value: rule === 'notFinite' ? 'warn' : 'stop',
      shows: 'error',
      beside: [...beside, `${set}={limit: ${limit}, steps: 1}`],
    },
  };
};

const source = (section: string): Record<string, Witness | Elsewhere> => {
  const beside = section === 'data.train' ? [] : [`data.evaluation={source: ${held}}`];
  const here = section === 'data.train' ? [`data.train={source: ${rows}}`] : beside;
  const mixture = [`${section}=[{source: ${rows}, weight: 1}, {source: ${other}, weight: 1}]`];
  return {
    [section]: { value: other, shows: prompts },
    [`${section}.name`]: {
      value: 'named',
      shows: section === 'data.train' ? rewards : 'held',
      beside: [...here, 'reward={name: by-source, rewards: {named: {name: format, wrong: 9}}, otherwise: format}'],
    },
    [`${section}.source`]: { value: other, shows: prompts, beside: here },
    [`${section}.problemKey`]: { value: 'ask', shows: prompts, beside: here },
    [`${section}.answerKey`]: {
      value: 'gold',
      shows: section === 'data.train' ? rewards : 'held',
      beside: here,
    },
    [`${section}.idKey`]: { value: 'name', shows: section === 'data.train' ? rewards : 'held', beside: here },
    [`${section}.task`]: { value: 'countdown', shows: prompts, beside: here },
    [`${section}.split`]: { value: 'extra', shows: prompts, beside: [`${section}={source: ${sets}}`] },
    [`${section}.files`]: { value: '[extra.jsonl]', shows: prompts, beside: [`${section}={source: ${sets}}`] },
    [`${section}.weight`]: {
      value: `[{source: ${rows}, weight: 9}, {source: ${other}, weight: 1}]`,
      set: section,
      shows: prompts,
      beside: mixture,
    },
    [`${section}.subset`]: {
      value: 'beta',
      shows: prompts,
      beside: [`${section}={source: ${subsets}, subset: alpha}`],
    },
    [`${section}.columns`]: { file: 'test/unit/data/layouts.test.ts', test: 'columns' },
    [`${section}.revision`]: { file: 'test/unit/hub/hub.test.ts', test: 'the revision has moved' },
  };
};

const ofReward = (name: string, beside: string, values: Record<string, string | number>): Record<string, Witness> =>
  Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      `reward(${name}).${key}`,
      { value, set: `reward.${key}`, shows: rewards, beside: [`reward={name: ${name}${beside}}`] },
    ]),
  );

const witnesses: Record<string, Witness | Elsewhere> = {
  preset: { value: 'seed', shows: 'sample.0.options.stopStrings' },
  name: { value: 'other', shows: 'folder' },
  model: { value: second, shows: 'load.0.directory' },
  referenceModel: { value: second, shows: 'load.1.directory', beside: ['kl.measure=true'] },
  device: { value: 'cpu', shows: 'load.0.options.device' },
  dtype: { value: 'bfloat16', shows: 'load.0.options.dtype' },
  masterWeights: { value: false, shows: 'load.0.options.masterWeights', beside: ['dtype=bfloat16'] },
  moments: { value: 'host', shows: 'load.0.options.moments' },
  threads: { value: 2, shows: 'load.0.options.threads' },
  memoryMiB: { value: 99, shows: 'load.0.options.memoryMiB' },
  ...source('data.train'),
  ...source('data.evaluation'),
  'data.template': { value: '"Solve {problem}"', shows: prompts },
  'data.problemKey': { value: 'ask', shows: prompts },
  'data.answerKey': { value: 'gold', shows: rewards },
  'data.badRows': { value: 'skip', shows: 'error', beside: [`data.train=${broken}`] },
  'data.count': { value: 40, shows: prompts, beside: countdown },
  'data.addSpecialTokens': { value: false, shows: 'specialTokens' },
  'data.arithmetic.seed': { value: 5, shows: prompts, beside: arithmetic },
  'data.arithmetic.template': { value: 'short', shows: prompts, beside: arithmetic },
  'data.arithmetic.kinds': { value: '{addition: 1}', shows: prompts, beside: arithmetic },
  'data.arithmetic.maxOperands': { value: 2, shows: prompts, beside: arithmetic },
  'data.countdown.seed': { value: 5, shows: prompts, beside: countdown },
  'data.countdown.minNumbers': { value: 2, shows: prompts, beside: countdown },
  'data.countdown.maxNumbers': { value: 5, shows: prompts, beside: countdown },
  'data.countdown.maxNumber': { value: 50, shows: prompts, beside: countdown },
  'data.countdown.minTarget': { value: 50, shows: prompts, beside: countdown },
  'data.countdown.maxTarget': { value: 50, shows: prompts, beside: countdown },
  'data.leakage.action': { value: 'off', shows: 'warnings', beside: leak },
  'data.leakage.ngram': { value: 20, shows: 'warnings', beside: leak },
  'data.leakage.overlap': { value: 1, shows: 'warnings', beside: leak },
  'data.difficulty.minPassRate': { value: 0.3, shows: prompts, beside: difficulty },
  'data.difficulty.maxPassRate': { value: 0.1, shows: prompts, beside: difficulty },
  'data.difficulty.samples': { value: 2, shows: 'sample.0.options.n', beside: difficulty },
  'data.difficulty.problems': { value: 3, shows: prompts, beside: difficulty },
  reward: { value: 'format', shows: rewards },
  ...ofReward('math', '', { format: 'any', correct: 3, wrongAnswer: -3, wrongFormat: -4, weight: 2 }),
  ...ofReward('format', '', { style: 'think-answer', right: 3, wrong: -3, weight: 2 }),
  'reward(countdown).correct': { file: 'test/unit/rewards/countdown.test.ts', test: 'scores are set by options' },
  'reward(countdown).wrongAnswer': { file: 'test/unit/rewards/countdown.test.ts', test: 'scores are set by options' },
  ...ofReward('countdown', ', wrongFormat: 1', { wrongFormat: -3, weight: 2 }),
  ...ofReward('length', ', buffer: 10, maxTokens: 12', { maxTokens: 30, buffer: 4, penalty: -5, weight: 2 }),
  ...ofReward('by-source', ', column: answer, rewards: {}, otherwise: math', {
    column: 'id',
    rewards: '{"2": format}',
    otherwise: 'format',
    weight: 2,
  }),
  'reward(custom).code': {
    value: `${code}#whole`,
    set: 'reward.code',
    shows: rewards,
    beside: [`reward={name: custom, code: "${code}#half"}`],
  },
  'reward(custom).weight': {
    value: 3,
    set: 'reward.weight',
    shows: rewards,
    beside: [`reward={name: custom, code: "${code}#half"}`],
  },
  'reward(custom).timeoutSeconds': { file: 'test/process/train-user-reward.test.ts', test: 'hang' },
  environment: { value: `${code}#asks`, shows: 'sample.length' },
  'environment.code': { value: `"${code}#slow"`, shows: 'sample.length', beside: episodes },
  'environment.maxTurns': { value: 2, shows: 'sample.length', beside: episodes },
  'environment.timeoutSeconds': {
    value: 0.02,
    shows: 'error',
    beside: [`environment={code: "${code}#slow"}`, 'steps=1'],
  },
  'algorithm.name': { value: 'reinforce', shows: 'step.0.advantages' },
  'algorithm.numerics': { value: 'trl', shows: 'step.0.advantages', beside: ['algorithm.name=grpo'] },
  'algorithm.baseline': { value: 'running', shows: 'step.1.advantages', beside: ['algorithm.name=reinforce'] },
  'algorithm.baselineDecay': {
    value: 0.5,
    shows: 'step.2.advantages',
    beside: ['algorithm={name: reinforce, baseline: running}'],
  },
  'algorithm.k': { value: 3, shows: 'step.0.advantages', beside: ['algorithm.name=pass-at-k'] },
  'algorithm.gamma': { value: 0.5, shows: 'step.0.advantages', beside: ppo },
  'algorithm.lambda': {
    value: 0.5,
    shows: 'step.8.advantages',
    beside: [...ppo, 'critic.learningRate=0.5', 'steps=6'],
  },
  'kl.initCoefficient': { value: 1, shows: 'step.1.advantages' },
  'kl.placement': { value: 'token', shows: 'step.1.advantages', beside: kl },
  'kl.lossCoefficient': { value: 0.1, shows: 'step.0.options.kl.coefficient' },
  'kl.lossEstimator': { value: 'k3', shows: 'step.0.options.kl.estimator', beside: klLoss },
  'kl.lossCorrection': { value: true, shows: 'step.0.options.kl.corrected', beside: klLoss },
  'kl.target': { value: 1, shows: 'metrics.1.klCoefficient', beside: kl },
  'kl.horizon': { value: 100, shows: 'metrics.1.klCoefficient', beside: [...kl, 'kl.target=1'] },
  'kl.follow.every': { value: 2, shows: 'follow.length', beside: kl },
  'kl.follow.rate': { value: 0.5, shows: 'follow.0.rate', beside: [...kl, 'kl.follow.every=1'] },
  'kl.measure': { value: true, shows: 'load.length' },
  'rollout.promptsPerStep': { value: 3, shows: 'metrics.0.groups' },
  'rollout.samplesPerPrompt': { value: 3, shows: 'metrics.0.samples' },
  'rollout.maxTokens': { value: 5, shows: 'rollouts' },
  'rollout.temperature': { value: 0.5, shows: 'step.0.options.temperature' },
  'rollout.finalTemperature': { value: 0.5, shows: 'step.2.options.temperature' },
  'rollout.topP': { value: 0.5, shows: 'sample.1.options.topP', beside: truncated },
  'rollout.topK': { value: 5, shows: 'sample.1.options.topK', beside: truncated },
  'rollout.minP': { value: 0.1, shows: 'sample.1.options.minP', beside: truncated },
  'rollout.truncation': {
    value: 'ignore',
    shows: 'warnings',
    beside: ['rollout.topP=0.5', 'rollout.truncation=replay'],
  },
  'rollout.stopStrings': { value: '[x]', shows: 'sample.0.options.stopStrings' },
  'rollout.stopTokens': { value: '[7]', shows: 'sample.0.options.stopTokens' },
  'rollout.maxBatch': { value: 8, shows: 'sample.0.options.maxBatch' },
  'rollout.dynamicSampling.rounds': { value: 3, shows: 'sample.length', beside: ['reward=format', 'steps=4'] },
  'rollout.lengthPenalty.stopProperly': { value: -9, shows: 'rollouts', beside: ['rollout.maxTokens=5'] },
  'optimizer.learningRate': { value: 0.25, shows: 'step.0.options.learningRate' },
  'optimizer.schedule': { value: 'linear', shows: 'step.2.options.learningRate' },
  'optimizer.warmupSteps': { value: 2, shows: 'step.0.options.learningRate' },
  'optimizer.betas': { value: '[0.5, 0.5]', shows: 'step.0.options.betas' },
  'optimizer.eps': { value: 0.1, shows: 'step.0.options.eps' },
  'optimizer.weightDecay': { value: 0.1, shows: 'step.0.options.weightDecay' },
  'optimizer.maxGradNorm': { value: 2, shows: 'step.0.options.maxGradNorm' },
  'optimizer.aggregation': { value: 'constant', shows: 'step.0.options.aggregation' },
  'optimizer.aggregationConstant': {
    value: 9,
    shows: 'step.0.options.aggregationConstant',
    beside: ['optimizer.aggregation=constant'],
  },
  'optimizer.objective': { value: 'ppo', shows: 'step.0.options.objective' },
  'optimizer.sequenceRatio': {
    value: 'product',
    shows: 'step.0.options.sequenceRatio',
    beside: ['optimizer.objective=gspo'],
  },
  'optimizer.clip.low': { value: 0.1, shows: 'step.0.options.clip.low', beside: offPolicy },
  'optimizer.clip.high': { value: 0.1, shows: 'step.0.options.clip.high', beside: offPolicy },
  'optimizer.clip.dual': { value: 3, shows: 'step.0.options.clip.dual', beside: offPolicy },
  'optimizer.entropy.coefficient': { value: 0.1, shows: 'step.0.options.entropyCoefficient' },
  'optimizer.entropy.target': {
    value: 2,
    shows: 'step.1.options.entropyCoefficient',
    beside: ['optimizer.entropy.coefficient=0.1'],
  },
  'optimizer.entropy.rate': { value: 0.5, shows: 'step.1.options.entropyCoefficient', beside: entropy },
  'optimizer.epochs': { value: 2, shows: 'step.length' },
  'optimizer.minibatches': { value: 2, shows: 'step.length' },
  'optimizer.memoryBudgetMiB': { value: 7, shows: 'step.0.options.memoryBudgetMiB' },
  'critic.kind': { value: 'trunk', shows: 'criticLoad.0', beside: ppo },
  'critic.model': { value: second, shows: 'criticLoad.0', beside: ppo },
  'critic.learningRate': { value: 0.5, shows: 'criticStep.0.options.learningRate', beside: ppo },
  'critic.betas': { value: '[0.5, 0.5]', shows: 'criticStep.0.options.betas', beside: ppo },
  'critic.eps': { value: 0.1, shows: 'criticStep.0.options.eps', beside: ppo },
  'critic.weightDecay': { value: 0.1, shows: 'criticStep.0.options.weightDecay', beside: ppo },
  'critic.maxGradNorm': { value: 2, shows: 'criticStep.0.options.maxGradNorm', beside: ppo },
  'critic.clip': { value: 2, shows: 'criticStep.0.options.clip', beside: ppo },
  'critic.epochs': { value: 2, shows: 'criticStep.length', beside: ppo },
  'critic.minibatches': { value: 1, shows: 'criticStep.length', beside: ppo },
  'critic.warmupSteps': { value: 1, shows: 'step.length', beside: ppo },
  steps: { value: 2, shows: 'metrics.length' },
  seed: { value: 1, shows: 'sample.1.options.seed' },
  'evaluation.every': { value: 1, shows: 'evaluations.length' },
  'evaluation.problems': { value: 1, shows: 'evaluations.0.evaluation.problems' },
  'evaluation.samples': { value: 2, shows: 'evaluations.0.evaluation.samples' },
  'evaluation.k': { value: '[1]', shows: 'evaluations.0.evaluation.passAtK', beside: ['evaluation.samples=2'] },
  'evaluation.temperature': { value: 0, shows: 'sample.0.options.temperature' },
  'evaluation.seed': { value: 1, shows: 'sample.0.options.seed' },
  'checkpoint.every': { value: 1, shows: 'files' },
  'checkpoint.keep': { value: 1, shows: 'files', beside: ['checkpoint.every=1'] },
  'checkpoint.best': { value: 'accuracy', shows: 'files', beside: ['evaluation.every=1', 'checkpoint.every=0'] },
  'ema.decay': { value: 0.5, shows: 'follow.0.rate' },
  'ema.evaluate': { value: false, shows: 'evaluations.1.emaEvaluation', beside: ema },
  'ema.sample': { value: true, shows: 'sample.1.by', beside: ema },
  'watchdog.window': { value: 2, shows: 'warnings', beside: ['steps=5', 'watchdog.gradient={limit: 0.5, steps: 1}'] },
  'watchdog.samples': { value: 1, shows: 'watchdog', beside: ['watchdog.entropy={limit: 9, steps: 1}'] },
  ...watched('entropy', 9),
  ...watched('repetition', -1),
  ...watched('length', 0.5),
  ...watched('deadGroups', -1),
  ...watched('kl', 0.0001),
  ...watched('gradient', 0.5),
  ...watched('notFinite', -1),
  'watchdog.rollback.learningRateFactor': {
    value: 0.1,
    shows: 'step.1.options.learningRate',
    stops: true,
    beside: ['checkpoint.every=1', 'watchdog.entropy={limit: 9, steps: 1, action: rollback}'],
  },
  'watchdog.rollback.most': {
    value: 1,
    shows: 'step.length',
    stops: true,
    beside: ['checkpoint.every=1', 'watchdog.entropy={limit: 9, steps: 1, action: rollback}'],
  },
  'preview.prompts': { value: 1, shows: 'events' },
  'rollouts.every': { value: 2, shows: 'files', beside: ['steps=4'] },
  'rollouts.prompts': { value: 1, shows: 'rollouts.length' },
  'rollouts.tokens': { value: false, shows: 'rollouts.0.logProbs' },
  output: { value: path.join(scratch, 'elsewhere'), shows: 'output' },
};

interface Node {
  properties?: Record<string, Node>;
  anyOf?: Node[];
  oneOf?: Node[];
  items?: Node;
  deprecated?: boolean;
  const?: string;
}

/** The mappings that a value may be or hold, under the name that tells them apart. */
function mappings(node: Node): Node[] {
  if (node.properties) return [node];
  return [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.items ? [node.items] : [])].flatMap(mappings);
}

function keysOf(node: Node, prefix = ''): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, value]): string[] => {
    if (value.deprecated || value.const !== undefined) return [];
    const here = prefix === '' ? key : `${prefix}.${key}`;
    // Rewards of other sources have the keys of `reward`.
    if (key === 'otherwise') return [here];
    if (value.properties) return keysOf(value, here);
    const inner = mappings(value).flatMap((mapping) => {
      const { name } = (mapping.properties ?? {}) as { name?: Node };
      const kind = name?.const;
      if (key === 'reward' && kind === undefined) return [];
      return keysOf(mapping, kind === undefined ? here : `${here}(${kind})`);
    });
    return [here, ...inner];
  });
}

const schema = JSON.parse(readFileSync(path.join(repository, 'config.schema.json'), 'utf8')) as Node;

test('every key of the schema has a witness, and every witness a key', () => {
  expect(Object.keys(witnesses).sort()).toEqual([...new Set(keysOf(schema))].sort());
});

const traces = new Map<string, Promise<Trace>>();
function traceOf(assignments: readonly string[]): Promise<Trace> {
  const key = JSON.stringify(assignments);
  const known = traces.get(key);
  if (known) return known;
  const run = traceRun(applyAssignments(base, assignments) as unknown as TrainConfigInput);
  traces.set(key, run);
  return run;
}

const traced = Object.entries(witnesses).flatMap(([key, witness]) => ('file' in witness ? [] : [{ key, ...witness }]));
const elsewhere = Object.entries(witnesses).flatMap(([key, witness]) =>
  'file' in witness ? [{ key, ...witness }] : [],
);

test('a run traced twice is the same', async () => {
  const [first, again] = await Promise.all([traceRun({ ...base } as unknown as TrainConfigInput), traceOf([])]);
  expect(first).toEqual(again);
  expect(first.error).toBe('');
});

test.each(traced)('$key changes $shows', async ({ key, value, shows, beside = [], set = key, stops = false }) => {
  const without = await traceOf(beside);
  const changed = await traceOf([...beside, `${set}=${String(value)}`]);
  expect(at(changed, shows)).not.toEqual(at(without, shows));
  // What ends a run would change all that comes after it.
  const failed = [without, changed].filter(({ error }) => error !== '').map(({ error }) => error);
  if (shows !== 'error' && !stops) expect(failed).toEqual([]);
});

test.each(elsewhere)('$key is shown by $file', ({ file: name, test: title }) => {
  const found = path.join(repository, name);
  expect(existsSync(found)).toBe(true);
  expect(readFileSync(found, 'utf8')).toMatch(new RegExp(`test(\\.each)?\\([^]*?${title}`));
});
