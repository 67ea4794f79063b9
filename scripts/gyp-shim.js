#!/usr/bin/env node
/** Stands in for node-gyp when prebuildify packs the addon: takes node-gyp's arguments and runs cmake-js. */
const { spawnSync } = require('node:child_process');
const path = require('node:path');

const args = process.argv.slice(2);
const arch = args.find((argument) => argument.startsWith('--arch='))?.slice('--arch='.length) ?? process.arch;
const config = args.includes('--debug') ? 'Debug' : 'Release';
const { resolveLibtorch } = require('../dist/libtorch/resolve.js');

const { status } = spawnSync(
  process.execPath,
  [
    path.join(__dirname, '../node_modules/cmake-js/bin/cmake-js'),
    'build',
    ...['--config', config, '--arch', arch],
    `--CDTORCH_DIR=${resolveLibtorch().directory}`,
  ],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
