/**
 * Structural equality. Every tree gets a small integer such that two trees have the same one when they are the same up to the
 * order of terms and factors, nested sums and products, signs in front of numbers and the names of bound variables. Interning
 * keeps each step as cheap as its number of children.
 */
import type { Budget } from '../budget';
import type { CallNode, Node } from '../node';
import { bindsVariable, isNode } from './tree';

export class StructureTable {
  private readonly ids = new Map<string, number>();
  /** Ids of matrices and of what is made of them: their products keep their order. */
  private readonly ordered = new Set<number>();
  private bound: string[] = [];

  constructor(private readonly budget: Budget) {}

  /** Two trees are the same exactly when their ids are. */
  id(node: Node): number {
    this.budget.spend(0.5);
    switch (node.kind) {
      case 'number':
        return this.intern(`${node.value.numerator}/${node.value.denominator}`);
      case 'symbol':
        return this.intern(this.symbolKey(node.name));
      case 'constant':
        return this.intern(`constant ${node.name}`);
      case 'sum':
        return this.join('+', this.flat(node.terms, 'sum'), true);
      case 'product': {
        const factors = this.flat(node.factors, 'product');
        return this.join('*', factors, !factors.some((factor) => this.ordered.has(factor)));
      }
      case 'negation':
        return this.negation(node.operand);
      case 'quotient':
        return this.join('/', [this.id(node.numerator), this.id(node.denominator)], false);
      case 'power':
        return this.join('^', [this.id(node.base), this.id(node.exponent)], false);
      case 'root':
        return this.join('root', [this.id(node.radicand), this.id(node.degree)], false);
      case 'percent':
      case 'degrees':
        return this.join(node.kind, [this.id(node.operand)], false);
      case 'application':
        return this.intern(`apply ${JSON.stringify(node.name)} ${this.describe(node.arguments)}`);
      case 'call':
        return this.call(node);
      case 'bound':
        return this.boundId(node);
      case 'matrix': {
        const id = this.intern(`matrix ${this.describe(node.rows)}`);
        this.ordered.add(id);
        return id;
      }
      default:
        return this.intern(`${node.kind} ${this.describeFields(node)}`);
    }
  }

  same(a: Node, b: Node): boolean {
    return this.id(a) === this.id(b);
  }

  private intern(key: string): number {
    const known = this.ids.get(key);
    if (known !== undefined) return known;
    const id = this.ids.size;
    this.ids.set(key, id);
    return id;
  }

  private join(head: string, ids: number[], commutes: boolean): number {
    const ordered = ids.some((id) => this.ordered.has(id));
    if (commutes) ids.sort((a, b) => a - b);
    const id = this.intern(`${head} ${ids.join(' ')}`);
    if (ordered) this.ordered.add(id);
    return id;
  }

  private flat(nodes: readonly Node[], kind: 'sum' | 'product', ids: number[] = []): number[] {
    for (const node of nodes) {
      if (node.kind === 'sum' && kind === 'sum') this.flat(node.terms, kind, ids);
      else if (node.kind === 'product' && kind === 'product') this.flat(node.factors, kind, ids);
      else ids.push(this.id(node));
    }
    return ids;
  }

  private negation(operand: Node): number {
    if (operand.kind === 'negation') return this.id(operand.operand);
    if (operand.kind === 'number') return this.intern(`${-operand.value.numerator}/${operand.value.denominator}`);
    return this.join('-', [this.id(operand)], false);
  }

  private call(node: CallNode): number {
    const commutes = node.name === 'gcd' || node.name === 'lcm' || node.name === 'max' || node.name === 'min';
    const ids = node.arguments.map((argument) => this.id(argument));
    const id = this.join(node.name, ids, commutes);
    if (node.name === 'determinant' || node.name === 'trace' || node.name === 'norm') this.ordered.delete(id);
    return id;
  }

  private symbolKey(name: string): string {
    const depth = this.bound.lastIndexOf(name);
    return depth < 0 ? `symbol ${name}` : `bound ${depth}`;
  }

  private boundId(node: Node & { kind: 'bound' }): number {
    const limits = [node.lower, node.upper].map((limit) => (limit ? this.id(limit) : -1));
    const binds = bindsVariable(node);
    const variable = binds ? '' : this.symbolKey(node.variable);
    const outer = this.bound;
    if (binds) this.bound = [...outer, node.variable];
    const body = this.id(node.body);
    this.bound = outer;
    return this.intern(`${node.operator} ${variable} ${limits.join(' ')} ${body}`);
  }

  /** Text of anything inside a node, with nodes by their ids. */
  private describe(value: unknown): string {
    if (Array.isArray(value)) return `[${value.map((item) => this.describe(item)).join(',')}]`;
    if (isNode(value)) return `#${this.id(value)}`;
    if (typeof value === 'object' && value !== null) return this.describeFields(value);
    return typeof value === 'string' ? JSON.stringify(value) : String(value);
  }

  private describeFields(fields: object): string {
    const entries = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
    return entries.map(([name, value]) => `${name}:${this.describe(value)}`).join(';');
  }
}
