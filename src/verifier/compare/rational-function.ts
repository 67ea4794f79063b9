/** Expressions in one variable as quotients of polynomials, where they are such: |u| with the sign of u given from outside. */
import type { Budget } from '../budget';
import { exactValue } from '../exact/exact-value';
import { addPolynomials, degree, multiplyPolynomials, type Polynomial } from '../exact/polynomial';
import type { Rational } from '../exact/rational';
import { childNodes, freeSymbols } from '../exact/tree';
import type { Node } from '../node';
import { isApproximate } from '../numeric/approximate';

export interface RationalFunction {
  top: Polynomial;
  bottom: Polynomial;
}

/** The sign of the argument of an absolute value. */
export type SignOf = (argument: Node) => 1 | -1 | 0;

const MAXIMUM_DEGREE = 16;

const polynomial = (value: bigint): Polynomial => (value === 0n ? [] : [value]);

const constant = ({ numerator, denominator }: Rational): RationalFunction => ({
  top: polynomial(numerator),
  bottom: [denominator],
});

class Reader {
  constructor(
    private readonly variable: string,
    private readonly signOf: SignOf,
    private readonly budget: Budget,
  ) {}

  private bounded(top: Polynomial, bottom: Polynomial): RationalFunction | null {
    if (bottom.length === 0 || degree(top) > MAXIMUM_DEGREE || degree(bottom) > MAXIMUM_DEGREE) return null;
    return { top, bottom };
  }

  private readonly add = (a: RationalFunction, b: RationalFunction): RationalFunction | null => {
    const [left, right] = [this.times(a.top, b.bottom), this.times(b.top, a.bottom)];
    return this.bounded(addPolynomials(left, right, this.budget), this.times(a.bottom, b.bottom));
  };

  /** What has no value stays without one: its denominator is not cancelled. */
  private inverse({ top, bottom }: RationalFunction): RationalFunction {
    return { top: this.times(bottom, bottom), bottom: this.times(top, bottom) };
  }

  private readonly multiply = (a: RationalFunction, b: RationalFunction): RationalFunction | null =>
    this.bounded(this.times(a.top, b.top), this.times(a.bottom, b.bottom));

  private times(a: Polynomial, b: Polynomial): Polynomial {
    return multiplyPolynomials(a, b, this.budget);
  }

  private fold(
    nodes: readonly Node[],
    join: (a: RationalFunction, b: RationalFunction) => RationalFunction | null,
  ): RationalFunction | null {
    let result = this.read(nodes[0]);
    for (const node of nodes.slice(1)) {
      const next = result && this.read(node);
      result = result && next && join(result, next);
    }
    return result;
  }

  /** Null where the expression is no quotient of polynomials in the variable. */
  read(node: Node): RationalFunction | null {
    this.budget.spend(1);
    switch (node.kind) {
      case 'number':
        return isApproximate(node) ? null : constant(node.value);
      case 'symbol':
        return node.name === this.variable ? { top: [0n, 1n], bottom: [1n] } : null;
      case 'sum':
        return this.fold(node.terms, this.add);
      case 'product':
        return this.fold(node.factors, this.multiply);
      case 'negation':
        return this.scaled(this.read(node.operand), -1);
      case 'quotient': {
        const [top, bottom] = [this.read(node.numerator), this.read(node.denominator)];
        return top && bottom && this.multiply(top, this.inverse(bottom));
      }
      case 'power':
        return this.power(node.base, node.exponent);
      case 'call':
        if (node.name === 'abs') return this.scaled(this.read(node.arguments[0]), this.signOf(node.arguments[0]));
    }
    if (freeSymbols(node).size > 0) return null;
    const value = exactValue(node, this.budget);
    return value && constant(value);
  }

  private scaled(value: RationalFunction | null, sign: 1 | -1 | 0): RationalFunction | null {
    if (value === null || sign === 1) return value;
    return { top: sign === 0 ? [] : value.top.map((coefficient) => -coefficient), bottom: value.bottom };
  }

  private power(base: Node, exponent: Node): RationalFunction | null {
    const count = exactValue(exponent, this.budget);
    const value = count?.denominator === 1n ? this.read(base) : null;
    if (!value || count!.numerator > MAXIMUM_DEGREE || count!.numerator < -MAXIMUM_DEGREE) return null;
    const steps = Math.abs(Number(count!.numerator));
    // x⁰ has no value at 0.
    if (steps === 0) return this.multiply(value, this.inverse(value));
    const factor = count!.numerator > 0n ? value : this.inverse(value);
    let result: RationalFunction | null = factor;
    for (let step = 1; step < steps && result; step++) result = this.multiply(result, factor);
    return result;
  }
}

export function readRationalFunction(
  node: Node,
  variable: string,
  signOf: SignOf,
  budget: Budget,
): RationalFunction | null {
  return new Reader(variable, signOf, budget).read(node);
}

/** The arguments of absolute values, inner ones first. */
export function absoluteArguments(node: Node): Node[] {
  const inner = childNodes(node).flatMap(absoluteArguments);
  return node.kind === 'call' && node.name === 'abs' ? [...inner, node.arguments[0]] : inner;
}
