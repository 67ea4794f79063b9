import { checkAll, congruence, list, tuple, or, relation, named } from './nodes';

test('equations are equal up to order and a constant factor', () => {
  checkAll([
    ['2*x+4*y-3 = 0', 'y = -x/2+3/4', 'equal'],
    ['x^2/4+y^2/3 = 1', 'x^2/16+y^2/12 = 1/4', 'equal'],
    ['34*x+45*y-20*z+100 = 0', '-34*x-45*y+20*z-100 = 0', 'equal'],
    ['9 = (x-1)^2', '(x-1)^2 = 9', 'equal'],
    ['x^2+y^2 = 1', 'x^2+y^2 = 2', 'different'],
    ['y = x', 'x = y', 'equal'],
    ['y = 2*x', 'x = y/2', 'equal'],
    ['x/2 = y/3 = z', 'z = x/2 = y/3', 'equal'],
    ['x+y = 1', 'x+y < 1', 'different'],
    [list('x+y = 1', 'x-y = 0'), list('x-y = 0', '2*x+2*y = 2'), 'equal'],
  ]);
});

test('inequalities turn round and take constant factors', () => {
  checkAll([
    ['x < 1', '-x > -1', 'equal'],
    ['x ≤ 5', '5 ≥ x', 'equal'],
    ['x < 1', 'x > -1', 'different'],
    ['x < 1', 'x ≤ 1', 'different'],
    ['x < 1', 'y < 1', 'different'],
    ['2*x > 4', 'x > 2', 'equal'],
    ['2*x+y > 3', '-4*x-2*y < -6', 'equal'],
    ['x+y > 3', 'x+y ≥ 3', 'different'],
    ['x+y > 3', 'x+y < 3', 'different'],
    ['x ≠ 3', '2*x ≠ 6', 'equal'],
    ['x+y ≠ 3', '3 ≠ y+x', 'equal'],
    ['x = 3', 'x ≥ 3', 'different'],
    ['x < 3', '3', 'different'],
  ]);
});

test('chains compare operand by operand, in either direction', () => {
  checkAll([
    ['f(2) < f(1) < f(4)', 'f(4) > f(1) > f(2)', 'equal'],
    ['f(2) < f(1) < f(4)', 'f(1) < f(2) < f(4)', 'different'],
    ['a < b ≤ c', 'a ≤ b < c', 'different'],
    ['-2 ≤ x ≤ 7', '7 ≥ x ≥ -2', 'equal'],
    ['0 < 2*x < 4', '0 < x < 2', 'equal'],
    ['A ⊂ B', 'A ⊂ B', 'equal'],
    ['A ⊂ B', 'B ⊂ A', 'different'],
  ]);
});

test('congruences compare residues', () => {
  checkAll([
    [congruence('x', '3', '5'), congruence('x', '8', '5'), 'equal'],
    [congruence('x', '3', '5'), congruence('x', '-2', '5'), 'equal'],
    [congruence('x', '3', '5'), congruence('x', '4', '5'), 'different'],
    [congruence('x', '3', '5'), congruence('x', '3', '6'), 'different'],
    [congruence('x', '3', '5'), congruence('y', '3', '5'), 'different'],
    [congruence('x', '3', '0'), congruence('x', '3', '0'), 'equal'],
    [congruence('x', '3', '5'), '3', 'equal'],
  ]);
});

test('a relation is not the collection of its numbers', () => {
  checkAll([
    ['x > 5', list('6', '7'), 'different'],
    ['1 ≤ x ≤ 2', list('1', '2'), 'different'],
    ['x > 5', named('reals'), 'different'],
    [relation(tuple('x', 'y'), '≠', tuple('0', '0')), relation(tuple('0', '0'), '≠', tuple('x', 'y')), 'equal'],
    [or('x < 1', 'y < 1'), or('y < 1', 'x < 1'), 'equal'],
  ]);
});
