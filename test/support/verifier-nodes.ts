/** Builders of the verifier's trees, and a small infix notation for them: tests of what follows the parser do not need it. */
import { rational } from '../../src/verifier/exact/rational';
import { type FunctionName, functionNames, type Node, type NumberNode } from '../../src/verifier/node';

/** A number as written: `12`, `-3`, `0.50`. */
export function number(text: string | number | bigint): NumberNode {
  const written = String(text);
  const negative = written.startsWith('-');
  const point = written.indexOf('.');
  const decimals = point < 0 ? 0 : written.length - point - 1;
  const digits = BigInt(written.replace(/[-.]/gu, ''));
  return {
    kind: 'number',
    value: rational(negative ? -digits : digits, 10n ** BigInt(decimals)),
    significant: point < 0 ? null : digits === 0n ? 0 : String(digits).length,
    decimals,
  };
}

export const symbol = (name: string): Node => ({ kind: 'symbol', name });
export const negation = (operand: Node): Node => ({ kind: 'negation', operand });
export const call = (name: FunctionName, ...values: Node[]): Node => ({ kind: 'call', name, arguments: values });
export const based = (digits: string, base: number): Node => ({
  kind: 'based',
  digits,
  base,
  value: { numerator: BigInt(parseInt(digits, base)), denominator: 1n },
});

/**
 * A tree from infix notation: `+ - * / ^ ! % °`, `sqrt(x)`, `root(n, x)`, names of functions, `f(x)`, `pi e i oo`,
 * `sum(k, 1, n, body)` and its kin, `[[a, b], [c, d]]`. Every other name is a symbol.
 */
export function infix(text: string): Node {
  const reader = new Reader(text.match(/\d+(?:\.\d+)?|[\p{L}_][\p{L}\d_']*|[^\s]/gu) ?? []);
  const node = reader.sum();
  reader.end();
  return node;
}

const operators = ['sum', 'product', 'integral', 'limit', 'derivative'] as const;

class Reader {
  private position = 0;

  constructor(private readonly tokens: readonly string[]) {}

  end(): void {
    if (this.position < this.tokens.length) throw new Error(`unexpected ${this.tokens[this.position]}`);
  }

  sum(): Node {
    const terms = [this.product()];
    for (;;) {
      if (this.take('+')) terms.push(this.product());
      else if (this.take('-')) terms.push(negation(this.product()));
      else return terms.length === 1 ? terms[0] : { kind: 'sum', terms };
    }
  }

  private product(): Node {
    let left = this.factor();
    for (;;) {
      if (this.take('*')) {
        const right = this.factor();
        left = { kind: 'product', factors: left.kind === 'product' ? [...left.factors, right] : [left, right] };
      } else if (this.take('/')) left = { kind: 'quotient', numerator: left, denominator: this.factor() };
      else return left;
    }
  }

  private factor(): Node {
    if (this.take('-')) return negation(this.factor());
    let base = this.atom();
    for (;;) {
      if (this.take('!')) base = call('factorial', base);
      else if (this.take('%')) base = { kind: 'percent', operand: base };
      else if (this.take('°')) base = { kind: 'degrees', operand: base };
      else break;
    }
    return this.take('^') ? { kind: 'power', base, exponent: this.factor() } : base;
  }

  private atom(): Node {
    const token = this.tokens.at(this.position++);
    if (token === undefined) throw new Error('unexpected end');
    if (/^\d/u.test(token)) return number(token);
    if (token === '(') return this.closed(() => this.sum());
    if (token === '[') return this.matrix();
    if (!/^[\p{L}_]/u.test(token)) throw new Error(`unexpected ${token}`);
    if (this.take('('))
      return this.applied(
        token,
        this.closed(() => this.list()),
      );
    if (token === 'pi' || token === 'e' || token === 'i') return { kind: 'constant', name: token };
    return token === 'oo' ? { kind: 'constant', name: 'infinity' } : symbol(token);
  }

  private applied(name: string, values: Node[]): Node {
    const operator = operators.find((candidate) => candidate === name);
    if (operator) {
      const [variable, lower = null, upper = null] = values as [Node, Node?, Node?];
      if (variable.kind !== 'symbol' || values.length < 2) throw new Error(`a variable and a body in ${name}`);
      const body = values.at(-1)!;
      const bounded = values.length === 4;
      return {
        kind: 'bound',
        operator,
        variable: variable.name,
        lower: values.length > 2 ? lower : null,
        upper: bounded ? upper : null,
        body,
      };
    }
    const [first, second] = values as [Node, Node];
    if (name === 'sqrt') return { kind: 'root', radicand: first, degree: number(2) };
    if (name === 'root') return { kind: 'root', radicand: second, degree: first };
    const known = functionNames.find((candidate) => candidate === name);
    return known ? call(known, ...values) : { kind: 'application', name, arguments: values };
  }

  private matrix(): Node {
    const rows: Node[][] = [];
    do {
      this.expect('[');
      rows.push(this.list());
      this.expect(']');
    } while (this.take(','));
    this.expect(']');
    return { kind: 'matrix', rows };
  }

  private list(): Node[] {
    const items = [this.sum()];
    while (this.take(',')) items.push(this.sum());
    return items;
  }

  private closed<T>(read: () => T): T {
    const result = read();
    this.expect(')');
    return result;
  }

  private take(token: string): boolean {
    if (this.tokens[this.position] !== token) return false;
    this.position++;
    return true;
  }

  private expect(token: string): void {
    if (!this.take(token)) throw new Error(`expected ${token}`);
  }
}
