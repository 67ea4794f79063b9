/**
 * Evaluation modulo a large prime at a random point (Schwartz–Zippel). What field operations join is computed; what they do not
 * (π, e, functions, fractional powers) is an unknown of its own, named by the residues of its arguments. So two expressions
 * with different residues are different as fractions of polynomials in those unknowns, and two with the same residues modulo
 * two primes are equal.
 */
import type { Budget } from '../budget';
import { determinant } from '../exact/determinant';
import { type Bindings, exactValue, maximumTerms } from '../exact/exact-value';
import { integer } from '../exact/bounded';
import { isInteger, rational, type Rational } from '../exact/rational';
import type { StructureTable } from '../exact/structure';
import type { ApplicationNode, BoundNode, CallNode, Node } from '../node';
import { hashResidue } from './hash';
import { PrimeField, type Residue } from './prime-field';

/** Largest n whose factorial is multiplied out. */
const maximumFactorial = 20_000n;
/** Of how many multiplications one is kept, for the next factorial to start from. */
const factorialStep = 1000;

export class ResidueEvaluator {
  /** False once something was named rather than computed: then different residues prove this.field.zero. */
  pure = true;
  readonly field: PrimeField;
  private bindings: Bindings = () => null;
  private depth = 0;
  /** At index k: the factorial of k times the step. */
  private readonly factorials = [1n];

  constructor(
    private readonly seed: number,
    private readonly structure: StructureTable,
    private readonly budget: Budget,
  ) {
    this.field = new PrimeField(seed, budget);
  }

  /** Null where the expression has no value here: a pole, infinity, a kind of node that is no expression. */
  evaluate(node: Node): Residue | null {
    this.budget.spend(0.4);
    switch (node.kind) {
      case 'number':
        return this.field.fromRational(node.value);
      case 'based':
        return node.value && this.field.fromRational(node.value);
      case 'symbol': {
        const value = this.bindings(node.name);
        return value ? this.field.fromRational(value) : this.unknown(`symbol ${node.name}`);
      }
      case 'constant':
        if (node.name === 'infinity') return null;
        if (node.name === 'i') return this.field.imaginaryUnit;
        return this.name(node.name);
      case 'sum':
        return this.fold(node.terms, (a, b) => this.field.add(a, b));
      case 'product':
        return this.fold(node.factors, (a, b) => this.field.multiply(a, b));
      case 'negation':
        return this.field.negate(this.evaluate(node.operand));
      case 'quotient':
        return this.field.divide(this.evaluate(node.numerator), this.evaluate(node.denominator));
      case 'percent':
        return this.field.divide(this.evaluate(node.operand), { top: 100n, bottom: 1n });
      case 'degrees': {
        const turn = this.field.multiply(this.evaluate(node.operand), this.name('pi'));
        return this.field.divide(turn, { top: 180n, bottom: 1n });
      }
      case 'power':
        return this.power(node.base, node.exponent);
      case 'root':
        return this.root(node.radicand, node.degree, 1n);
      case 'application':
        return this.application(node);
      case 'call':
        return this.call(node);
      case 'bound':
        return this.bound(node);
      default:
        return null;
    }
  }

  /** An indeterminate: nothing is known about it, so different residues still prove a difference. */
  private unknown(name: string): Residue {
    this.budget.spend(0.5 + name.length / 100);
    return { top: hashResidue(name, this.seed, this.field.prime), bottom: 1n };
  }

  /** A certain value that field operations do not reach. */
  private name(name: string): Residue {
    this.pure = false;
    return this.unknown(name);
  }

  /** Residues as text, in lowest terms. */
  private key(values: readonly Residue[]): string {
    return values.map((value) => this.field.reduced(value)).join(' ');
  }

  private evaluateAll(nodes: readonly Node[]): Residue[] | null {
    const values: Residue[] = [];
    for (const node of nodes) {
      const value = this.evaluate(node);
      if (!value) return null;
      values.push(value);
    }
    return values;
  }

  private fold(nodes: readonly Node[], operation: (a: Residue, b: Residue) => Residue | null): Residue | null {
    let result = this.evaluate(nodes[0]);
    for (let index = 1; index < nodes.length && result; index++) {
      const next = this.evaluate(nodes[index]);
      result = next && operation(result, next);
    }
    return result;
  }

  private exact(node: Node): Rational | null {
    return exactValue(node, this.budget, this.bindings);
  }

  private power(base: Node, exponent: Node): Residue | null {
    const fraction = this.exact(exponent);
    if (!fraction) {
      const values = this.evaluateAll([base, exponent]);
      return values && this.name(`power ${this.key(values)}`);
    }
    // (a^(1/n))^m is a^(m/n): the powers of a root are powers of what is under it.
    if (base.kind === 'root' && isInteger(fraction)) return this.root(base.radicand, base.degree, fraction.numerator);
    return this.rationalPower(base, fraction);
  }

  private root(radicand: Node, degree: Node, power: bigint): Residue | null {
    const exact = this.exact(degree);
    if (!exact || !isInteger(exact) || exact.numerator < 1n) {
      const values = this.evaluateAll([radicand, degree]);
      return values && this.field.power(this.name(`root ${this.key(values)}`), power);
    }
    const exponent = rational(power, exact.numerator);
    // Reducing the fraction must not turn an even root into an odd one, which negative numbers would notice.
    const changes = exponent.denominator !== 1n && exact.numerator % 2n === 0n && exponent.denominator % 2n === 1n;
    if (!changes) return this.rationalPower(radicand, exponent);
    const root = this.rationalPower(radicand, rational(1n, exact.numerator));
    return root && this.field.power(root, power);
  }

