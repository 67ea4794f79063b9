import { Budget } from '../../../../src/verifier/budget';
import { limits } from '../../../../src/verifier/limits';
import type { Node } from '../../../../src/verifier/node';
import { equalExpressions } from '../../../../src/verifier/numeric/equal-expressions';
import { based, infix } from '../../../support/verifier-nodes';

const compare = (a: string, b: string): string[] =>
  [
    [a, b],
    [b, a],
  ].map(([left, right]) => equalExpressions(infix(left), infix(right), { budget: new Budget(limits.workUnits) }));

const table = (rows: readonly string[]): string[][] => rows.map((row) => row.split(' = '));

const expectAll = (verdict: string, rows: readonly string[]): void => {
  test.each(table(rows))(`%s, %s: ${verdict}`, (a, b) => {
    expect(compare(a, b)).toEqual([verdict, verdict]);
  });
};

describe('constants', () => {
  expectAll('equal', [
    '1/2 = 0.5',
    '3*sqrt(13) = sqrt(117)',
    'sqrt(2)+sqrt(3) = sqrt(5+2*sqrt(6))',
    'root(3,2+sqrt(5))+root(3,2-sqrt(5)) = 1',
    '1/sqrt(2) = sqrt(2)/2',
    '5*pi/3 = (5/3)*pi',
    'sin(pi/12) = (sqrt(6)-sqrt(2))/4',
    'cos(2*pi/7)+cos(4*pi/7)+cos(6*pi/7) = -1/2',
    'sin(pi) = 0',
    '4*arctan(1/5)-arctan(1/239) = pi/4',
    'arccos(-1/2) = 2*pi/3',
    'arcsin(1) = pi/2',
    'ln(6) = ln(2)+ln(3)',
    'log(2,3) = ln(3)/ln(2)',
    '60° = pi/3',
    '50% = 1/2',
    '(-8)^(1/3) = -2',
    'root(3,-8) = -2',
    'gamma(5/2) = 3*sqrt(pi)/4',
    'floor(10*log(2)) = 3',
    'max(1,sqrt(2)) = sqrt(2)',
    'sqrt(sqrt(sqrt(2)))^8 = 2',
    'sin(10^22)^2+cos(10^22)^2 = 1',
    'sum(k,1,100,sqrt(k))+1 = 1+sum(j,1,100,j^(1/2))',
  ]);

  expectAll('different', [
    '1-1/e = 1+1/e',
    'e^(pi*sqrt(163)) = 262537412640768744',
    '3*sqrt(13) = 2*sqrt(13)',
    'tan(pi/8) = sqrt(2)-1+10^(-30)',
    'ln(6) = ln(2)+ln(3)+10^(-60)',
    'pi = pi+10^(-300)',
    'pi = pi+10^(-600)',
    '(pi+10^(-120))^2 = pi^2+2*pi*10^(-120)',
    '(sqrt(2)+10^(-200))^2 = 2+sqrt(8)*10^(-200)',
    'pi+e*10^(-300)+10^(-550) = pi+e*10^(-300)',
    'sqrt(10^200+1)-10^100 = 0',
    'tanh(100) = 1',
    'arctan(10^100) = pi/2',
    '(1+1/10^9)^(10^9) = e',
    'floor(sqrt(2)*10^50) = 3',
    '1/0 = 5',
  ]);

  test('digits of another base count by their value', () => {
    const context = { budget: new Budget(limits.workUnits) };
    expect(equalExpressions(based('204', 5), infix('54'), context)).toBe('equal');
    expect(equalExpressions(based('204', 5), infix('204'), context)).toBe('different');
  });
});

describe('complex numbers', () => {
  expectAll('equal', [
    '(1+i)^2 = 2*i',
    'e^(i*pi)+1 = 0',
    'i^i = e^(-pi/2)',
    'sqrt(-12) = 2*sqrt(3)*i',
    'abs(3+4*i) = 5',
    'conjugate(1+i) = 1-i',
    'real((1+i)^3) = -2',
    'argument(i) = pi/2',
    'cis(pi/2) = i',
    '(a+b*i)*(a-b*i) = a^2+b^2',
    'real(z)^2+imaginary(z)^2 = abs(z)^2',
    'z*conjugate(z) = abs(z)^2',
    'conjugate(z*w) = conjugate(z)*conjugate(w)',
  ]);
  expectAll('different', ['1+i = 1-i', 'sqrt(-1) = 1', 'a+b*i = a-b*i', 'conjugate(z) = z', 'imaginary(z) = 0']);
});

