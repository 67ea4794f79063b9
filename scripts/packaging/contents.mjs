/** What the packed package holds: everything that it needs and nothing else. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { filesIn, root } from '../setup/content-hash.mjs';

const ADDON = 'prebuilds/linux-x64/zero-rl.napi.node';
const MODEL = ['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];
/** Where the dashboard's page lies, which is no TypeScript of ours. */
const ASSETS = /^dist\/observe\/dashboard\/page\//;

/** Files that must be there, each once. */
function expectedFiles() {
  const compiled = filesIn('src', /\.ts$/)
    .map((file) => `dist${file.slice('src'.length, -'.ts'.length)}`)
    .filter((file) => !ASSETS.test(file));
  return [
    ...['package.json', 'README.md', 'LICENSE', 'config.schema.json', ADDON],
    ...compiled.flatMap((file) => [`${file}.js`, `${file}.d.ts`]),
    ...['index.js', 'index.d.ts', 'native.d.ts'].map((name) => `binding/${name}`),
    ...filesIn('examples', /\.mjs$/),
    ...filesIn('recipes', /\.yaml$/),
    'configs/pretrain.yaml',
    ...[...MODEL, 'README.md'].map((name) => `models/arithmetic-1m/${name}`),
  ];
}

/** Files that may be there besides. */
const mayBeThere = (file) => ASSETS.test(file) || file === 'prebuilds/linux-x64/libzero_rl_cuda.so';

/**
 * Packs the checkout into `directory`.
 * @returns {{ file: string, size: number, unpackedSize: number, faults: string[] }} sizes in bytes, faults as sentences
 */
export function pack(directory) {
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', directory], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [{ filename, size, unpackedSize, files }] = JSON.parse(output);
  const packed = new Set(files.map((file) => file.path));
  const expected = expectedFiles();
  const faults = [
    ...expected.filter((file) => !packed.has(file)).map((file) => `The package lacks ${file}.`),
    ...[...packed]
      .filter((file) => !expected.includes(file) && !mayBeThere(file))
      .map((file) => `The package holds ${file}, which nobody needs.`),
  ];
  return { file: path.join(directory, filename), size, unpackedSize, faults };
}
