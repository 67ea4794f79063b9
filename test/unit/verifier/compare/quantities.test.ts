import { based, infix } from '../../../support/verifier-nodes';
import { checkAll, clock, plusMinus, quantity, ratio, relation, list, set, tuple } from './nodes';

const negative = (operand: ReturnType<typeof based>) => ({ kind: 'negation', operand }) as const;

test('a percent sign is optional, and a percentage equals its fraction', () => {
  checkAll([
    ['28%', '28', 'equal'],
    ['28%', '28%', 'equal'],
    ['28%', '0.28', 'equal'],
    ['28%', '7/25', 'equal'],
    ['-28%', '-0.28', 'equal'],
    ['0.28', '28', 'different'],
    ['28%', '29%', 'different'],
    ['28%', '2.8', 'different'],
    [{ kind: 'percent', operand: infix('100/3') }, '0.3333333', 'equal'],
    ['28%', quantity('28', 'cm'), 'different'],
  ]);
});

test('a degree sign is optional, and degrees equal radians that are written with pi', () => {
  checkAll([
    ['90°', '90', 'equal'],
    ['90°', 'pi/2', 'equal'],
    ['90°', '1.570796', 'different'],
    ['90°', '180°', 'different'],
    ['60°', quantity('pi/3', 'radians'), 'equal'],
    ['60°', quantity('60', 'radians'), 'different'],
    ['90°', quantity('90', 'cm'), 'different'],
    ['90°', quantity('90', 'degrees celsius'), 'equal'],
  ]);
});

test('units are optional, convert within a dimension and conflict between two', () => {
  checkAll([
    [quantity('5', 'km'), quantity('5000', 'm'), 'equal'],
    [quantity('5', 'km'), quantity('5', 'm'), 'different'],
    [quantity('5', 'km'), '5', 'equal'],
    [quantity('5', 'km'), '5000', 'different'],
    [quantity('2', 'hours'), quantity('120', 'minutes'), 'equal'],
    [quantity('50', 'cents'), quantity('0.50', 'dollars'), 'equal'],
    [quantity('5', 'cm'), quantity('5', 'cm^2'), 'different'],
    [quantity('3', 'hours'), quantity('3', 'm'), 'different'],
    [quantity('3', 'dollars'), quantity('3', 'euros'), 'different'],
    [quantity('3', 'apples'), quantity('3', 'cm'), 'equal'],
    [quantity('3', 'apples'), quantity('3', 'pears'), 'equal'],
    [quantity('3', 'square units'), quantity('3', 'cm^2'), 'equal'],
    [quantity('5', 'pounds'), quantity('5', '£'), 'equal'],
    [quantity('1/3', 'km'), quantity('333.333333', 'm'), 'equal'],
    [quantity('1/3', 'km'), quantity('333.3', 'm'), 'different'],
    [relation('x', '=', quantity('5', 'cm')), quantity('50', 'mm'), 'equal'],
    [relation('x', '>', quantity('5', 'cm')), relation('x', '>', quantity('5', 'm')), 'different'],
    [relation('x', '>', quantity('5', 'cm')), 'x > 5', 'equal'],
    [list(quantity('35', 'cm'), '4'), list('4', '35'), 'equal'],
    [list(quantity('1', 'm'), quantity('2', 'm')), list(quantity('200', 'cm'), quantity('100', 'cm')), 'equal'],
  ]);
});

test('digits in a base equal themselves with or without the base, never their value', () => {
  checkAll([
    [based('204', 5), based('204', 5), 'equal'],
    [based('204', 5), '204', 'equal'],
    [based('204', 5), based('204', 6), 'different'],
    [based('204', 5), '54', 'different'],
    [based('1a', 16), based('1A', 16), 'equal'],
    [negative(based('204', 5)), '-204', 'equal'],
    [negative(based('204', 5)), based('204', 5), 'different'],
  ]);
});

test('times of day', () => {
  checkAll([
    [clock(4, 30, 'pm'), clock(4, 30, 'pm'), 'equal'],
    [clock(4, 30, 'pm'), clock(4, 30), 'equal'],
    [clock(4, 30, 'pm'), clock(16, 30), 'equal'],
    [clock(4, 30, 'pm'), clock(4, 30, 'am'), 'different'],
    [clock(12, 0, 'am'), clock(0, 0), 'equal'],
    [clock(12, 0), clock(1, 0), 'different'],
    [clock(4, 30), '4', 'different'],
  ]);
});

test('ratios are proportional, and equal a fraction of the same value', () => {
  checkAll([
    [ratio('7', '32'), ratio('14', '64'), 'equal'],
    [ratio('7', '32'), ratio('32', '7'), 'different'],
    [ratio('1', '2', '3'), ratio('2', '4', '6'), 'equal'],
    [ratio('1', '2', '3'), ratio('1', '2'), 'different'],
    [ratio('0', '1'), ratio('0', '5'), 'equal'],
    [ratio('0', '1', '2'), ratio('0', '1', '3'), 'different'],
    [ratio('a', '2'), ratio('3*a', '6'), 'equal'],
    [ratio('0*r', 'a'), ratio('0', 'a'), 'equal'],
    [ratio('0', '0'), ratio('1', '2'), 'different'],
    [ratio('r-r', '0'), ratio('0', '0'), 'equal'],
    [ratio('0*r', '1', '2'), ratio('0*s', '2', '4'), 'equal'],
    [ratio('0*r', '1', '2'), ratio('0*s', '2', '3'), 'different'],
    [ratio('0*r', '1'), ratio('1', '0'), 'different'],
    [ratio('0.5', '1'), ratio('1', '2'), 'equal'],
    [ratio('7', '32'), '7/32', 'equal'],
    [clock(3, 20), ratio('6', '40'), 'equal'],
    [clock(3, 20), '3/20', 'equal'],
    [clock(3, 20), clock(6, 40), 'different'],
    [clock(3, 20, 'am'), '3/20', 'different'],
  ]);
});

test('a sign for two values is the list of both', () => {
  const sum = { kind: 'quotient', numerator: plusMinus('-1', 'sqrt(13)'), denominator: infix('4') } as const;
  checkAll([
    [plusMinus(null, '2021'), '2021', 'different'],
    [plusMinus(null, '2021'), set('2021', '-2021'), 'equal'],
    [plusMinus('1', 'sqrt(19)'), list('1-sqrt(19)', '1+sqrt(19)'), 'equal'],
    [plusMinus('1', 'sqrt(19)'), plusMinus('1', 'sqrt(19)', true), 'equal'],
    [relation('x', '=', sum), list('(sqrt(13)-1)/4', '-(1+sqrt(13))/4'), 'equal'],
    [set(plusMinus('1', 'sqrt(5)'), '-2'), list('-2', '1+sqrt(5)', '1-sqrt(5)'), 'equal'],
    [tuple(plusMinus(null, '3'), '0'), list(tuple('3', '0'), tuple('-3', '0')), 'equal'],
    [plusMinus(plusMinus('0', '1'), '2'), list('3', '-1', '1', '-3'), 'equal'],
    [plusMinus(plusMinus('0', '1'), '2', true), list('-1', '1'), 'equal'],
    [{ kind: 'product', factors: [plusMinus(null, '1'), plusMinus(null, '2')] }, plusMinus(null, '2'), 'equal'],
  ]);
});