describe('large and small numbers', () => {
  expectAll('equal', [
    '2^1000000 = 4^500000',
    '10^(10^9)*10 = 10^(10^9+1)',
    '(10^9)!*(10^9+1) = (10^9+1)!',
    '20000! = 20000*19999!',
    'binomial(10^6,5*10^5) = (10^6)!/((5*10^5)!)^2',
    '9^(9^(9^9))+1 = 1+9^(9^(9^9))',
  ]);
  expectAll('different', [
    '10^401 = 10^402',
    '2^(-99) = 2^(-98)',
    '1/2004! = 1/2006!',
    '(2^2005+1)/(3*2^2006) = 1/(3*2^2006)',
    '2^1000000 = 2^1000000+1',
    '10^(10^9) = 10^(10^9+1)',
    '(10^9)! = (10^9+1)!',
  ]);
  expectAll('undecided', ['9^(9^(9^9)) = 5', 'pi+10^(-3000) = pi']);
});

describe('a term beside a much larger one whose value is 0 or whose real part is', () => {
  const huge = '-((-pi)^100.5)^7';
  const zero = '10^200*sin(pi)';
  const zeroOfX = '10^150*(sin(x)^2+cos(x)^2-1)';
  expectAll('different', [
    `${huge} = ${huge}+1`,
    `${huge}+pi = ${huge}+pi+1`,
    `2*(${huge}+1) = 2*(${huge})`,
    '((-pi)^10.5)^7 = ((-pi)^10.5)^7+10^(-60)',
    '((-e)^150.5)^7 = ((-e)^150.5)^7+1',
    `${zero}+1 = 2`,
    `${zero} = 10^(-20)`,
    `sqrt(2)*(${zero}+1) = sqrt(3)*(${zero}+1)`,
    '10^400*(sqrt(5+2*sqrt(6))-sqrt(2)-sqrt(3))+1 = 0',
    `${zeroOfX}+1 = 2`,
    `${zeroOfX}+x = x+1`,
    `y*(${zeroOfX}+x) = y*(x+1)`,
    `1/(${zeroOfX}+x) = 1/(x+1)`,
  ]);
  expectAll('equal', [
    `${huge}+pi = pi-((-pi)^100.5)^7`,
    `2*(${huge}+1) = 2+2*(${huge})`,
    `${zero}+1 = 1`,
    `sqrt(2)*(${zero}+1) = sqrt(2)`,
    `${zeroOfX}+x = x`,
    `y*(${zeroOfX}+x) = x*y`,
    'root(4,sqrt(5+2*sqrt(6))-sqrt(2)-sqrt(3))+3 = 3',
  ]);
  expectAll('undecided', [
    '((-e)^1000.5)^7 = ((-e)^1000.5)^7+1',
    `e*(${huge}+x) = e*(${huge}+x+1)`,
    '((-x-3)^100.5)^7 = ((-x-3)^100.5)^7+1',
    '10^900*sin(pi)+1 = 2',
  ]);
});

describe('infinity', () => {
  expectAll('equal', ['oo = oo', '-oo = -2*oo', 'oo+1 = oo']);
  expectAll('different', ['oo = -oo', 'oo = 5', 'oo = x']);
  expectAll('undecided', ['oo-oo = 0', 'sin(oo) = 0']);
});

