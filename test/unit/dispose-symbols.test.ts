import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import ts from 'typescript';

test('a context without the symbols of disposal gets those of the process', () => {
  const source = readFileSync(require.resolve('../../src/dispose-symbols'), 'utf8');
  const { outputText } = ts.transpileModule(source, { compilerOptions: { module: ts.ModuleKind.CommonJS } });
  const context = createContext({ require, exports: {} });
  runInContext('delete Symbol.dispose; delete Symbol.asyncDispose;', context);
  runInContext(outputText, context);
  const { runInThisContext } = jest.requireActual<typeof import('node:vm')>('node:vm');
  for (const name of ['dispose', 'asyncDispose'])
    expect(runInContext(`Symbol.${name}`, context)).toBe(runInThisContext(`Symbol.${name}`));
});
