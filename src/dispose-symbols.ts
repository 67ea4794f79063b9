/**
 * Some test runners run modules in a context of their own, which lacks the symbols of `using` on Node 20. Those of the process
 * take their place, which the objects of Node itself have. Imported before all that uses them.
 */
import { runInThisContext } from 'node:vm';

for (const name of ['dispose', 'asyncDispose']) {
  if (!Object.hasOwn(Symbol, name)) Object.defineProperty(Symbol, name, { value: runInThisContext(`Symbol.${name}`) });
}
