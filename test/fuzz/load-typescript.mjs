import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import typescript from 'typescript';

const require = createRequire(import.meta.url);

/** Loads a TypeScript module, named from this folder, and what it imports, without checking types. */
export function loadTypescript(path) {
  require.extensions['.ts'] = (module, filename) => {
    const { outputText } = typescript.transpileModule(readFileSync(filename, 'utf8'), {
      compilerOptions: {
        module: typescript.ModuleKind.CommonJS,
        target: typescript.ScriptTarget.ES2023,
        esModuleInterop: true,
      },
    });
    module._compile(outputText, filename);
  };
  return require(fileURLToPath(new URL(path, import.meta.url)));
}
