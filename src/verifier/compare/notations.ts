/** Numbers in other notations: digits in a base, times of day, ratios. */
import { equals, rational } from '../exact/rational';
import { exactValue } from '../exact/exact-value';
import { equalExpressions } from '../numeric/equal-expressions';
import type { BasedNode, ClockNode, Node, RatioNode } from '../node';
import { type Decision, every, inOrder } from './decision';
import { integerNode, negated, times } from './rewrite';
import type { CompareContext } from './types';

const digitsOf = ({ digits }: BasedNode): string => digits.toLowerCase().replace(/^0+(?=.)/, '');

/** Digits with a base against the same digits with or without it; their value is another answer, unless it is marked as base ten. */
function compareBased(a: BasedNode, b: Node): Decision {
  if (b.kind === 'based') {
    if (a.base === b.base) return digitsOf(a) === digitsOf(b) ? 'equal' : 'different';
    // A mark of base ten asks for the value.
    const marked = (a.base === 10 || b.base === 10) && a.value !== null && b.value !== null;
    return marked && equals(a.value!, b.value!) ? 'equal' : 'different';
  }
  if (b.kind !== 'number') return 'different';
  const digits = /^(\d+)(?:\.(\d+))?$/.exec(digitsOf(a));
  if (digits === null) return 'different';
  const [, whole, fraction = ''] = digits;
  return equals(b.value, rational(BigInt(whole + fraction), 10n ** BigInt(fraction.length))) ? 'equal' : 'different';
}

const MINUTES_OF_HALF_DAY = 720;

/** Readings in seconds: without am or pm the hours count as they are written. */
function seconds({ parts, meridiem }: ClockNode): number {
  const [hours = 0, minutes = 0, rest = 0] = parts;
  const shifted = meridiem === null ? hours * 60 : (hours % 12) * 60 + (meridiem === 'pm' ? MINUTES_OF_HALF_DAY : 0);
  return (shifted + minutes) * 60 + rest;
}

/** A time without am or pm equals both, and the same time on a 24-hour clock. */
function compareClocks(a: ClockNode, b: ClockNode): Decision {
  // One time of day.
  if (seconds(a) === seconds(b)) return 'equal';
  if (a.meridiem !== null && b.meridiem !== null) return 'different';
  const bare = (clock: ClockNode): number => seconds({ ...clock, meridiem: null });
  return bare(a) === bare(b) ? 'equal' : 'different';
}

/** `equal` where a part is zero, `different` where it is not. */
function againstZero(part: Node, context: CompareContext): Decision {
  const value = exactValue(part, context.budget);
  if (value) return value.numerator === 0n ? 'equal' : 'different';
  return equalExpressions(part, integerNode(0n), context);
}

/** Cross products with a part that is zero would show nothing. */
function compareRatios(a: RatioNode, b: RatioNode, context: CompareContext): Decision {
  if (a.parts.length !== b.parts.length) return 'different';
  let zeros: Decision = 'equal';
  for (const index of a.parts.keys()) {
    const [left, right] = [a, b].map(({ parts }) => againstZero(parts[index], context));
    if (left === 'different' && right === 'different') return crossProducts(a, b, index, context);
    if (left === 'undecided' || right === 'undecided') zeros = 'undecided';
    else if (left !== right) return 'different';
  }
  if (zeros === 'equal') return 'equal';
  return inOrder(a.parts, b.parts, (x, y) => equalExpressions(x, y, context)) === 'equal' ? 'equal' : 'undecided';
}

const crossProducts = (a: RatioNode, b: RatioNode, scale: number, context: CompareContext): Decision =>
  every(a.parts.keys(), (index) =>
    equalExpressions(times(a.parts[index], b.parts[scale]), times(b.parts[index], a.parts[scale]), context),
  );

function compareRatio(a: RatioNode, b: Node, context: CompareContext): Decision {
  if (b.kind === 'ratio') return compareRatios(a, b, context);
  if (a.parts.length !== 2) return 'different';
  return equalExpressions({ kind: 'quotient', numerator: a.parts[0], denominator: a.parts[1] }, b, context);
}

/** What a time reads as where the other answer is a ratio or a fraction: then `7:30` is one, too. */
const asRatio = ({ parts }: ClockNode): RatioNode => ({
  kind: 'ratio',
  parts: parts.map((part) => integerNode(BigInt(part))),
});

function compareClock(a: ClockNode, b: Node, context: CompareContext): Decision {
  if (b.kind === 'clock') return compareClocks(a, b);
  const fraction = b.kind === 'quotient' || (b.kind === 'number' && b.value.denominator !== 1n);
  if (a.meridiem !== null || !(b.kind === 'ratio' || fraction)) return 'different';
  return compareRatio(asRatio(a), b, context);
}

function asBased(node: Node): { digits: BasedNode; negative: boolean } | null {
  const negative = node.kind === 'negation';
  const digits = negative ? node.operand : node;
  return digits.kind === 'based' ? { digits, negative } : null;
}

/** Null where neither side is written in one of these notations. */
export function compareNotations(a: Node, b: Node, context: CompareContext): Decision | null {
  const [left, right] = [asBased(a), asBased(b)];
  if (left) return compareBased(left.digits, left.negative ? negated(b) : b);
  if (right) return compareBased(right.digits, right.negative ? negated(a) : a);
  if (a.kind === 'clock') return compareClock(a, b, context);
  if (b.kind === 'clock') return compareClock(b, a, context);
  if (a.kind === 'ratio') return compareRatio(a, b, context);
  if (b.kind === 'ratio') return compareRatio(b, a, context);
  return null;
}
