import { checkAll, list, member, named, or, ratio, relation, set, tuple } from './nodes';

test('a statement equals its value, two statements need one name', () => {
  checkAll([
    ['x = 1', '1', 'equal'],
    ['x = 1', '2', 'different'],
    ['1 = x', 'x = 1', 'equal'],
    ['x = 1', 'y = 1', 'different'],
    ['x = 1', 'X = 1', 'different'],
    ['y = 2*x+1', '2*x+1', 'equal'],
    ['f(x) = 1', '1', 'equal'],
    ['A*B = 4', 'B*A = 4', 'equal'],
    ['abs(A*B) = 1', '1', 'equal'],
    [relation(ratio('S_A', 'S'), '=', ratio('7', '32')), ratio('14', '64'), 'equal'],
    ['N*O/(B*O) = 1/sqrt(6)', '1/sqrt(6)', 'equal'],
    [relation('D', '=', tuple('0', '1')), relation('D', '=', tuple('0', '1.5')), 'different'],
    [relation('A', '=', '[[1,0],[0,1]]'), '[[1,0],[0,1]]', 'equal'],
    ['A^(-1) = [[1,0],[0,1]]', '[[1,0],[0,1]]', 'equal'],
  ]);
});

test('an equation is not one of its sides', () => {
  checkAll([
    ['2*x+z = 1', '1', 'different'],
    ['7 = 11*a+c', '11*a+c', 'different'],
    ['x^2 = 4', '4', 'different'],
    ['a^2+b = 0', '0', 'different'],
    ['x = x^2-2', 'x^2-2', 'different'],
  ]);
});

test('a chain states its last exact value', () => {
  checkAll([
    ['x = 11', 'x = 5+5+1 = 7 = 11', 'equal'],
    ['x = 1/3 ≈ 0.33', '1/3', 'equal'],
    ['x = 1/3 ≈ 0.33', '0.33', 'different'],
    ['x ≈ 11', '11', 'equal'],
    ['5+6 = 11', '11', 'equal'],
    ['sqrt(2) ≈ 1.41', 'sqrt(2)', 'equal'],
    ['z = 1+1 = 2', 'z = 3+3 = 2', 'equal'],
  ]);
});

test('the argument of a function may have any name', () => {
  checkAll([
    ['f(x) = x^2+1', 'f(t) = t^2+1', 'equal'],
    ['f(x) = x^2+1', 'f(t) = x^2+1', 'different'],
    ['f(x) = x^2+1', 'g(x) = x^2+1', 'different'],
    ['P(A) = 1/2', 'P(B) = 1/2', 'different'],
    ['f(1) = 2', 'f(3) = 2', 'different'],
    ['f(x,y) = x-y', 'f(y,x) = y-x', 'equal'],
    ['f(x,y) = x-y', 'f(y,x) = x-y', 'different'],
    ['f(x)', 'f(y)', 'different'],
  ]);
});

test('records compare by name, and with bare values in order', () => {
  checkAll([
    [list('x = 3', 'y = -2'), list('y = -2', 'x = 3'), 'equal'],
    [list('x = 3', 'y = -2'), list('x = -2', 'y = 3'), 'different'],
    [list('x = 3', 'y = -2'), list('u = 3', 'v = -2'), 'different'],
    [list('x = 3', 'y = -2'), tuple('3', '-2'), 'equal'],
    [list('x = 3', 'y = -2'), list('3', '-2'), 'equal'],
    [list('x = 3', 'y = -2'), list('-2', '3'), 'different'],
    [list('y = -2', 'x = 3'), tuple('3', '-2'), 'equal'],
    [list('y = -2', 'x = 3'), tuple('-2', '3'), 'different'],
    [list('r = 3', 'h = 5'), tuple('3', '5'), 'equal'],
    [list('x = 1', 'y = 2'), set('1', '2'), 'different'],
    [list('x = 1', 'y = 2'), '[[1],[2]]', 'equal'],
    [list('A*B = 4', 'C*D = 5'), list('4', '5'), 'equal'],
    [tuple('x = 3', 'y = -2'), tuple('3', '-2'), 'equal'],
    ['x = 3', list('x = 3', 'y = -2'), 'ambiguous'],
  ]);
});

test('a tuple of names is a record', () => {
  const pair = relation(tuple('p', 'q'), '=', tuple('3', '2'));
  checkAll([
    [pair, tuple('3', '2'), 'equal'],
    [pair, tuple('2', '3'), 'different'],
    [pair, list('q = 2', 'p = 3'), 'equal'],
    [pair, relation(tuple('p', 'q'), '=', tuple('3', '2')), 'equal'],
    [
      list(relation(tuple('x', 'y'), '=', tuple('5', '8')), tuple('8', '5')),
      list(tuple('8', '5'), tuple('5', '8')),
      'equal',
    ],
  ]);
});

test('several values of one name have no order', () => {
  checkAll([
    [list('x = 1', 'x = -2'), or('x = -2', 'x = 1'), 'equal'],
    [or('x = 1', 'x = -2'), list('-2', '1'), 'equal'],
    [or('x = 1', 'x = -2'), set('-2', '1'), 'equal'],
    [or('x = 1', 'x = -2'), or('y = 1', 'y = -2'), 'different'],
    [or('x = 1', 'x = 1'), 'x = 1', 'equal'],
    [list('n = 1', '2', '3'), list('n = 3', '2', '1'), 'equal'],
    [list('n = 1', '2', '3'), list('3', '2', '1'), 'equal'],
    [list('n = 2', '3', '4'), list('n = 1', '2', '3'), 'different'],
    [list('n = 1', '2', '3'), list('m = 1', '2', '3'), 'different'],
    [list('W(n) = 1', 'W(n) = -1'), or('W(x) = 1', 'W(x) = -1'), 'equal'],
  ]);
});

test('numbered names enumerate values, but keep their numbers among themselves', () => {
  checkAll([
    [list('x_1 = 2', 'x_2 = 3'), list('3', '2'), 'equal'],
    [list('x_1 = 2', 'x_2 = 3'), set('3', '2'), 'equal'],
    [list('x_1 = 2', 'x_2 = 3'), list('x_1 = 3', 'x_2 = 2'), 'different'],
  ]);
});

test('several records are several solutions', () => {
  const flat = list('p = 5', 'q = 2', 'p = 7', 'q = 2');
  const grouped = list(list('p = 5', 'q = 2'), list('p = 7', 'q = 2'));
  const points = list(tuple('7', '2'), tuple('5', '2'));
  checkAll([
    [flat, points, 'equal'],
    [grouped, points, 'equal'],
    [flat, list(tuple('2', '7'), tuple('2', '5')), 'different'],
    [flat, list('q = 2', 'p = 7', 'q = 2', 'p = 5'), 'equal'],
  ]);
});

test('what an integer parameter is called does not count', () => {
  const integers = (name: string) => member(name, named('integers'));
  checkAll([
    [list('x = 2*k*pi', integers('k')), list('x = 2*n*pi', integers('n')), 'equal'],
    [list('x = 2*k*pi', integers('k')), '2*n*pi', 'equal'],
    [list('x = 2*k*pi', integers('k')), list('x = 3*n*pi', integers('n')), 'different'],
    [list('x = 2*k*pi + a', integers('k')), '2*n*pi + b', 'different'],
  ]);
});
