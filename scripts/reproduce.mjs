/**
 * `npm run reproduce`: the runs behind the README's figure. Runs that are done are skipped and one that was cut off goes on,
 * so it may be stopped at any time. Writes bench/results/reproduce.json, bench/results/reproduce.md and docs/reproduce.svg.
 * `--all` goes on with every estimator and objective: bench/results/algorithms.json, docs/algorithms.svg and the table in
 * docs/algorithms.md. `--only KEY,KEY` makes those of the latter runs alone.
 */
/* global AbortController */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { algorithmExperiments, algorithmFigure, algorithmTable } from './reproduce/algorithms.mjs';
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

function writeData(name, results) {
  const report = {
    version: packageVersion,
    machine: { processor: cpus()[0]?.model ?? 'unknown', processors: cpus().length, node: process.versions.node },
    config: base,
    runs: results,
  };
  mkdirSync(path.join(root, 'bench/results'), { recursive: true });
  writeFileSync(path.join(root, `bench/results/${name}.json`), `${JSON.stringify(report)}\n`);
}

/** Data, table and figure of what is done so far. */
async function writeResults(results) {
  writeData('reproduce', results);
  writeFileSync(path.join(root, 'bench/results/reproduce.md'), makeTable(results));
  writeFileSync(path.join(root, 'docs/reproduce.svg'), await drawFigure(results));
}

const TABLE = /(<!-- table of runs -->\n)[^]*?(?=<!-- end of table -->)/;

/** The same of the estimators and objectives; the table replaces the one in docs/algorithms.md. */
async function writeAlgorithms(results) {
  writeData('algorithms', results);
  writeFileSync(path.join(root, 'docs/algorithms.svg'), await algorithmFigure(results));
  const page = path.join(root, 'docs/algorithms.md');
  writeFileSync(page, readFileSync(page, 'utf8').replace(TABLE, `$1\n${algorithmTable(results)}\n`));
}

/** Runs of an earlier report with the same settings, by key and seed. */
function recordedRuns(name) {
  const file = path.join(root, `bench/results/${name}.json`);
  if (!existsSync(file)) return new Map();
  const { config, runs } = JSON.parse(readFileSync(file, 'utf8'));
  const same = JSON.stringify(config) === JSON.stringify(base);
  return new Map((same ? runs : []).map((run) => [`${run.key}/${run.seed}`, run]));
}

/** Results of those experiments that are done; of the others those on record. */
function finished(list, recorded) {
  return list.flatMap((experiment) => {
    const folder = folderOf(experiment.name);
    if (folder !== undefined && existsSync(path.join(folder, 'summary.json'))) return [readResult(experiment, folder)];
    return recorded.get(`${experiment.key}/${experiment.seed}`) ?? [];
  });
}

/** Runs `list` one after the other and writes what is done of `all` after each, with what report `name` has of the rest. */
async function reproduce(list, all, name, write) {
  const recorded = recordedRuns(name);
  for (const [index, experiment] of list.entries()) {
    process.stderr.write(`[${index + 1}/${list.length}] ${experiment.title}, seed ${experiment.seed}\n`);
    await runExperiment(experiment, abort.signal);
    await write(finished(all, recorded));
  }
  return finished(all, recorded);
}

const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => abort.abort());

try {
  const { values: flags } = parseArgs({ options: { all: { type: 'boolean' }, only: { type: 'string' } } });
  const wanted = flags.only?.split(',');
  const unknown = wanted?.find((key) => !algorithmExperiments.some((experiment) => experiment.key === key));
  if (unknown !== undefined)
    throw new Error(`There is no run ${unknown}; runs: ${algorithmExperiments.map(({ key }) => key).join(', ')}`);
  if (!wanted) {
    const results = await reproduce(experiments, experiments, 'reproduce', writeResults);
    process.stdout.write(`${makeTable(results)}\nfigure docs/reproduce.svg, data bench/results/reproduce.json\n`);
  }
  if (flags.all || wanted) {
    const list = algorithmExperiments.filter(({ key }) => wanted?.includes(key) ?? true);
    const results = await reproduce(list, algorithmExperiments, 'algorithms', writeAlgorithms);
    process.stdout.write(
      `${algorithmTable(results)}\nfigure docs/algorithms.svg, data bench/results/algorithms.json\n`,
    );
  }
} catch (error) {
  const stopped = abort.signal.aborted;
  process.stderr.write(stopped ? 'Stopped; npm run reproduce goes on from here.\n' : `zero-rl: ${error.message}\n`);
  process.exitCode = stopped ? 130 : 1;
}
