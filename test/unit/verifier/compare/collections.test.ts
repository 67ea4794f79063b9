import { limits } from '../../../../src/verifier/limits';
import { infix } from '../../../support/verifier-nodes';
import { angle, checkAll, compare, interval, list, named, or, set, square, text, tuple } from './nodes';

test('lists have no order, and numbers in them count as often as they stand there', () => {
  checkAll([
    [list('1', '2', '3'), list('3', '1', '2'), 'equal'],
    [list('1', '1', '2'), list('1', '2', '2'), 'different'],
    [list('1', '2'), list('1', '2', '3'), 'different'],
    [list('sqrt(8)', '1/2'), list('0.5', '2*sqrt(2)'), 'equal'],
    [list('x+1', 'x'), list('x', '1+x'), 'equal'],
    [or('5', '6'), list('6', '5'), 'equal'],
    [list('50%', '20'), list('20', '0.5'), 'equal'],
  ]);
});

test('a matching is found where a first choice would fail', () => {
  // 0.333333 equals 1/3 and itself, 1/3 does not equal 0.3333330.
  checkAll([[list('0.333333', '1/3'), list('1/3', '0.333333'), 'equal']]);
  checkAll([[list('1/3', '0.3333334', '1'), list('0.333333', '1', '1'), 'different']]);
});

test('a bare list equals a tuple in order and a set in any order', () => {
  checkAll([
    [list('1', '3'), tuple('1', '3'), 'equal'],
    [list('1', '3'), tuple('3', '1'), 'different'],
    [list('1', '3'), set('3', '1'), 'equal'],
    [tuple('1', '3'), set('1', '3'), 'different'],
    [set('1', '2'), set('2', '1', '1'), 'equal'],
    [set('1', '2'), set('1', '3'), 'different'],
  ]);
});

test('tuples keep their order and their brackets', () => {
  checkAll([
    [tuple('1', '2'), tuple('2/2', '2'), 'equal'],
    [tuple('1', '2'), tuple('2', '1'), 'different'],
    [tuple('1', '2', '3'), angle('1', '2', '3'), 'equal'],
    [tuple('1', '2', '3'), square('1', '2', '3'), 'different'],
    [tuple('1', '2'), interval('[', '1', '2', ']'), 'different'],
    [tuple('1', 'oo'), interval('(', '1', 'oo', ')'), 'equal'],
    [tuple('-oo', 'oo'), named('reals'), 'equal'],
    [square(), square(), 'equal'],
    [tuple('1', '2'), '3', 'different'],
  ]);
});

test('solutions named twice count once', () => {
  checkAll([
    [list(tuple('1', '2'), tuple('3', '4')), list(tuple('3', '4'), tuple('1', '2'), tuple('3', '4')), 'equal'],
    [list(tuple('1', '2'), tuple('3', '4')), list(tuple('2', '1'), tuple('3', '4')), 'different'],
    [set(tuple('1', '2'), tuple('3', '4')), list(tuple('3', '4'), tuple('1', '2')), 'equal'],
  ]);
});

test('a collection of one is its item, but a set of a set is not that set', () => {
  checkAll([
    [set('3'), '3', 'equal'],
    [list('3'), set('3'), 'equal'],
    [set(named('empty')), named('empty'), 'different'],
    [named('empty'), '0', 'different'],
  ]);
});

test('several candidates for one answer are ambiguous', () => {
  checkAll([
    ['5', or('5', '6'), 'ambiguous'],
    ['5', list('5', '6'), 'ambiguous'],
    ['5', list('5', '10/2'), 'equal'],
    ['5', list('6', '6'), 'different'],
    ['x = 1', or('x = 1', 'x = 2'), 'ambiguous'],
    [tuple('1', '2'), list(tuple('1', '2'), tuple('2', '1')), 'ambiguous'],
    [tuple('1', '2'), list('1', '3'), 'different'],
    [text('yes'), list(text('yes'), text('no')), 'ambiguous'],
    ['x+y = 1', list('x+y = 1', 'x-y = 0'), 'ambiguous'],
  ]);
});

test('an ellipsis keeps the order', () => {
  checkAll([
    [list('1', '2', dots, 'n'), list('1', '2', dots, 'n'), 'equal'],
    [list('1', '2', dots, 'n'), list('2', '1', dots, 'n'), 'different'],
    [list('1', '2', dots, 'n'), list('1', '3', dots, '2*n-1'), 'different'],
  ]);
});

const dots = { kind: 'symbol', name: '…' } as const;

test('matrices compare entry by entry, after their arithmetic', () => {
  checkAll([
    ['[[1,2],[3,4]]', '[[1,2],[3,4]]', 'equal'],
    ['[[1,2],[3,4]]', '[[1,2],[3,5]]', 'different'],
    ['[[1,2],[3,4]]', '[[1,2,0],[3,4,0]]', 'different'],
    ['[[6,8],[10,12]]', '[[1,2],[3,4]] + [[5,6],[7,8]]', 'equal'],
    ['[[2,0],[0,2]]', '2*[[1,0],[0,1]]', 'equal'],
    ['[[1/2,1],[3/2,2]]', '[[1,2],[3,4]]/2', 'equal'],
    ['[[2,1],[4,3]]', '[[1,2],[3,4]]*[[0,1],[1,0]]', 'equal'],
    ['[[0,1],[1,0]]*[[1,2],[3,4]]', '[[1,2],[3,4]]*[[0,1],[1,0]]', 'different'],
    ['[[1,3],[2,4]]', 'transpose([[1,2],[3,4]])', 'equal'],
    ['[[1,0],[0,1]]', '[[0,1],[1,0]]^2', 'equal'],
    ['[[1,a*2],[0,1]]', '[[1,a],[0,1]]^2', 'equal'],
    ['11', '[[1,2]]*[[3],[4]]', 'equal'],
    ['-2', 'determinant([[1,2],[3,4]])', 'equal'],
    [square(square('1', '2'), square('3', '4')), '[[1,2],[3,4]]', 'equal'],
  ]);
});

test('a point equals the vector of its coordinates', () => {
  checkAll([
    [tuple('1', '2'), '[[1],[2]]', 'equal'],
    [angle('1', '2'), '[[1,2]]', 'equal'],
    [tuple('1', '2'), '[[2],[1]]', 'different'],
    [
      { kind: 'sum', terms: [tuple('1', '2'), { kind: 'product', factors: [infix('t'), tuple('3', '4')] }] },
      tuple('1+3*t', '2+4*t'),
      'equal',
    ],
    [set('1', '2'), '[[1],[2]]', 'different'],
  ]);
});

test('collections stay within the budget', () => {
  const numbers = Array.from({ length: 900 }, (_, index) => String(index));
  expect(compare(list(...numbers), list(...[...numbers].reverse()))).toBe('equal');
  const roots = Array.from({ length: limits.unorderedItems + 1 }, (_, index) => `sqrt(${4 * index + 2})`);
  const others = roots.map((root) => `1+${root}`);
  expect(() => compare(list(...roots), list(...others))).toThrow('too many items');
  expect(() => compare(list(...roots.slice(0, 250)), list(...others.slice(0, 250)), 2_000)).toThrow('budget');
});

test('a shifted list of roots is told apart at little cost', () => {
  const roots = Array.from({ length: 40 }, (_, index) => `sqrt(${4 * index + 2})`);
  expect(compare(list(...roots), list(...roots.slice(1), 'sqrt(1001)'))).toBe('different');
});
