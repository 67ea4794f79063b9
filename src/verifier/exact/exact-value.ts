/**
 * The rational value of an expression, where it has one that pure rational arithmetic finds: no approximation anywhere.
 * Sizes are bounded before anything is computed and the whole search has an allowance of its own, so that a value that is
 * rational but too expensive is null like one that is irrational.
 */
import { Budget, BudgetExceeded } from '../budget';
import type { BoundNode, Node, PowerNode } from '../node';
import { boundedAdd, boundedDivide, boundedMultiply, boundedPower, boundedRationalPower, integer } from './bounded';
import { exactCall } from './exact-call';
import { equals, isInteger, negate, one, type Rational, zero } from './rational';

/** Values of symbols, and of applications under the key `applicationKey`; null where there is none. */
export type Bindings = (name: string) => Rational | null;

export const noBindings: Bindings = () => null;

/** Work of one search, in budget units. */
const allowance = 5_000;

/** Terms of one written-out sum or product. */
export const maximumTerms = 2_000;

/**
 * The value of a node as a rational number in lowest terms; null when it is irrational, complex, undefined, infinite, too
 * large (`limits.integerBits`) or too expensive, or when it has symbols without a value in `bindings`.
 *
 * @throws BudgetExceeded when the budget of the verdict is spent.
 */
export function exactValue(node: Node, budget: Budget, bindings: Bindings = noBindings): Rational | null {
  if (node.kind === 'number') return node.value;
  const granted = Math.min(allowance, budget.left);
  const own = new Budget(granted);
  let value: Rational | null;
  try {
    value = new ExactSearch(own, bindings).value(node);
  } catch (error) {
    if (!(error instanceof BudgetExceeded)) throw error;
    value = null;
  }
  budget.spend(granted - own.left);
  return value;
}

/** The name under which bindings know `f(3)`. */
export const applicationKey = (name: string, values: readonly Rational[]): string =>
  `${name}(${values.map((value) => `${value.numerator}/${value.denominator}`).join(',')})`;

/** Powers of whole numbers: finite, however large. */
function isFiniteTower(node: Node): boolean {
  if (node.kind === 'power') return isFiniteTower(node.base) && isFiniteTower(node.exponent);
  return node.kind === 'number' && node.value.denominator === 1n && node.value.numerator > 0n;
}

export class ExactSearch {
  constructor(
    readonly budget: Budget,
    private bindings: Bindings,
  ) {}

  value(node: Node): Rational | null {
    this.budget.spend(0.1);
    switch (node.kind) {
      case 'number':
        return node.value;
      case 'based':
        return node.value;
      case 'symbol':
        return this.bindings(node.name);
      case 'sum':
        return this.fold(node.terms, boundedAdd);
      case 'product':
        return this.fold(node.factors, boundedMultiply);
      case 'negation': {
        const operand = this.value(node.operand);
        return operand && negate(operand);
      }
      case 'quotient': {
        const numerator = this.value(node.numerator);
        const denominator = numerator && this.value(node.denominator);
        return denominator && boundedDivide(numerator, denominator, this.budget);
      }
      case 'percent': {
        const operand = this.value(node.operand);
        return operand && boundedDivide(operand, integer(100n), this.budget);
      }
      case 'power':
        return this.power(node);
      case 'root': {
        const radicand = this.value(node.radicand);
        const degree = radicand && this.value(node.degree);
        if (!degree || degree.numerator === 0n) return null;
        const exponent = boundedDivide(one, degree, this.budget);
        return exponent && boundedRationalPower(radicand, exponent, this.budget);
      }
      case 'call':
        return exactCall(node, this);
      case 'application': {
        const values = this.values(node.arguments);
        return values && this.bindings(applicationKey(node.name, values));
      }
      case 'bound':
        return this.bound(node);
      default:
        return null;
    }
  }

  values(nodes: readonly Node[]): Rational[] | null {
    const values: Rational[] = [];
    for (const node of nodes) {
      const value = this.value(node);
      if (value === null) return null;
      values.push(value);
    }
    return values;
  }

  private fold(
    nodes: readonly Node[],
    operation: (a: Rational, b: Rational, budget: Budget) => Rational | null,
  ): Rational | null {
    let result = this.value(nodes[0]);
    for (let index = 1; index < nodes.length && result; index++) {
      const next = this.value(nodes[index]);
      result = next && operation(result, next, this.budget);
    }
    return result;
  }

  private power(node: PowerNode): Rational | null {
    const base = this.value(node.base);
    const exponent = base && this.value(node.exponent);
    if (!exponent) return base && equals(base, one) && isFiniteTower(node.exponent) ? one : null;
    return isInteger(exponent)
      ? boundedPower(base, exponent.numerator, this.budget)
      : boundedRationalPower(base, exponent, this.budget);
  }

  private bound(node: BoundNode): Rational | null {
    if ((node.operator !== 'sum' && node.operator !== 'product') || !node.lower || !node.upper) return null;
    const lower = this.value(node.lower);
    const upper = lower && this.value(node.upper);
    if (!upper || !isInteger(lower) || !isInteger(upper)) return null;
    if (upper.numerator - lower.numerator >= BigInt(maximumTerms)) return null;
    const outer = this.bindings;
    let index = lower.numerator;
    let result: Rational | null = node.operator === 'sum' ? zero : one;
    this.bindings = (name) => (name === node.variable ? integer(index) : outer(name));
    const operation = node.operator === 'sum' ? boundedAdd : boundedMultiply;
    for (; result && index <= upper.numerator; index++) {
      const term = this.value(node.body);
      result = term && operation(result, term, this.budget);
    }
    this.bindings = outer;
    return result;
  }
}
