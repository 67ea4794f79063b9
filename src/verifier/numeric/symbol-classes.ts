/** What may be assumed of a symbol from where it stands. */
import type { Budget } from '../budget';
import { exactValue } from '../exact/exact-value';
import { bindsVariable, childNodes } from '../exact/tree';
import type { CallNode, Node } from '../node';

export interface SymbolClass {
  /** Under an even root, in a logarithm, as a base of a power that is no integer: taken as positive. */
  positive: boolean;
  /** In a factorial, a binomial, a bound of a sum, the exponent of a negative number: a positive integer. */
  integer: boolean;
  /** Conjugated, taken apart into its parts: a complex number, whatever else is known of it. */
  complex: boolean;
}

/** A real number of either sign. */
export const ordinary: SymbolClass = { positive: false, integer: false, complex: false };

/** By name; applications as `f()`. */
export type SymbolClasses = ReadonlyMap<string, SymbolClass>;

export function classifySymbols(nodes: readonly Node[], budget: Budget): SymbolClasses {
  const classifier = new Classifier(budget);
  for (const node of nodes) classifier.visit(node, { ...ordinary, bound: new Set() });
  return classifier.classes;
}

const integerFunctions: ReadonlySet<string> = new Set([
  'factorial', 'doubleFactorial', 'binomial', 'permutations', 'gcd', 'lcm', 'mod',
]); // prettier-ignore
const roundingFunctions: ReadonlySet<string> = new Set(['floor', 'ceil', 'round']);

const complexFunctions: ReadonlySet<string> = new Set(['real', 'imaginary', 'conjugate', 'argument']);

/** Names that stand for integers by custom; inside ⌊ ⌋ they are taken so. */
const integerName = /^[i-npqrK-N](?:_|$)/u;

/** Where a node stands: what holds for the symbols in it, and the variables that are bound there. */
interface Place extends SymbolClass {
  bound: ReadonlySet<string>;
}

class Classifier {
  readonly classes = new Map<string, SymbolClass>();

  constructor(private readonly budget: Budget) {}

  visit(node: Node, place: Place): void {
    this.budget.spend(0.2);
    switch (node.kind) {
      case 'symbol':
        if (!place.bound.has(node.name)) this.mark(node.name, place);
        return;
      case 'application':
        this.mark(`${node.name}()`, { ...place, complex: false });
        for (const argument of node.arguments) this.visit(argument, { ...ordinary, bound: place.bound });
        return;
      case 'power': {
        const power = exactValue(node.exponent, this.budget);
        this.visit(node.exponent, { ...place, positive: false, integer: this.alternates(node.base) || place.integer });
        this.visit(node.base, { ...place, positive: place.positive || power?.denominator !== 1n });
        return;
      }
      case 'root':
        this.visit(node.radicand, { ...place, positive: place.positive || this.isEvenOrUnknown(node.degree) });
        this.visit(node.degree, place);
        return;
      case 'call':
        this.visitCall(node, place);
        return;
      case 'bound': {
        const counts = node.operator === 'sum' || node.operator === 'product';
        for (const limit of [node.lower, node.upper]) {
          if (limit) this.visit(limit, { ...place, integer: counts || place.integer });
        }
        const bound = bindsVariable(node) ? new Set([...place.bound, node.variable]) : place.bound;
        this.visit(node.body, { ...place, bound });
        return;
      }
      default:
        for (const child of childNodes(node)) this.visit(child, place);
    }
  }

  private visitCall(node: CallNode, place: Place): void {
    const inside: Place = {
      positive: place.positive || node.name === 'ln' || node.name === 'log',
      integer: place.integer || integerFunctions.has(node.name),
      complex: place.complex || complexFunctions.has(node.name),
      bound: place.bound,
    };
    for (const argument of node.arguments) {
      if (roundingFunctions.has(node.name)) this.visitRounded(argument, place.bound);
      else this.visit(argument, inside);
    }
  }

  /** ⌊n/2⌋ counts, ⌊x⌋ does not. */
  private visitRounded(node: Node, bound: ReadonlySet<string>): void {
    if (node.kind === 'symbol') {
      if (!bound.has(node.name)) this.mark(node.name, { ...ordinary, integer: integerName.test(node.name) });
    } else for (const child of childNodes(node)) this.visitRounded(child, bound);
  }

  /** Powers of a negative number or of i go around: their exponents count. */
  private alternates(base: Node): boolean {
    if (base.kind === 'constant') return base.name === 'i';
    if (base.kind !== 'number' && base.kind !== 'negation') return false;
    const value = exactValue(base, this.budget);
    return value !== null && value.numerator < 0n;
  }

  private isEvenOrUnknown(degree: Node): boolean {
    const value = exactValue(degree, this.budget);
    return value?.denominator !== 1n || value.numerator % 2n === 0n;
  }

  private mark(name: string, { positive, integer, complex }: SymbolClass): void {
    const known = this.classes.get(name);
    if (known) {
      known.positive ||= positive;
      known.integer ||= integer;
      known.complex ||= complex;
    } else this.classes.set(name, { positive, integer, complex });
  }
}
