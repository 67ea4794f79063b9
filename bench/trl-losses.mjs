/**
 * Our advantages, losses and gradients against those of TRL's own RLOO and GRPO trainers, off policy, on rollouts of the
 * shipped model:
 *
 *     node bench/trl-losses.mjs --python DIR/bin/python      (set-up of DIR: bench/peers/trl_peer.py)
 *
 * Prints a table and writes bench/results/trl-losses.json.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const root = path.resolve(import.meta.dirname, '..');
const { Policy, algorithms } = createRequire(import.meta.url)('../dist/index.js');
const { values: flags } = parseArgs({ options: { python: { type: 'string', default: 'python3' } } });

const PROMPTS = ['12 + 7 =', '81 - 35 =', '4 + 93 =', '60 - 9 =', '7 + 8 =', '33 + 44 ='];
const N = 4;
const MAX_TOKENS = 48;
/** AdamW with betas of 0 and a huge eps moves a weight by SCALE times its gradient. */
const EPS = 1e8;
const SCALE = 100;

const trlBase = { beta: 0, epsilon: 0.2 };
const step = { objective: 'ppo', clip: { low: 0.2, high: 0.2 } };
const cases = [
  {
    name: 'rloo',
    algorithm: 'rloo',
    trl: trlBase,
    estimator: 'rloo',
    step: { ...step, objective: 'gspo', sequenceRatio: 'product', aggregation: 'seq-mean-token-sum' },
  },
  {
    name: 'rloo-kl',
    algorithm: 'rloo',
    trl: { ...trlBase, beta: 0.05 },
    estimator: 'rloo',
    step: { ...step, objective: 'gspo', sequenceRatio: 'product', aggregation: 'seq-mean-token-sum' },
  },
  {
    name: 'grpo-dapo',
    algorithm: 'grpo',
    trl: { ...trlBase, loss_type: 'dapo', epsilon_high: 0.28 },
    estimator: 'grpo',
    step: { ...step, clip: { low: 0.2, high: 0.28 }, aggregation: 'token-mean' },
  },
  {
    name: 'grpo-kl',
    algorithm: 'grpo',
    trl: { ...trlBase, loss_type: 'grpo', beta: 0.04 },
    estimator: 'grpo',
    step: { ...step, aggregation: 'seq-mean-token-mean', kl: { coefficient: 0.04, estimator: 'k3', corrected: true } },
  },
  {
    name: 'grpo-kl-plain',
    algorithm: 'grpo',
    trl: { ...trlBase, loss_type: 'grpo', beta: 0.04, use_bias_correction_kl: false },
    estimator: 'grpo',
    step: { ...step, aggregation: 'seq-mean-token-mean', kl: { coefficient: 0.04, estimator: 'k3' } },
  },
  {
    name: 'dr-grpo',
    algorithm: 'grpo',
    trl: { ...trlBase, loss_type: 'dr_grpo', scale_rewards: 'none' },
    estimator: 'dr-grpo',
    step: { ...step, aggregation: 'constant', aggregationConstant: MAX_TOKENS },
  },
  {
    name: 'grpo-delta',
    algorithm: 'grpo',
    trl: { ...trlBase, loss_type: 'dapo', delta: 1.3 },
    estimator: 'grpo',
    step: { ...step, clip: { low: 0.2, high: 0.2, dual: 1.3 } },
  },
  {
    name: 'grpo-entropy',
    algorithm: 'grpo',
    trl: { ...trlBase, loss_type: 'dapo', entropy_coef: 0.1 },
    estimator: 'grpo',
    step: { ...step, entropyCoefficient: 0.1 },
  },
  {
    name: 'gspo',
    algorithm: 'grpo',
    trl: { ...trlBase, epsilon: 0.01, loss_type: 'grpo', importance_sampling_level: 'sequence' },
    estimator: 'grpo',
    step: { objective: 'gspo', clip: { low: 0.01, high: 0.01 }, aggregation: 'seq-mean-token-mean' },
  },
  {
    name: 'cispo',
    algorithm: 'grpo',
    trl: { ...trlBase, loss_type: 'cispo', epsilon_high: 1.5 },
    estimator: 'grpo',
    step: { objective: 'cispo', clip: { low: 1, high: 0.5 }, aggregation: 'token-mean' },
  },
];

/** Name → Float32Array of the F32 tensors of a safetensors file. */
function readTensors(file) {
  const bytes = readFileSync(file);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, start).toString());
  delete header.__metadata__;
  const part = ([from, to]) => new Float32Array(Uint8Array.from(bytes.subarray(start + from, start + to)).buffer);
  return new Map(Object.entries(header).map(([name, { data_offsets: range }]) => [name, part(range)]));
}

/** |a − b| / |b| over all tensors of b, and |b|. */
function relativeDistance(a, b) {
  let [distance, norm] = [0, 0];
  for (const [name, values] of b)
    values.forEach((value, i) => {
      distance += (a.get(name)[i] - value) ** 2;
      norm += value ** 2;
    });
  return { distance: Math.sqrt(distance / norm), norm: Math.sqrt(norm) };
}

