/** Single values: expressions with or without a unit, a percent sign or a degree sign. */
import { divide, equals, multiply, rational } from '../exact/rational';
import { equalExpressions } from '../numeric/equal-expressions';
import type { Node } from '../node';
import type { Unit } from '../parse/units';
import { type Decision, some } from './decision';
import { compareNotations } from './notations';
import { contains, infiniteSign, integerNode, mapChildren, minus, negated, number, rewrite, times } from './rewrite';
import type { CompareContext } from './types';

interface Value {
  node: Node;
  unit: Unit | null;
  mark: 'percent' | 'degrees' | null;
}

const ARITHMETIC = /^(?:sum|product|quotient|negation)$/;

/** `\frac{180° (n-2)}{n}`: a degree sign inside arithmetic is a sign of the whole, where no π makes it radians. */
function withoutInnerDegrees(node: Node, value: Value, context: CompareContext): Node {
  if (!ARITHMETIC.test(node.kind) || !contains(node, ({ kind }) => kind === 'degrees', context.budget)) return node;
  if (contains(node, isPi, context.budget)) return node;
  const strip = (part: Node): Node => {
    if (part.kind === 'degrees') return part.operand;
    return ARITHMETIC.test(part.kind) ? mapChildren(part, strip) : part;
  };
  const stripped = strip(node);
  // `sin 30°` keeps its degrees.
  if (contains(stripped, ({ kind }) => kind === 'degrees', context.budget)) return node;
  value.mark = 'degrees';
  return stripped;
}

/** Takes the unit and the sign off a value. */
function unwrap(node: Node, context: CompareContext): Value {
  const value: Value = { node, unit: null, mark: null };
  let sign = 1;
  value.node = withoutInnerDegrees(node, value, context);
  for (;;) {
    context.budget.spend(0.5);
    const inner = value.node;
    if (inner.kind === 'quantity') {
      value.unit ??= inner.unit;
      value.node = inner.value;
    } else if (inner.kind === 'percent' || inner.kind === 'degrees') {
      value.mark ??= inner.kind;
      value.node = inner.operand;
    } else if (inner.kind === 'negation' && /^(?:percent|degrees|quantity|negation)$/.test(inner.operand.kind)) {
      sign = -sign;
      value.node = inner.operand;
    } else break;
  }
  if (sign < 0) value.node = negated(value.node);
  if (contains(value.node, ({ kind }) => kind === 'quantity', context.budget))
    value.node = withoutUnits(value.node, context);
  return value;
}

/** The tree with the value of each quantity in its place. */
export const withoutUnits = (node: Node, context: CompareContext): Node =>
  rewrite(node, (part) => (part.kind === 'quantity' ? withoutUnits(part.value, context) : null), context.budget);

function knownUnits(node: Node, context: CompareContext): Unit[] {
  const units: Unit[] = [];
  const collect = (part: Node): boolean => {
    if (part.kind === 'quantity' && part.unit.dimension !== null) units.push(part.unit);
    return false;
  };
  contains(node, collect, context.budget);
  return units;
}

/** Whether the numbers of both trees are of one unit, or one of the trees has no known unit. */
export function shareUnits(a: Node, b: Node, context: CompareContext): boolean {
  const left = knownUnits(a, context);
  const right = left.length === 0 ? [] : knownUnits(b, context);
  if (right.length === 0) return true;
  const [first] = left;
  return [...left, ...right].every((unit) => unit.dimension === first.dimension && equals(unit.scale, first.scale));
}

/** "Pounds" alone may be weight or money. */
const isPounds = (a: Unit, b: Unit): boolean => a.name === 'pound' && b.name === 'pound sterling';

/** Whether both units are known and measure different things. */
function conflict(a: Unit | null, b: Unit | null): boolean {
  if (!a || !b || a.dimension === null || b.dimension === null || a.dimension === b.dimension) return false;
  return !isPounds(a, b) && !isPounds(b, a);
}

const TEMPERATURES = new Set(['celsius', 'fahrenheit', 'kelvin']);

const fraction = (numerator: bigint, denominator: bigint): Node => number(rational(numerator, denominator));