describe('functions', () => {
  expectAll('equal', [
    'x^2+2*x+1 = (x+1)^2',
    '(x^2-1)/(x-1) = x+1',
    '1/(1/x+1/y) = x*y/(x+y)',
    '(x+1)^(10^17)*(x+1) = (x+1)^(10^17+1)',
    'sin(x)^2+cos(x)^2 = 1',
    'sin(2*x) = 2*sin(x)*cos(x)',
    'tan(x+y) = (tan(x)+tan(y))/(1-tan(x)*tan(y))',
    'sec(x)^2 = 1+tan(x)^2',
    'sinh(x) = (e^x-e^(-x))/2',
    'arcsinh(x) = ln(x+sqrt(x^2+1))',
    'arctanh(x) = ln((1+x)/(1-x))/2',
    'sqrt(1-x^2) = cos(arcsin(x))',
    'arcsin(x)+arccos(x) = pi/2',
    'arcsec(x) = arccos(1/x)',
    'e^(x+y) = e^x*e^y',
    '4^x = 2^(2*x)',
    'x^n*x^m = x^(n+m)',
    'ln(x^2) = 2*ln(x)',
    'sqrt(x^2) = x',
    'sqrt(x^2) = abs(x)',
    '(x^2)^(1/2) = x',
    '1/(3*root(3,x)^2) = 1/(3*x^(2/3))',
    'root(n,x) = x^(1/n)',
    '1/sqrt(n) = sqrt(1/n)',
    'sqrt(-x^2-1) = i*sqrt(x^2+1)',
    'sqrt(x-100)*sqrt(x-100) = x-100',
    'max(x,y)+min(x,y) = x+y',
    'determinant([[a,b],[c,d]]) = a*d-b*c',
  ]);

  expectAll('different', [
    'x = y',
    'abs(x) = x',
    'abs(x-100) = 100-x',
    'x^2+2*x+1 = (x+1)^2+1',
    'x = x+10^(-40)',
    'e^x = e^x+10^(-40)',
    'sqrt(x+y) = sqrt(x)+sqrt(y)',
    'ln(x+y) = ln(x)+ln(y)',
    'floor(x) = x',
    'sign(x-20) = -1',
    '1/(x-x) = 5',
    '2^(n+1) = 3*2^n',
  ]);
});

describe('whole numbers', () => {
  expectAll('equal', [
    'n! = n*(n-1)!',
    'binomial(n,k) = n!/(k!*(n-k)!)',
    'binomial(n,2) = n*(n-1)/2',
    'binomial(n,k) = binomial(n,n-k)',
    '(-1)^n = cos(n*pi)',
    'i^(2*n) = (-1)^n',
    'sum(k,1,n,k^2) = n*(n+1)*(2*n+1)/6',
    'sum(k,0,n,binomial(n,k)) = 2^n',
    'product(k,1,n,k) = n!',
    'floor(n/2)+floor((n+1)/2) = n',
    'gcd(n,n+1) = 1',
  ]);
  expectAll('different', ['n! = n*(n-1)!+1', '(-1)^(n+1) = (-1)^n', 'sum(k,1,n,k) = n*(n-1)/2', 'x! = x']);
});

describe('unknown functions', () => {
  expectAll('equal', [
    'F(k)*F(n-k-1) = F(n-1-k)*F(k)',
    'f(2*x)+f(x) = f(x)+f(x+x)',
    'sqrt(f(x)^2) = f(x)',
    '1+f(sqrt(2)) = f(sqrt(2))+1',
    'sum(k,1,3,f(k)) = f(1)+f(2)+f(3)',
  ]);
  expectAll('different', ['f(x) = f(y)', 'f(x) = g(x)', 'f(sqrt(2)) = f(sqrt(3))', 'abs(f(x)) = f(x)']);
});

describe('operators over a variable', () => {
  expectAll('equal', ['integral(x,0,1,x^2)*2 = 2*integral(t,0,1,t^2)', 'limit(x,0,f(x)) = limit(y,0,f(y))']);
  expectAll('undecided', ['integral(x,0,1,x^2) = 1/3', 'sum(k,1,oo,1/2^k) = 1']);
});

test('other kinds of nodes are undecided unless they are the same', () => {
  const words: Node = { kind: 'text', text: 'yes' };
  const context = { budget: new Budget(limits.workUnits) };
  expect(equalExpressions(words, { kind: 'text', text: 'yes' }, context)).toBe('equal');
  expect(equalExpressions(words, infix('x'), context)).toBe('undecided');
});
