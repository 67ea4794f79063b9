/**
 * What shipped binaries may need of the system that loads them: symbol versions no newer than the floors of package.json
 * (`zeroRl`), libraries that are the system's, libtorch's or CUDA's, no search path of the builder, no symbol table. Read with
 * readelf, which every C++ tool chain has.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { root } from '../setup/content-hash.mjs';

const { zeroRl } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
/** Lowest supported version by prefix of the symbol versions. */
const FLOORS = { GLIBC: zeroRl.glibc, GLIBCXX: zeroRl.glibcxx, CXXABI: zeroRl.cxxabi, GCC: zeroRl.libgcc };
const NEEDED =
  /^(lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s)|ld-linux-x86-64|lib(c10|torch)(_cpu|_cuda)?|libcudart|libcublas(Lt)?)\.so(\.\d+)?$/;

function readelf(file, ...args) {
  return execFileSync('readelf', ['--wide', ...args, file], { encoding: 'utf8', maxBuffer: 1 << 28 });
}

/** True when dotted version `a` is newer than `b`. */
function isNewer(a, b) {
  return a.localeCompare(b, 'en', { numeric: true }) > 0;
}

/** `[name, prefix, version]` of the undefined symbols of an ELF file that ask for a version. */
function versionedSymbols(file) {
  return [...readelf(file, '--dyn-syms').matchAll(/\sUND (\S+?)@+([A-Z]+)_(\d[\d.]*)/g)].map((match) => match.slice(1));
}

/** What is wrong with one file, and the highest version of each kind that it needs. */
function inspect(file) {
  const faults = [];
  const highest = {};
  for (const [symbol, prefix, version] of versionedSymbols(file)) {
    if (!(prefix in FLOORS)) continue;
    if (highest[prefix] === undefined || isNewer(version, highest[prefix])) highest[prefix] = version;
    if (isNewer(version, FLOORS[prefix])) {
      faults.push(
        `needs ${symbol} of ${prefix} ${version}, and the floor is ${FLOORS[prefix]}; avoid it or bind an older version in ` +
          'native/runtime/old_symbols.h',
      );
    }
  }
  for (const [, tag, value] of readelf(file, '--dynamic').matchAll(/\((NEEDED|RPATH|RUNPATH)\).*\[(.*)\]/g)) {
    if (tag !== 'NEEDED') faults.push(`has the search path ${value}`);
    else if (!NEEDED.test(value)) faults.push(`needs the library ${value}`);
  }
  if (/ \.symtab /.test(readelf(file, '--section-headers'))) faults.push('is not stripped');
  return { highest, faults };
}

/**
 * Checks every file below `directory`.
 * @returns a line per file, and faults as sentences; no file at all is one
 */
export function checkPrebuilds(directory) {
  const lines = [];
  const faults = [];
  let files = [];
  try {
    files = readdirSync(directory, { recursive: true }).filter((name) => /\.(node|so)$/.test(name));
  } catch {
    // A missing folder holds no file.
  }
  for (const name of files.sort()) {
    const file = path.join(directory, name);
    const found = inspect(file);
    const versions = Object.entries(found.highest).map(([prefix, version]) => `${prefix} ${version}`);
    lines.push(`${name}: ${(statSync(file).size / 1e6).toFixed(1)} MB, ${versions.join(', ')}`);
    faults.push(...found.faults.map((fault) => `${name} ${fault}.`));
  }
  if (!files.some((name) => name.endsWith('.node')))
    faults.push(`${directory} holds no addon; run \`npm run prebuilds\`.`);
  return { lines, faults };
}