/** The policy that sampled, moved by a few steps, so that ratios are not 1. */
async function makeBatch(work) {
  const base = path.join(root, 'models/arithmetic-1m');
  const policy = await Policy.load(base, { device: 'cpu' });
  const rollouts = await policy.sample(PROMPTS, { n: N, maxTokens: MAX_TOKENS, seed: 3 });
  const prompts = PROMPTS.map((prompt) => policy.encodePrompt(prompt));
  const sequences = rollouts.map(({ prompt, tokens }) => ({
    tokens: Int32Array.from([...prompts[prompt], ...tokens]),
    promptLength: prompts[prompt].length,
  }));
  const rewards = rollouts.map(({ tokens, sample }) => (tokens.length % 3) / 2 - (sample === 0 ? 0.25 : 0));
  for (let i = 0; i < 3; i++) {
    const trained = sequences.map((sequence, s) => ({ ...sequence, advantages: s % 2 ? 1 : -1 }));
    await policy.step(trained, { learningRate: 1e-4 });
  }
  await policy.save(path.join(work, 'policy'));
  policy.dispose();
  cpSync(base, path.join(work, 'reference'), { recursive: true, filter: (from) => !from.includes('checkpoints') });
  const batch = {
    prompts: rollouts.map(({ prompt }) => Array.from(prompts[prompt])),
    completions: rollouts.map(({ tokens }) => Array.from(tokens)),
    oldLogProbs: rollouts.map(({ logProbs }) => Array.from(logProbs)),
    rewards,
    samplesPerPrompt: N,
    maxTokens: MAX_TOKENS,
    temperature: 1,
    cases,
  };
  writeFileSync(path.join(work, 'batch.json'), JSON.stringify(batch));
  return { batch, sequences, groups: rollouts.map(({ prompt }) => prompt) };
}

async function ours(work, { batch, sequences, groups }, { trl, algorithm, estimator, step: options }) {
  const policy = await Policy.load(path.join(work, 'policy'), { device: 'cpu' });
  const reference = await Policy.load(path.join(work, 'reference'), { device: 'cpu' });
  const referenceLogProbs = await reference.logProbs(sequences);
  const now = await policy.logProbs(sequences);
  const input = {
    rewards: batch.rewards,
    groups,
    lengths: batch.completions.map(({ length }) => length),
    kl: now.map((row, i) => row.map((value, t) => value - referenceLogProbs[i][t])),
  };
  const klCoefficient = algorithm === 'rloo' ? trl.beta : 0;
  const advantages = algorithms[estimator](input, { numerics: 'trl', klCoefficient });
  const trained = sequences.map((sequence, i) => ({
    ...sequence,
    advantages: advantages[i],
    oldLogProbs: batch.oldLogProbs[i],
    referenceLogProbs: referenceLogProbs[i],
  }));
  const before = readTensors(path.join(work, 'policy/model.safetensors'));
  const optimizer = { learningRate: SCALE * EPS, eps: EPS, betas: [0, 0], maxGradNorm: 0 };
  const stats = await policy.step(trained, { ...options, ...optimizer });
  await policy.save(path.join(work, 'stepped'));
  policy.dispose();
  reference.dispose();
  const after = readTensors(path.join(work, 'stepped/model.safetensors'));
  const gradient = new Map(
    [...before].map(([name, values]) => [name, after.get(name).map((value, i) => (values[i] - value) / SCALE)]),
  );
  return { loss: stats.loss, clipFraction: stats.clipFraction, advantages: advantages.map((row) => row[0]), gradient };
}

const work = mkdtempSync(path.join(tmpdir(), 'zero-rl-trl-'));
try {
  const made = await makeBatch(work);
  const script = path.join(root, 'bench/peers/trl_peer.py');
  const printed = execFileSync(flags.python, [script, work], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const versions = JSON.parse(printed.trim().split('\n').at(-1));
  const rows = [];
  for (const entry of cases) {
    const mine = await ours(work, made, entry);
    const theirs = JSON.parse(readFileSync(path.join(work, `${entry.name}.json`), 'utf8'));
    const { distance, norm } = relativeDistance(
      mine.gradient,
      readTensors(path.join(work, `${entry.name}.safetensors`)),
    );
    rows.push({
      name: entry.name,
      advantages: Math.max(...mine.advantages.map((value, i) => Math.abs(value - theirs.advantages[i]))),
      loss: mine.loss,
      lossDifference: Math.abs(mine.loss - theirs.loss),
      gradientNorm: norm,
      gradientDistance: distance,
      clipFraction: mine.clipFraction,
    });
  }
  const short = (value) => value.toExponential(1);
  process.stdout.write(
    [
      '| case | advantages, largest difference | loss | difference | gradient, relative distance | clipped |',
      '| --- | ---: | ---: | ---: | ---: | ---: |',
      ...rows.map(
        (row) =>
          `| ${row.name} | ${short(row.advantages)} | ${row.loss.toFixed(6)} | ${short(row.lossDifference)} | ${short(row.gradientDistance)} | ${(100 * row.clipFraction).toFixed(0)} % |`,
      ),
      '',
    ].join('\n'),
  );
  writeFileSync(
    path.join(root, 'bench/results/trl-losses.json'),
    `${JSON.stringify({ ...versions, rows }, null, 1)}\n`,
  );
} finally {
  rmSync(work, { recursive: true });
}
