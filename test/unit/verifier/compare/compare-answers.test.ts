import type { Node } from '../../../../src/verifier/node';
import { infix, negation, symbol } from '../../../support/verifier-nodes';
import {
  builder,
  clock,
  compare,
  congruence,
  interval,
  list,
  member,
  named,
  node,
  or,
  plusMinus,
  quantity,
  ratio,
  relation,
  set,
  square,
  text,
  tuple,
  union,
  without,
} from './nodes';

/** One of each kind, and what is odd about them: empty, undefined, nested where nothing should be nested. */
const zoo: Node[] = [
  ...['3', '0.5', 'x', 'sqrt(x)', 'oo', '-oo', 'i', 'f(x)', '50%', '90°', '1/0', '0^0', 'sum(k,1,n,k)'].map(node),
  ...['x = 3', 'x = y', 'x < 3', 'x^2 < 4', 'ln(x) < 1/0', '1 < 2', 'x = x', 'x ≈ 1/3', 'a < b < c'].map(node),
  ...['[[1,2],[3,4]]', '[[1],[2]]^99', '[[1,2]]+[[1],[2]]', 'determinant([[1,2,3]])'].map(node),
  list(),
  set(),
  square(),
  list('1', '2'),
  or('x < 1', '5'),
  list(list(), tuple()),
  tuple('1', '2'),
  tuple('2', '1'),
  tuple('x = 1', 'y > 2'),
  interval('[', 'oo', '-oo', ']'),
  interval('(', '3', '1', ']'),
  interval('[', 'x', 'y', ')'),
  interval('[', 'i', '1/0', ')'),
  union(set('i'), tuple('0', '1')),
  without('3', set()),
  named('reals'),
  named('integers'),
  builder('x^2', named('reals'), null),
  builder('x', named('integers'), 'x > 3'),
  builder('3', set('1'), '2'),
  member('x', named('empty')),
  member(tuple('1', '2'), infix('3'), true),
  congruence('x', '1/2', '0'),
  relation(set('1'), '⊂', named('reals')),
  plusMinus(null, plusMinus('1', plusMinus('2', plusMinus(null, '3')))),
  plusMinus(list('1', '2'), '0'),
  quantity(tuple('1', '2'), 'cm'),
  quantity(quantity('1', 'km'), 'cm'),
  ratio('0', '0'),
  ratio('1', 'x'),
  clock(25, 99, 'pm'),
  { kind: 'based', digits: '9', base: 5, value: null },
  { kind: 'based', digits: '', base: 2, value: null },
  text(''),
  text('(c)'),
  symbol('…'),
];

test('any pair of nodes has a verdict, the same from both sides', () => {
  const asymmetrical = zoo.flatMap((gold, index) =>
    zoo.slice(index).filter((answer) => {
      const verdicts = [compare(gold, answer), compare(answer, gold)].map((verdict) =>
        verdict === 'ambiguous' ? 'different' : verdict,
      );
      return verdicts[0] !== verdicts[1];
    }),
  );
  expect(asymmetrical).toEqual([]);
});

test('no node differs from itself', () => {
  expect(zoo.filter((each) => compare(each, each) === 'different')).toEqual([]);
});

test('the budget bounds the work', () => {
  expect(() => compare('x^2 < 4', tuple('-2', '2'), 100)).toThrow('budget');
});

test('a chain that is deeper than any bracket is refused', () => {
  const deep = Array.from({ length: 3_000 }).reduce<Node>((inner) => negation(inner), symbol('x'));
  expect(() => compare(deep, 'x')).toThrow('too deeply');
  expect(() => compare('x', list('1', deep))).toThrow('too deeply');
  const long = Array.from({ length: 300 }).reduce<Node>(
    (numerator) => ({ kind: 'quotient', numerator, denominator: infix('2') }),
    infix('2^300'),
  );
  expect(compare(long, '1')).toBe('equal');
});
