/** A project of a user: an empty folder where the packed package is installed and used, without a compiler or Python. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** From a project's folder. */
export const MODEL = 'node_modules/zero-rl/models/arithmetic-1m';

/** Samples, scores and steps the bundled model and prints figures as JSON. */
const PROGRAM = `
  const policy = await Policy.load('${MODEL}', { device: 'cpu' });
  const prompt = policy.tokenizer.encode('Q: 27+48=?\\nA:');
  const rollouts = await policy.sample([prompt], { n: 4, maxTokens: 48, seed: 1 });
  const sequences = rollouts.map(({ tokens }, i) => ({ tokens: [...prompt, ...tokens], promptLength: prompt.length, advantages: i % 2 ? 1 : -1 }));
  const scored = await policy.logProbs(sequences.map(({ tokens, promptLength }) => ({ tokens, promptLength })));
  const { gradNorm } = await policy.step(sequences, { learningRate: 1e-5 });
  const difference = Math.max(...rollouts.flatMap(({ logProbs }, i) => [...logProbs].map((value, t) => Math.abs(value - scored[i][t]))));
  console.log(JSON.stringify({ tokens: rollouts.map(({ tokens }) => [...tokens]), difference, gradNorm }));
  policy.dispose();
`;

/** A PATH with Node and the few tools that the shell scripts of package managers call. */
function makePath(directory, node) {
  const bin = path.join(directory, 'bin');
  mkdirSync(bin);
  symlinkSync(node, path.join(bin, 'node'));
  for (const tool of ['sh', 'env', 'sed', 'dirname', 'uname']) {
    const found = ['/usr/bin', '/bin'].map((folder) => path.join(folder, tool));
    const { stdout } = spawnSync('/bin/sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' });
    symlinkSync(stdout.trim() || found[0], path.join(bin, tool));
  }
  return bin;
}

/**
 * One consumer.
 * @param {string} directory a folder that exists; the project is a new one in it
 * @param {{ node: string, npm?: string, pnpm?: string, libtorch: Record<string, string> }} tools the binary of Node, the
 * script of one package manager, and the variables by which libtorch is found
 */
export function makeConsumer(directory, { node, npm, pnpm, libtorch }) {
  const base = mkdtempSync(path.join(directory, 'consumer-'));
  const project = path.join(base, 'project');
  const home = path.join(base, 'home');
  mkdirSync(project);
  mkdirSync(home);
  writeFileSync(path.join(project, 'package.json'), '{ "name": "consumer", "private": true }\n');
  const outside = Object.entries(process.env).filter(
    ([name]) =>
      !/^(ZERO_RL|npm_(?!config_(registry|cafile|userconfig|cache))|NODE_OPTIONS|PYTHON|VIRTUAL_ENV|CONDA)/.test(name),
  );
  const plain = { ...Object.fromEntries(outside), PATH: makePath(base, node), CUDA_VISIBLE_DEVICES: '' };
  const withLibtorch = { ...plain, ...libtorch };
  const withoutLibtorch = { ...plain, ZERO_RL_CACHE: path.join(home, 'cache') };

  function run(args, env = withLibtorch, command = 'node') {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      cwd: project,
      env,
      encoding: 'utf8',
      timeout: 240_000,
    });
    return { status, stdout: stdout ?? '', stderr: error ? error.message : stderr };
  }

  /** Runs and returns the output. @throws where it fails */
  function mustRun(what, ...call) {
    const ended = run(...call);
    if (ended.status !== 0)
      throw new Error(`${what} ended with ${ended.status}: ${ended.stderr.trim() || ended.stdout.trim()}`);
    return ended.stdout;
  }

  return {
    project,
    environment: withLibtorch,
    run: mustRun,

    install(tarball) {
      if (npm) mustRun('npm install', [npm, 'install', '--no-audit', '--no-fund', tarball]);
      else mustRun('pnpm add', [pnpm, 'add', '--store-dir', path.join(directory, 'pnpm-store'), tarball]);
    },

    /** Packages of the installation that run a script at install, as npm notes them. */
    installScripts() {
      const { packages } = JSON.parse(readFileSync(path.join(project, 'node_modules/.package-lock.json'), 'utf8'));
      return Object.keys(packages).filter((name) => packages[name].hasInstallScript);
    },

    /** Requires and imports the package; returns the names of both and the figures of the program by both. */
    use() {
      const names = JSON.parse(mustRun('require', ['-p', "JSON.stringify(Object.keys(require('zero-rl')))"]));
      writeFileSync(
        path.join(project, 'use.mjs'),
        `import { ${names.join(', ')} } from 'zero-rl';\nvoid [${names.join(', ')}];\n${PROGRAM}`,
      );
      writeFileSync(
        path.join(project, 'use.cjs'),
        `const { Policy } = require('zero-rl');\n(async () => {${PROGRAM}})();\n`,
      );
      return ['use.cjs', 'use.mjs'].map((file) => JSON.parse(mustRun(file, [file])));
    },

    /** The command line, as package managers link it. */
    cli: (...args) => mustRun(`zero-rl ${args[0]}`, args, withLibtorch, 'node_modules/.bin/zero-rl'),

    /** What a program and the command line say where no libtorch is found: exit codes and lines of standard error. */
    failWithoutLibtorch() {
      const program = `require('zero-rl').Policy.load('${MODEL}', { device: 'cpu' }).catch(({ code, message }) => { console.error(message); process.exitCode = code === 'ERR_ZERO_RL_LIBTORCH_NOT_FOUND' ? 1 : 3; })`;
      writeFileSync(path.join(project, 'prompts.jsonl'), '{"id":1,"prompt":"Q:"}\n');
      const sample = ['sample', '--model', MODEL, '--input', 'prompts.jsonl', '--output', 'out.jsonl'];
      return [run(['-e', program], withoutLibtorch), run(sample, withoutLibtorch, 'node_modules/.bin/zero-rl')];
    },
  };
}
