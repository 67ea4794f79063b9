/** Compiles programs that use the installed package the ways that TypeScript projects are set up, its declarations checked too. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { root } from '../setup/content-hash.mjs';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

const PROGRAM = `
import { algorithms, Policy, train, verify, ZeroRlError, type Rollout, type SampleOptions, type TrainConfigInput } from 'zero-rl';
export async function use(options: SampleOptions, config: TrainConfigInput): Promise<Rollout[]> {
  using policy = await Policy.load('model', { device: 'auto', dtype: 'bfloat16' });
  const rewards = [verify('1', 'so \\\\boxed{1}').correct === true ? 1 : 0];
  const advantages: Float32Array[] = algorithms.rloo({ rewards, groups: [0], lengths: [2] });
  for await (const { step, rewardMean } of train(config)) console.log(step.toFixed(), rewardMean.toFixed(), advantages.length);
  // @ts-expect-error: options are checked.
  await policy.sample(['Q'], { n: 'two' });
  const error: Error = new ZeroRlError('ERR_ZERO_RL_CONFIG', 'no');
  if (error.message === '') throw error;
  return policy.sample(['Q'], options);
}
`;

const REQUIRE = `
import zeroRl = require('zero-rl');
export const version: string = typeof zeroRl.Policy.load;
`;

const PROJECTS = [
  { name: 'commonjs', module: 'node16', type: 'commonjs', files: { 'use.ts': PROGRAM, 'require.cts': REQUIRE } },
  { name: 'esm', module: 'nodenext', type: 'module', files: { 'use.ts': PROGRAM } },
  { name: 'bundler', module: 'esnext', moduleResolution: 'bundler', type: 'module', files: { 'use.ts': PROGRAM } },
];

/** Sentences about the projects that do not compile in `project`, a folder with the package in its node_modules. */
export function checkTypes(project) {
  // What a TypeScript project for Node brings along.
  mkdirSync(path.join(project, 'node_modules/@types'), { recursive: true });
  for (const name of ['@types/node', 'undici-types']) {
    symlinkSync(path.join(root, 'node_modules', name), path.join(project, 'node_modules', name));
  }
  return PROJECTS.flatMap(({ name, module, moduleResolution = module, type, files }) => {
    const directory = path.join(project, `types-${name}`);
    mkdirSync(directory);
    const compilerOptions = {
      target: 'es2023',
      lib: ['es2023', 'esnext.disposable'],
      module,
      moduleResolution,
      strict: true,
      noEmit: true,
      types: ['node'],
    };
    const texts = {
      ...files,
      'package.json': JSON.stringify({ type }),
      'tsconfig.json': JSON.stringify({ compilerOptions }),
    };
    for (const [file, text] of Object.entries(texts)) writeFileSync(path.join(directory, file), text);
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', directory], { encoding: 'utf8' });
    return status === 0 ? [] : [`A ${name} project in TypeScript does not compile: ${stdout.trim()}`];
  });
}
