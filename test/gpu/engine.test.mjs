/** CUDA against the CPU, and graphs against the same kernels launched one by one. `npm run test:gpu` */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { child, create, meanDifference, prompts, skipReason } from './support.mjs';

const skip = skipReason();

/** What both devices are asked to do. */
async function compare(options, changes, body) {
  const cpu = await create({ device: 'cpu', ...options }, changes);
  const cuda = await create({ device: 'cuda', ...options }, changes);
  try {
    await body(cuda, cpu);
  } finally {
    cpu.dispose();
    cuda.dispose();
  }
}

const sequences = prompts
  .filter((tokens) => tokens.length > 2)
  .map((tokens, i) => ({ tokens, promptLength: 1 + (i % 2), advantages: i % 3 === 0 ? -1 : 0.5 }));

for (const [dtype, tolerance] of [
  ['float32', 1e-4],
  ['bfloat16', 0.03],
]) {
  for (const changes of [{}, { architecture: 'qwen3', attentionBias: false, qkNorm: true, headDim: 128, heads: 4 }]) {
    const name = `${dtype}, ${changes.architecture ?? 'qwen2'}`;
    test(`log-probs: ${name}, mean difference below ${tolerance}`, { skip }, () =>
      compare({ dtype }, changes, async (cuda, cpu) => {
        const [actual, expected] = [await cuda.logProbs(sequences), await cpu.logProbs(sequences)];
        assert.ok(meanDifference(actual, expected) < tolerance);
      }),
    );

    test(`five steps: ${name}`, { skip }, () =>
      compare({ dtype }, changes, async (cuda, cpu) => {
        const relative = dtype === 'float32' ? 1e-3 : 0.05;
        for (let step = 0; step < 5; step++) {
          const options = { learningRate: 1e-3, kl: { coefficient: 0 } };
          const [actual, expected] = [await cuda.step(sequences, options), await cpu.step(sequences, options)];
          assert.ok(actual.applied);
          assert.ok(Math.abs(actual.gradNorm / expected.gradNorm - 1) < relative, `norm of step ${step}`);
          assert.ok(
            Math.abs(actual.entropy - expected.entropy) < relative * expected.entropy,
            `entropy of step ${step}`,
          );
        }
      }),
    );
  }
}

test('the same seeds give the same tokens in float32, but for draws within rounding of a bound', { skip }, () =>
  compare({ dtype: 'float32' }, {}, async (cuda, cpu) => {
    const options = { n: 4, maxTokens: 48, stopTokens: [1, 2, 3], seed: 11 };
    const [actual, expected] = [await cuda.sample(prompts, options), await cpu.sample(prompts, options)];
    const same = expected.filter(
      ({ tokens }, i) => Buffer.compare(Buffer.from(tokens.buffer), Buffer.from(actual[i].tokens.buffer)) === 0,
    );
    assert.ok(same.length >= 0.95 * expected.length, `${same.length} of ${expected.length}`);
  }),
);

test('log-probs of samples are those of a scoring pass', { skip }, async () => {
  const policy = await create({ device: 'cuda', dtype: 'bfloat16' });
  try {
    const rollouts = await policy.sample(prompts, { n: 2, maxTokens: 64, stopTokens: [] });
    const scored = await policy.logProbs(
      rollouts.map(({ prompt, tokens }) => ({
        tokens: [...prompts[prompt], ...tokens],
        promptLength: prompts[prompt].length,
      })),
    );
    assert.ok(
      meanDifference(
        scored,
        rollouts.map(({ logProbs }) => logProbs),
      ) < 0.02,
    );
  } finally {
    policy.dispose();
  }
});

test('graphs give what kernels launched one by one give, to the bit', { skip }, () => {
  const run = (environment) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [child('sample.mjs')], {
      encoding: 'utf8',
      env: { ...process.env, ...environment },
    });
    assert.equal(status, 0, stderr);
    return stdout;
  };
  assert.equal(run({}), run({ ZERO_RL_TEST_NO_GRAPHS: '1' }));
});
