#!/usr/bin/env node
/**
 * Stands in for node-gyp when prebuildify packs the addon: takes node-gyp's arguments, builds the checkout with cmake-js and
 * copies what came out below the current folder, where prebuildify strips and moves it. The build itself stays as it is.
 */
const { copyFileSync, mkdirSync, readdirSync } = require('node:fs');
const path = require('node:path');

const built = path.join(__dirname, '../build/Release');
const target = path.resolve('build/Release');

async function main() {
  const arch = process.argv.find((argument) => argument.startsWith('--arch='))?.slice('--arch='.length);
  if (arch !== undefined && arch !== process.arch)
    throw new Error(`This builds for ${process.arch} and not for ${arch}.`);
  const { steps } = await import('./setup/steps.mjs');
  const native = steps.at(-1);
  if (!native.isDone()) await native.run(() => {});
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(built)) {
    if (/\.(node|so)$/.test(name)) copyFileSync(path.join(built, name), path.join(target, name));
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