/** A temperature in degrees Celsius; null for anything else. */
function inCelsius({ node, unit, mark }: Value): Node | null {
  if (mark === 'percent') return null;
  switch (unit?.name) {
    case 'degree Celsius':
      return node;
    case 'degree Fahrenheit':
      return times(fraction(5n, 9n), minus(node, integerNode(32n)));
    case 'kelvin':
      return minus(node, fraction(27315n, 100n));
    default:
      return null;
  }
}

/** Whether a percent or degree sign contradicts a unit. */
function markConflicts(mark: Value['mark'], unit: Unit | null): boolean {
  if (mark === null || unit === null || unit.dimension === null) return false;
  return mark === 'percent' || !(unit.dimension === 'angle' || TEMPERATURES.has(unit.dimension));
}

const inRadians = (degrees: Node): Node =>
  times({ kind: 'quotient', numerator: degrees, denominator: integerNode(180n) }, { kind: 'constant', name: 'pi' });

function hundredth(node: Node): Node {
  if (node.kind !== 'number') return { kind: 'quotient', numerator: node, denominator: integerNode(100n) };
  const decimals = node.significant === null ? 0 : node.decimals + 2;
  return { ...node, value: multiply(node.value, rational(1n, 100n)), decimals };
}

const isPi = (node: Node): boolean => node.kind === 'constant' && node.name === 'pi';

function compareScalars(a: Node, b: Node, context: CompareContext): Decision {
  const [signA, signB] = [infiniteSign(a), infiniteSign(b)];
  // Infinities have a sign and nothing else.
  if (signA !== 0 || signB !== 0) return signA === signB ? 'equal' : 'different';
  return compareNotations(a, b, context) ?? equalExpressions(a, b, context);
}

const isDecimal = (node: Node): boolean => node.kind === 'number' && node.significant !== null;

/** A decimal is kept as written, so that its digits still tell how exact it is: the other side is converted. */
function compareScaled(a: Value, b: Value, context: CompareContext): Decision {
  const ratio = divide(a.unit!.scale, b.unit!.scale);
  if (isDecimal(a.node) && !isDecimal(b.node)) {
    return equalExpressions(a.node, times(number(divide(b.unit!.scale, a.unit!.scale)), b.node), context);
  }
  return equalExpressions(times(number(ratio), a.node), b.node, context);
}

function compareMarked(a: Value, b: Value, context: CompareContext): Decision {
  if (a.mark === b.mark) return compareScalars(a.node, b.node, context);
  if (a.mark === null) return compareMarked(b, a, context);
  if (b.mark !== null) return 'different';
  if (a.mark === 'percent') return some([a.node, hundredth(a.node)], (node) => compareScalars(node, b.node, context));
  if (b.unit?.dimension === 'angle') return compareScalars(inRadians(a.node), b.node, context);
  const readings = [a.node];
  if (contains(b.node, isPi, context.budget)) readings.push(inRadians(a.node));
  return some(readings, (node) => compareScalars(node, b.node, context));
}

/**
 * Compares two values. A unit, a percent and a degree sign may be missing on either side: 28% is 28 and 0.28, 90° is 90 and π/2
 * (where the other side has a π). Known units of one dimension convert; known units of two dimensions differ.
 */
export function compareValues(a: Node, b: Node, context: CompareContext): Decision {
  const [left, right] = [unwrap(a, context), unwrap(b, context)];
  const [celsius, other] = [inCelsius(left), inCelsius(right)];
  if (celsius && other && left.unit!.dimension !== right.unit!.dimension)
    return equalExpressions(celsius, other, context);
  if (conflict(left.unit, right.unit)) return 'different';
  const marked = left.mark !== right.mark;
  if (marked && (markConflicts(left.mark, right.unit) || markConflicts(right.mark, left.unit))) return 'different';
  const known = left.unit !== null && left.unit.dimension !== null && left.unit.dimension === right.unit?.dimension;
  if (known && left.mark === null && right.mark === null && !equals(left.unit!.scale, right.unit!.scale)) {
    return compareScaled(left, right, context);
  }
  return compareMarked(left, right, context);
}
