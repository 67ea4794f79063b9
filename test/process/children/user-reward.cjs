/** Scores with a user's reward on its thread as the scenario says, and prints scores and warnings as JSON. */
const path = require('node:path');
const { loadUserReward } = require('../../../dist/rewards/user-reward.js');
const { combineRewards, mathReward, scoreSample, scoreSamples } = require('../../../dist/rewards/index.js');

const module_ = path.join(__dirname, 'rewards.mjs');
const samples = (...completions) =>
  completions.map((completion, index) => ({
    problem: { id: 'p', problem: '1+1', answer: '2', row: { unit: 'm' } },
    prompt: 'Q',
    completion,
    answer: '2',
    tokens: new Int32Array(1000).subarray(0, 3),
    finishReason: 'stop',
    index,
  }));
const warnings = [];
const load = (name = 'default', timeoutSeconds = 1) =>
  loadUserReward(`${module_}#${name}`, { timeoutSeconds, warn: (message) => warnings.push(message) });
const outcome = (promise) =>
  promise.then(
    (scores) => scores.map(({ reward, reason }) => [reward, reason]),
    ({ code, message, cause }) => ({ code, message, cause: cause?.message }),
  );

const scenarios = {
  async values() {
    const { reward } = await load();
    return outcome(scoreSamples(reward, samples('a', 'null', 'score', 'all', '')));
  },
  async whole() {
    const { reward } = await load('whole');
    return scoreSamples(combineRewards([{ reward, name: 'own' }]), samples('a', 'b', 'c'));
  },
  async together() {
    const { reward } = await load('together');
    const results = [];
    for (const texts of [['a', 'b', 'c'], ['a', 'throw'], ['none', 'a', 'b'], ['a', 'loop', 'b'], ['a']])
      results.push(await outcome(scoreSamples(reward, samples(...texts))));
    return results;
  },
  async loops() {
    const { reward } = await load();
    const first = await outcome(scoreSamples(reward, samples('a', 'loop', 'bb', 'loop', 'ccc')));
    return [first, await outcome(scoreSamples(reward, samples('a')))];
  },
  async waits() {
    const { reward } = await load('slow');
    return outcome(scoreSamples(reward, samples('a', 'wait', 'bb', 'later', 'ccc')));
  },
  async always() {
    const { reward } = await load();
    return outcome(scoreSamples(reward, samples(...Array.from({ length: 50 }, () => 'loop'))));
  },
  /** A sum with a part on a thread; single samples; state that lasts. */
  async parts() {
    const { reward } = await load('counting');
    const sum = combineRewards([{ reward: mathReward() }, { reward, weight: 10 }]);
    const first = await outcome(scoreSamples(sum, samples('\\boxed{2}', '\\boxed{3}', 'x')));
    return [first, await outcome(Promise.all(samples('\\boxed{2}', 'x').map((one) => scoreSample(sum, one))))];
  },
  async failures() {
    const results = [];
    for (const bad of ['throw', 'exit', 'function', 'undefined']) {
      const { reward } = await load();
      results.push(await outcome(scoreSamples(reward, samples('a', bad, 'b'))));
      // A thread that has ended is replaced.
      results.push(await outcome(scoreSamples(reward, samples('a'))));
    }
    const { reward } = await load();
    const [odd] = samples('a');
    odd.problem.row.check = () => true;
    results.push(await outcome(scoreSamples(reward, [odd])));
    return results;
  },
  async unusable() {
    const names = ['text', 'nothing', 'default'];
    const all = await Promise.all(names.map((name) => outcome(load(name).then(() => [{}]))));
    const missing = loadUserReward('/nonexistent.mjs', { timeoutSeconds: 1, warn: () => undefined });
    return [...all, await outcome(missing)];
  },
  async stopped() {
    const aborted = await load('slow', 1e6);
    const under = outcome(scoreSamples(aborted.reward, samples('wait'), AbortSignal.timeout(100)));
    const closed = await load('default', 1e6);
    const looping = outcome(scoreSamples(closed.reward, samples('loop')));
    const result = await under;
    closed.close();
    const options = { timeoutSeconds: 1e6, warn: () => undefined, signal: AbortSignal.timeout(100) };
    const loading = outcome(loadUserReward(path.join(__dirname, 'never-loads.mjs'), options));
    return [result, await looping, await loading];
  },
  async here() {
    const { reward } = await load('counting', null);
    return [await outcome(scoreSamples(reward, samples('a', 'b'))), 'scoreAll' in reward];
  },
};

void scenarios[process.argv[2]]().then((result) => console.log(JSON.stringify({ result, warnings })));
