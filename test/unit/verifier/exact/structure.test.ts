import { Budget } from '../../../../src/verifier/budget';
import { StructureTable } from '../../../../src/verifier/exact/structure';
import { freeSymbols } from '../../../../src/verifier/exact/tree';
import { infix } from '../../../support/verifier-nodes';

const same = (a: string, b: string): boolean => new StructureTable(new Budget(1e6)).same(infix(a), infix(b));

test.each([
  ['a+b+c', 'c+(b+a)'],
  ['2*x*y', 'y*(x*2)'],
  ['-(-x)', 'x'],
  ['9^(9^(9^9))', '9^(9^(9^9))'],
  ['f(x,y+1)', 'f(x,1+y)'],
  ['sum(k,1,n,k^2)', 'sum(j,1,n,j^2)'],
  ['integral(x,0,1,sin(x)*y)', 'integral(t,0,1,y*sin(t))'],
  ['gcd(a,b)', 'gcd(b,a)'],
  ['determinant([[a,b],[c,d]])*x', 'x*determinant([[a,b],[c,d]])'],
])('%s is %s', (a, b) => {
  expect(same(a, b)).toBe(true);
});

test.each([
  ['a-b', 'b-a'],
  ['a/b', 'b/a'],
  ['a^b', 'b^a'],
  ['f(x,y)', 'f(y,x)'],
  ['f(x)', 'g(x)'],
  ['sum(k,1,n,k*n)', 'sum(n,1,n,n*n)'],
  ['sum(k,1,n,k)', 'product(k,1,n,k)'],
  ['sum(k,1,3,sum(j,1,k,j))', 'sum(k,1,3,sum(j,1,k,k))'],
  ['derivative(x,x^2)', 'derivative(y,y^2)'],
  ['[[1,2]]*[[3],[4]]', '[[3],[4]]*[[1,2]]'],
  ['log(2,3)', 'log(3,2)'],
])('%s is not %s', (a, b) => {
  expect(same(a, b)).toBe(false);
});

test('free symbols leave out bound variables and mark applications', () => {
  expect([...freeSymbols(infix('sum(k,m,n,k*x*f(k))+integral(t,0,1,t)'))].sort()).toEqual(['f()', 'm', 'n', 'x']);
  expect([...freeSymbols(infix('sum(k,k,2,k)'))]).toEqual(['k']);
  expect([...freeSymbols(infix('derivative(x,x^2)'))]).toEqual(['x']);
});
