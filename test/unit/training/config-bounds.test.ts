/**
 * What a config accepts the engine takes: at the least and the greatest value of every number, all requests of the first and
 * the last step, also after every rollback, can be made. So nothing ends a run at a later step for what could be seen before.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { invalidRange } from '../../../src/errors';
import { buildSampleRequest } from '../../../src/policy/sample-request';
import { buildStepRequest } from '../../../src/policy/step-request';
import { buildValueStepRequest } from '../../../src/policy/value-step-request';
import { initialState } from '../../../src/training/checkpoint';
import { configAt, type TrainConfig, type TrainConfigInput } from '../../../src/training/config';
import { applyAssignments, resolveConfig } from '../../../src/training/load-config';
import {
  criticStepOptions,
  evaluationOptions,
  greedyOptions,
  resolveStopTokens,
  samplingOptions,
  stepOptions,
} from '../../../src/training/phase-options';
import { firstUid, turnUid } from '../../../src/training/uids';
import { repository } from '../../support/child';

interface Node {
  properties?: Record<string, Node>;
  anyOf?: Node[];
  type?: string;
  deprecated?: boolean;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  exclusiveMaximum?: number;
}
const schema = JSON.parse(readFileSync(path.join(repository, 'config.schema.json'), 'utf8')) as Node;

/** The ends of a range; where it has none a number beyond what anyone means. */
function ends({ type, minimum, exclusiveMinimum, maximum, exclusiveMaximum }: Node): number[] {
  const least = minimum ?? (exclusiveMinimum === undefined ? -1e9 : exclusiveMinimum + 1e-9);
  const most = maximum ?? (exclusiveMaximum === undefined ? 1e9 : exclusiveMaximum - 1e-9);
  return type === 'integer' ? [Math.ceil(least), Math.floor(most)] : [least, most];
}

function numbers(node: Node, at = ''): [string, number][] {
  return Object.entries(node.properties ?? {}).flatMap(([key, value]): [string, number][] => {
    if (value.deprecated) return [];
    const here = at === '' ? key : `${at}.${key}`;
    const forms = [value, ...(value.anyOf ?? [])].filter(({ type }) => type === 'number' || type === 'integer');
    return [...numbers(value, here), ...forms.flatMap(ends).map((end): [string, number] => [here, end])];
  });
}

const context = { vocabSize: 300, maxPositions: 512, endTokens: [0], encode: null };
const sequence = { tokens: [1, 2, 3, 4], promptLength: 2 };

/** Makes every request of a run of `config`. */
function makeRequests(config: TrainConfig): void {
  for (const rollbacks of [0, config.watchdog.rollback.most])
    for (const step of [1, config.steps]) {
      const now = configAt(config, step, rollbacks);
      const uids = [firstUid.training + (step - 1) * now.rollout.promptsPerStep + now.rollout.promptsPerStep - 1];
      if (uids[0] >= firstUid.evaluation) throw invalidRange('uids', 'those of training', uids[0]);
      for (const options of [samplingOptions(now), evaluationOptions(now), greedyOptions(now)])
        buildSampleRequest([[1, 2]], { ...options, uids }, context);
      if (now.rollout.promptsPerStep * now.rollout.samplesPerPrompt >= 2 ** 31)
        throw invalidRange('n', 'what 32 bits count', now.rollout.samplesPerPrompt);
      const trained = { ...sequence, advantages: 1, oldLogProbs: [-1, -1], referenceLogProbs: [-1, -1] };
      const { weights } = buildStepRequest([trained], stepOptions(now, step, initialState()), context);
      if (!weights.every((weight) => Number.isFinite(weight) && weight > 0))
        throw invalidRange('weights', 'finite weights', weights);
      buildValueStepRequest([{ ...sequence, returns: [1, 1], oldValues: [0, 0] }], criticStepOptions(now), context);
    }
}

const configOf = (assignments: readonly string[]): TrainConfig =>
  resolveConfig(
    applyAssignments({ model: '/m', data: { train: 'arithmetic' } }, assignments) as unknown as TrainConfigInput,
  );
