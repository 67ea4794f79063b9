/**
 * The value of an expression as a complex ball, over doubles or over floating point of any precision. Subexpressions that have
 * to be exact (exponents, arguments of discrete functions, bounds of sums) go through `exactValue` with the same bindings.
 */
import type { Budget } from '../budget';
import { determinant } from '../exact/determinant';
import { type Bindings, exactValue, maximumTerms } from '../exact/exact-value';
import { integer } from '../exact/bounded';
import { isInteger, type Rational } from '../exact/rational';
import type { ApplicationNode, BoundNode, CallNode, Node } from '../node';
import { evaluateCall } from './calls';
import { type Complex, ComplexArithmetic } from './complex';
import { generalPower, rationalPower } from './power';
import { isUndefined, isUnsupported, type RealArithmetic } from './real-arithmetic';

/** Values of what bindings do not know. */
export interface Unknowns {
  /** Of an application whose arguments are not exact, by its structure. */
  application(node: ApplicationNode): Rational | null;
  complexSymbol(name: string): { re: Rational; im: Rational } | null;
}

/** One pass over one expression at one point. */
export class Evaluator<R> {
  readonly complex: ComplexArithmetic<R>;

  /** Bound variables in force: what stands below them has no structure that would tell its value. */
  private depth = 0;

  constructor(
    real: RealArithmetic<R>,
    readonly budget: Budget,
    private bindings: Bindings,
    private readonly unknowns: Unknowns | null = null,
  ) {
    this.complex = new ComplexArithmetic(real);
  }

  /** @throws EvaluationFailure where there is no value. */
  evaluate(node: Node): Complex<R> {
    const c = this.complex;
    this.budget.spend(0.2);
    switch (node.kind) {
      case 'number':
        return c.fromRational(node.value);
      case 'symbol':
        return this.symbol(node.name);
      case 'application':
        return c.fromRational(
          this.exact(node) ?? (this.depth === 0 ? this.unknowns?.application(node) : null) ?? fail(),
        );
      case 'based':
        return c.fromRational(node.value ?? fail());
      case 'constant':
        if (node.name === 'pi') return c.pi();
        if (node.name === 'e') return c.exponential(c.one);
        return node.name === 'i' ? c.i : fail();
      case 'sum': {
        let sum = this.evaluate(node.terms[0]);
        for (let index = 1; index < node.terms.length; index++) sum = c.add(sum, this.evaluate(node.terms[index]));
        return sum;
      }
      case 'product': {
        let product = this.evaluate(node.factors[0]);
        for (let index = 1; index < node.factors.length; index++) {
          product = c.multiply(product, this.evaluate(node.factors[index]));
        }
        return product;
      }
      case 'quotient':
        return c.divide(this.evaluate(node.numerator), this.evaluate(node.denominator));
      case 'negation':
        return c.negate(this.evaluate(node.operand));
      case 'percent':
        return c.divide(this.evaluate(node.operand), c.integer(100));
      case 'degrees':
        return c.divide(c.multiply(this.evaluate(node.operand), c.pi()), c.integer(180));
      case 'power':
        return this.power(node.base, node.exponent);
      case 'root':
        return this.root(node.radicand, node.degree);
      case 'call':
        return this.call(node);
      case 'bound':
        return this.bound(node);
      default:
        return fail();
    }
  }

  exact(node: Node): Rational | null {
    return exactValue(node, this.budget, this.bindings);
  }

  private symbol(name: string): Complex<R> {
    const { real } = this.complex;
    const value = this.bindings(name);
    if (value) return this.complex.fromRational(value);
    const { re, im } = this.unknowns?.complexSymbol(name) ?? fail();
    return { re: real.fromRational(re), im: real.fromRational(im) };
  }

  private power(base: Node, exponent: Node): Complex<R> {
    const c = this.complex;
    if (base.kind === 'constant' && base.name === 'e') return c.exponential(this.evaluate(exponent));
    const fraction = this.exact(exponent);
    if (fraction) return rationalPower(this.evaluate(base), fraction, c);
    return generalPower(this.evaluate(base), this.evaluate(exponent), c);
  }

  private root(radicand: Node, degree: Node): Complex<R> {
    const c = this.complex;
    const value = this.evaluate(radicand);
    const exact = this.exact(degree);
    if (!exact) return generalPower(value, c.invert(this.evaluate(degree)), c);
    if (exact.numerator === 0n) throw isUndefined;
    const { numerator, denominator } = exact;
    const exponent = numerator < 0n ? { numerator: -denominator, denominator: -numerator } : invert(exact);
    return rationalPower(value, exponent, c);
  }

  private call(node: CallNode): Complex<R> {
    const matrix = node.arguments.at(0);
    if (matrix?.kind === 'matrix') return this.matrixCall(node, matrix.rows);
    if (isDiscrete(node)) {
      const exact = this.exact(node);
      if (exact) return this.complex.fromRational(exact);
    }
    return evaluateCall(
      node.name,
      node.arguments.map((argument) => this.evaluate(argument)),
      this.complex,
    );
  }

  private matrixCall(node: CallNode, rows: Node[][]): Complex<R> {
    const c = this.complex;
    const values = rows.map((row) => row.map((entry) => this.evaluate(entry)));
    switch (node.name) {
      case 'trace':
        if (values.length !== values[0]?.length) return fail();
        return values.reduce((sum, row, index) => c.add(sum, row[index]), c.zero);
      case 'norm': {
        const squares = values.flat().map((value) => ({ re: c.squaredAbsolute(value), im: null }));
        return c.squareRoot(squares.reduce<Complex<R>>((a, b) => c.add(a, b), c.zero));
      }
      case 'determinant':
        return (
          determinant(values, {
            zero: c.zero,
            add: (a, b) => c.add(a, b),
            multiply: (a, b) => c.multiply(a, b),
            negate: (a) => c.negate(a),
          }) ?? fail()
        );
      default:
        return fail();
    }
  }

  private bound(node: BoundNode): Complex<R> {
    if ((node.operator !== 'sum' && node.operator !== 'product') || !node.lower || !node.upper) return fail();
    const lower = this.exact(node.lower) ?? fail();
    const upper = this.exact(node.upper) ?? fail();
    if (!isInteger(lower) || !isInteger(upper)) throw isUndefined;
    if (upper.numerator - lower.numerator >= BigInt(maximumTerms)) return fail();
    const c = this.complex;
    const outer = this.bindings;
    let index = lower.numerator;
    let result = node.operator === 'sum' ? c.zero : c.one;
    this.bindings = (name) => (name === node.variable ? integer(index) : outer(name));
    this.depth++;
    try {
      for (; index <= upper.numerator; index++) {
        const term = this.evaluate(node.body);
        result = node.operator === 'sum' ? c.add(result, term) : c.multiply(result, term);
      }
    } finally {
      this.bindings = outer;
      this.depth--;
    }
    return result;
  }
}

const invert = ({ numerator, denominator }: Rational): Rational => ({ numerator: denominator, denominator: numerator });

/** Functions that are exact at exact arguments and delicate at others. */
const discrete: ReadonlySet<string> = new Set([
  'floor', 'ceil', 'round', 'sign', 'factorial', 'doubleFactorial', 'gamma', 'binomial', 'permutations', 'gcd', 'lcm', 'mod',
]); // prettier-ignore

const isDiscrete = (node: CallNode): boolean => discrete.has(node.name);

function fail(): never {
  throw isUnsupported;
}
