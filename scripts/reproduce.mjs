/**
 * `npm run reproduce`: the runs behind the README's figure. Runs that are done are skipped and one that was cut off goes on,
 * so it may be stopped at any time. Writes bench/results/reproduce.json, bench/results/reproduce.md and docs/reproduce.svg.
 */
/* global AbortController */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import path from 'node:path';
import { drawFigure } from './reproduce/figure.mjs';
import { experiments, makeTable, readResult } from './reproduce/experiments.mjs';

const root = path.resolve(import.meta.dirname, '..');
const require = createRequire(import.meta.url);
const { train } = require('../dist/index.js');
const { readYamlFile, applyAssignments } = require('../dist/training/load-config.js');
const { packageVersion } = require('../dist/libtorch/pin.js');

const base = readYamlFile(path.join(root, 'configs/reproduce.yaml'));
const output = path.join(root, base.output);

/** The newest folder of an experiment; undefined before its first run. */
function folderOf(name) {
  const home = path.join(output, name);
  const runs = existsSync(home) ? readdirSync(home).sort() : [];
  return runs.length === 0 ? undefined : path.join(home, runs.at(-1));
}

async function runExperiment({ name, set }, signal) {
  const config = applyAssignments(base, [...set, `name=${name}`, `output=${path.join(output, name)}`]);
  config.model = path.join(root, base.model);
  const folder = folderOf(name);
  if (folder !== undefined && existsSync(path.join(folder, 'summary.json'))) return folder;
  let made = folder;
  const onEvent = (event) => {
    if (event.type === 'start') made = event.folder;
  };
  for await (const step of train(config, { signal, onEvent, resume: folder })) {
    if (step.step % 10 !== 0) continue;
    const held = step.evaluation ? `, held out ${(100 * step.evaluation.accuracy).toFixed(1)} %` : '';
    const text = `step ${step.step}, reward ${step.rewardMean.toFixed(3)}, ${step.responseLength.toFixed(1)} tokens, KL ${step.klPerSequence.toFixed(2)}${held}`;
    process.stderr.write(`  ${text}\n`);
  }
  return made;
}

/** Data, table and figure of what is done so far. */
async function writeResults(results) {
  const report = {
    version: packageVersion,
    machine: { processor: cpus()[0]?.model ?? 'unknown', processors: cpus().length, node: process.versions.node },
    config: base,
    runs: results,
  };
  mkdirSync(path.join(root, 'bench/results'), { recursive: true });
  mkdirSync(path.join(root, 'docs'), { recursive: true });
  writeFileSync(path.join(root, 'bench/results/reproduce.json'), `${JSON.stringify(report)}\n`);
  writeFileSync(path.join(root, 'bench/results/reproduce.md'), makeTable(results));
  writeFileSync(path.join(root, 'docs/reproduce.svg'), await drawFigure(results));
}

const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => abort.abort());

try {
  const results = [];
  for (const [index, experiment] of experiments.entries()) {
    process.stderr.write(`[${index + 1}/${experiments.length}] ${experiment.title}, seed ${experiment.seed}\n`);
    results.push(readResult(experiment, await runExperiment(experiment, abort.signal)));
    await writeResults(results);
  }
  process.stdout.write(`${makeTable(results)}\nfigure docs/reproduce.svg, data bench/results/reproduce.json\n`);
} catch (error) {
  const stopped = abort.signal.aborted;
  process.stderr.write(stopped ? 'Stopped; npm run reproduce goes on from here.\n' : `zero-rl: ${error.message}\n`);
  process.exitCode = stopped ? 130 : 1;
}