// What some keys need of others.
const beside: Record<string, string[]> = {
  'optimizer.aggregationConstant': ['optimizer.aggregation=constant'],
  'kl.target': ['kl.initCoefficient=1'],
  'kl.lossCoefficient': ['kl.lossEstimator=k3'],
  'optimizer.entropy.target': ['optimizer.entropy.coefficient=1'],
  'evaluation.k': ['evaluation.samples=4'],
};
const cases = numbers(schema).map(([key, value]) => ({ key, value }));

test('the numbers of the schema are found', () => {
  const keys = cases.map(({ key }) => key);
  expect(keys).toEqual(expect.arrayContaining(['rollout.temperature', 'rollout.maxBatch', 'critic.clip', 'seed']));
});

test.each(cases)('$key: $value', ({ key, value }) => {
  let config: TrainConfig;
  try {
    config = configOf([...(beside[key] ?? []), `${key}=${value}`]);
  } catch (error) {
    // Refused at the start, by name.
    expect(error).toMatchObject({ code: 'ERR_ZERO_RL_CONFIG', message: expect.stringContaining('Expected') as string });
    return;
  }
  expect(() => makeRequests(config)).not.toThrow();
});

test('more turns than there are keys of randomness are refused, and those of any other run have one', () => {
  const most = (steps: number): TrainConfig =>
    configOf([
      `steps=${steps}`,
      'rollout.promptsPerStep=1024',
      'rollout.samplesPerPrompt=1024',
      'environment={code: ./my.mjs, maxTurns: 64}',
    ]);
  const message = 'Expected at most 2^49 turns in a run (prompts × rollout.samplesPerPrompt × environment.maxTurns)';
  expect(() => most(2 ** 23)).toThrow(message);
  const { steps, rollout } = most(Math.floor(2 ** 23 / 3));
  const last = { sample: rollout.samplesPerPrompt - 1, n: rollout.samplesPerPrompt, turn: 63, maxTurns: 64 };
  const uid = firstUid.again + 3 * steps * rollout.promptsPerStep - 1;
  expect(turnUid({ ...last, uid })).toBeLessThan(2 ** 53);
});

test.each([
  ['rollout.finalTemperature=0.0001', 'Expected a value of at least 0.001 for rollout.finalTemperature'],
  ['rollout.temperature=1e-9', 'Expected a value of at least 0.001 for rollout.temperature'],
  ['evaluation.temperature=0.0005', 'Expected 0 or at least 0.001 for evaluation.temperature'],
  ['rollout.maxBatch=1000000', 'Expected a value of at most 65536 for rollout.maxBatch'],
  ['rollout.topP=0', 'Expected a value above 0 for rollout.topP'],
  ['optimizer.betas=[0.9, 1]', 'Expected a value below 1 for optimizer.betas.1'],
  ['critic.betas=[1, 0.9]', 'Expected a value below 1 for critic.betas.0'],
  ['seed=9007199254740991', 'for seed'],
  ['steps=9007199254740991', 'for steps'],
  ['environment={code: ./e.mjs, timeoutSeconds: 1e7}', 'for environment.timeoutSeconds'],
])('%s is refused at the start', (assignment, message) => {
  expect(() => configOf([assignment])).toThrow(message);
});

test('stop tokens that the model does not have are refused when it is loaded', () => {
  const policy = { encodePrompt: () => new Int32Array([5]), config: { vocabSize: 300 } };
  const config = configOf(['rollout.stopTokens=[7, 300, "x"]']);
  expect(() => resolveStopTokens(config, policy)).toThrow(
    expect.objectContaining({
      code: 'ERR_ZERO_RL_CONFIG',
      message: expect.stringContaining('between 0 and 299 (the model has 300) for rollout.stopTokens[1]') as string,
    }),
  );
  const known = configOf(['rollout.stopTokens=[7, "x"]']);
  expect(resolveStopTokens(known, policy).rollout.stopTokens).toEqual([7, 5]);
});
