/** Keys that other keys switch off: where one of them is set all the same, whoever wrote it expects something of it. */
import { isGenerator } from '../data/source';
import { leavesOf } from '../json-object';
import { isUserCode } from '../user-code';
import { configSchema, needsCritic, needsReference, type TrainConfig } from './config';
import { fittingRecipe, isOffPolicy } from './objective-defaults';

interface Rule {
  /** A key, or the section that holds it with a dot at its end. */
  keys: readonly string[];
  unused: (config: TrainConfig) => boolean;
  /** Completes "KEY has no effect: ". */
  because: string;
}

const named =
  (name: string) =>
  ({ algorithm }: TrainConfig): boolean =>
    algorithm.name !== name && !isUserCode(algorithm.name);

const sources = ({ data }: TrainConfig): string[] =>
  [...data.train, ...(data.evaluation ?? [])].map(({ source }) => source);
const watches = ({ watchdog }: TrainConfig, rule: 'rollback'): boolean =>
  Object.values(watchdog).some(
    (settings) => typeof settings === 'object' && 'action' in settings && settings.action === rule,
  );

const rules: readonly Rule[] = [
  { keys: ['algorithm.baseline'], unused: named('reinforce'), because: 'algorithm.name is not reinforce' },
  {
    keys: ['algorithm.baselineDecay'],
    unused: ({ algorithm }) => algorithm.baseline === 'none',
    because: 'algorithm.baseline is none',
  },
  { keys: ['algorithm.k'], unused: named('pass-at-k'), because: 'algorithm.name is not pass-at-k' },
  { keys: ['algorithm.gamma', 'algorithm.lambda'], unused: named('ppo'), because: 'algorithm.name is not ppo' },
  { keys: ['critic.'], unused: (config) => !needsCritic(config), because: 'only algorithm.name ppo has a critic' },
  { keys: ['kl.placement'], unused: ({ kl }) => kl.initCoefficient === 0, because: 'kl.initCoefficient is 0' },
  {
    keys: ['kl.lossEstimator', 'kl.lossCorrection'],
    unused: ({ kl }) => kl.lossCoefficient === 0,
    because: 'kl.lossCoefficient is 0',
  },
  { keys: ['kl.horizon'], unused: ({ kl }) => kl.target === null, because: 'kl.target is not set' },
  { keys: ['kl.follow.rate'], unused: ({ kl }) => kl.follow.every === 0, because: 'kl.follow.every is 0' },
  {
    keys: ['referenceModel', 'watchdog.kl.'],
    unused: (config) => !needsReference(config),
    because: 'no reference is loaded; set a coefficient of kl, or kl.measure',
  },
  {
    keys: ['rollout.truncation'],
    unused: ({ rollout: { topP, topK, minP } }) => topP === 1 && topK === 0 && minP === 0,
    because: 'topP, topK and minP cut nothing off',
  },
  {
    keys: ['optimizer.aggregationConstant'],
    unused: ({ optimizer }) => optimizer.aggregation !== 'constant',
    because: 'optimizer.aggregation is not constant',
  },
  {
    keys: ['optimizer.sequenceRatio'],
    unused: ({ optimizer }) => optimizer.objective !== 'gspo',
    because: 'optimizer.objective is not gspo',
  },
  {
    keys: ['optimizer.clip.'],
    unused: ({ optimizer }) => optimizer.objective === 'reinforce',
    because: 'optimizer.objective reinforce has no ratio',
  },
  {
    keys: ['optimizer.clip.'],
    unused: (config) => !isOffPolicy(config),
    because: 'with one optimizer step per batch every ratio is 1; set optimizer.minibatches or epochs',
  },
  {
    keys: ['optimizer.clip.dual'],
    unused: ({ optimizer }) => optimizer.objective === 'cispo',
    because: 'optimizer.objective cispo has no such bound',
  },
  {
    keys: ['optimizer.entropy.rate'],
    unused: ({ optimizer }) => optimizer.entropy.target === null,
    because: 'optimizer.entropy.target is not set',
  },
  { keys: ['ema.evaluate', 'ema.sample'], unused: ({ ema }) => ema.decay === null, because: 'ema.decay is not set' },
  { keys: ['masterWeights'], unused: ({ dtype }) => dtype !== 'bfloat16', because: 'dtype is not bfloat16' },
  {
    keys: ['watchdog.rollback.'],
    unused: (config) => !watches(config, 'rollback'),
    because: 'no rule of watchdog has the action rollback',
  },
  {
    keys: ['data.arithmetic.'],
    unused: (config) => !sources(config).includes('arithmetic'),
    because: 'arithmetic is no source of data',
  },
  {
    keys: ['data.countdown.'],
    unused: (config) => !sources(config).includes('countdown'),
    because: 'countdown is no source of data',
  },
  {
    keys: ['data.count'],
    unused: ({ data }) => !data.train.some(({ source }) => isGenerator(source)),
    because: 'data.train names no generator',
  },
  {
    keys: ['data.problemKey', 'data.answerKey'],
    unused: (config) => sources(config).every(isGenerator),
    because: 'generators have no columns',
  },
];

/** The values that a config has where nothing is written. */
function defaults(config: TrainConfig): Map<string, unknown> {
  const { model, data, reward } = config;
  const plain = configSchema.parse({ model, data: { train: data.train }, reward });
  const leaves = new Map(leavesOf({ ...plain }));
  const recipe = fittingRecipe(config);
  leaves.set('optimizer.clip.low', recipe.clip.low);
  leaves.set('optimizer.clip.high', recipe.clip.high);
  return leaves;
}

/** A sentence for each key that differs from its default and has no effect. */
export function unusedKeys(config: TrainConfig): string[] {
  const plain = defaults(config);
  return leavesOf({ ...config }).flatMap(([key, value]) => {
    const rule = rules.find(
      ({ keys, unused }) =>
        keys.some((name) => key === name || (name.endsWith('.') && key.startsWith(name))) && unused(config),
    );
    if (!rule || value === undefined || JSON.stringify(value) === JSON.stringify(plain.get(key))) return [];
    return [`${key} has no effect: ${rule.because}`];
  });
}