  /** base^(k + f) with 0 ≤ f < 1: the k-th power times the name of the fractional power. */
  private rationalPower(base: Node, exponent: Rational): Residue | null {
    const value = this.evaluate(base);
    if (!value) return null;
    const { numerator, denominator } = exponent;
    if (denominator === 1n) return this.field.power(value, numerator);
    if (value.top === 0n) return null;
    const fraction = ((numerator % denominator) + denominator) % denominator;
    const name = this.fractionalPower(base, value, fraction, denominator);
    return this.field.multiply(this.field.power(value, (numerator - fraction) / denominator), name);
  }

  private fractionalPower(base: Node, value: Residue, numerator: bigint, denominator: bigint): Residue | null {
    const exact = this.exact({
      kind: 'power',
      base,
      exponent: { kind: 'number', value: { numerator, denominator }, significant: null, decimals: 0 },
    });
    return exact ? this.field.fromRational(exact) : this.name(`power ${this.key([value])} ${numerator}/${denominator}`);
  }

  private application(node: ApplicationNode): Residue | null {
    const values = this.evaluateAll(node.arguments);
    if (values) return this.unknown(`apply ${node.name} ${this.key(values)}`);
    return this.depth > 0 ? null : this.unknown(`apply #${this.structure.id(node)}`);
  }

  private call(node: CallNode): Residue | null {
    const argument = node.arguments.at(0);
    if (!argument) return null;
    if (argument.kind === 'matrix') return this.matrixCall(node, argument.rows);
    const exact = this.exact(node);
    if (exact) return this.field.fromRational(exact);
    switch (node.name) {
      case 'exp':
        return this.power({ kind: 'constant', name: 'e' }, argument);
      case 'tan':
        return this.field.divide(this.call({ ...node, name: 'sin' }), this.call({ ...node, name: 'cos' }));
      case 'cot':
        return this.field.divide(this.call({ ...node, name: 'cos' }), this.call({ ...node, name: 'sin' }));
      case 'sec':
        return this.field.divide(this.field.one, this.call({ ...node, name: 'cos' }));
      case 'csc':
        return this.field.divide(this.field.one, this.call({ ...node, name: 'sin' }));
      case 'factorial':
        return this.factorial(node, argument);
      case 'transpose':
      case 'trace':
      case 'determinant':
        return this.evaluate(argument);
      default:
        return this.namedCall(node);
    }
  }

  private namedCall(node: CallNode): Residue | null {
    const values = this.evaluateAll(node.arguments);
    return values && this.name(`${node.name} ${this.key(values)}`);
  }

  private factorial(node: CallNode, argument: Node): Residue | null {
    const exact = this.exact(argument);
    if (!exact || !isInteger(exact) || exact.numerator < 0n || exact.numerator > maximumFactorial) {
      return exact && isInteger(exact) && exact.numerator < 0n ? null : this.namedCall(node);
    }
    const n = Number(exact.numerator);
    while (this.factorials.length <= n / factorialStep) {
      const next = this.factorials.length * factorialStep;
      this.factorials.push(this.multiplied(this.factorials.at(-1)!, next - factorialStep, next));
    }
    const known = Math.floor(n / factorialStep);
    return { top: this.multiplied(this.factorials[known], known * factorialStep, n), bottom: 1n };
  }

  /** `product` times the integers after `from`, up to `to`. */
  private multiplied(product: bigint, from: number, to: number): bigint {
    this.budget.spend((to - from) * 0.3);
    let result = product;
    for (let factor = from + 1; factor <= to; factor++) result = (result * BigInt(factor)) % this.field.prime;
    return result;
  }

  private matrixCall(node: CallNode, rows: Node[][]): Residue | null {
    if (node.name !== 'determinant' && node.name !== 'trace') return null;
    const values: Residue[][] = [];
    for (const row of rows) {
      const entries = this.evaluateAll(row);
      if (!entries) return null;
      values.push(entries);
    }
    if (node.name === 'trace') {
      if (values.length !== values[0]?.length) return null;
      return values
        .map((row, index) => row[index])
        .reduce<Residue | null>((a, b) => this.field.add(a, b), this.field.zero);
    }
    return determinant<Residue | null>(values, {
      zero: this.field.zero,
      add: (a, b) => this.field.add(a, b),
      multiply: (a, b) => this.field.multiply(a, b),
      negate: (a) => this.field.negate(a),
    });
  }

  private bound(node: BoundNode): Residue | null {
    const lower = node.lower && this.exact(node.lower);
    const upper = node.upper && this.exact(node.upper);
    const terms = node.operator === 'sum' || node.operator === 'product';
    if (!terms || !lower || !upper || !isInteger(lower) || !isInteger(upper)) return this.namedStructure(node);
    if (upper.numerator - lower.numerator >= BigInt(maximumTerms)) return this.namedStructure(node);
    const outer = this.bindings;
    let index = lower.numerator;
    let result: Residue | null = node.operator === 'sum' ? this.field.zero : this.field.one;
    this.bindings = (name) => (name === node.variable ? integer(index) : outer(name));
    this.depth++;
    for (; result && index <= upper.numerator; index++) {
      const term = this.evaluate(node.body);
      result = node.operator === 'sum' ? this.field.add(result, term) : this.field.multiply(result, term);
    }
    this.depth--;
    this.bindings = outer;
    return result;
  }

  private namedStructure(node: Node): Residue | null {
    return this.depth > 0 ? null : this.name(`#${this.structure.id(node)}`);
  }
}
