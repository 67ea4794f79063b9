/** The files of the page: its own beside this module, those of its libraries from their packages. No other file is served. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../package-root';

const PAGE = join(packageRoot, 'dist', 'observe', 'dashboard', 'page');

/** Resolves as the package does, wherever a bundler has put this module and package managers keep the libraries. */
const { resolve } = createRequire(join(packageRoot, 'package.json'));
const packageFolder = (name: string): string => dirname(resolve(`${name}/package.json`));

/** Addresses of what libraries bring; index.html maps their names to these. */
const vendored: Record<string, [packageName: string, file: string]> = {
  '/vendor/preact.js': ['preact', 'dist/preact.mjs'],
  '/vendor/preact-hooks.js': ['preact', 'hooks/dist/hooks.mjs'],
  '/vendor/preact-jsx-runtime.js': ['preact', 'jsx-runtime/dist/jsxRuntime.mjs'],
  '/vendor/uplot.js': ['uplot', 'dist/uPlot.esm.js'],
  '/vendor/uplot.css': ['uplot', 'dist/uPlot.min.css'],
};

const types: Record<string, string> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

export interface Asset {
  type: string;
  content: string;
}

export interface Assets {
  files: ReadonlyMap<string, Asset>;
  /** index.html with a token, or '', in its place. */
  index: (token: string) => string;
  /** Content-Security-Policy: nothing from elsewhere, no inline script but the import map. */
  policy: string;
}

export function loadAssets(): Assets {
  const files = new Map<string, Asset>();
  const add = (address: string, file: string): void => {
    const type = types[address.slice(address.lastIndexOf('.') + 1)];
    files.set(address, { type, content: readFileSync(file, 'utf8') });
  };
  for (const name of readdirSync(PAGE)) if (/\.(js|css)$/.test(name)) add(`/page/${name}`, join(PAGE, name));
  for (const [address, [name, file]] of Object.entries(vendored)) add(address, join(packageFolder(name), file));
  const html = readFileSync(join(PAGE, 'index.html'), 'utf8');
  // The browser asks for all modules at once, and not for each when it has read the one that imports it.
  const modules = [...files.keys()].filter((address) => address.endsWith('.js'));
  const preloads = modules.map((address) => `<link rel="modulepreload" href="${address}" />`).join('\n    ');
  const map = /<script type="importmap">([^]*?)<\/script>/.exec(html)?.[1] ?? '';
  const hash = createHash('sha256').update(map).digest('base64');
  return {
    files,
    index: (token) => html.replace('{{modules}}', preloads).replace('{{token}}', token),
    policy: `default-src 'none'; script-src 'self' 'sha256-${hash}'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
  };
}
