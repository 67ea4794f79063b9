/** Points at which expressions are compared. They depend on the names of the symbols and on the index of the point alone. */
import { rational, type Rational } from '../exact/rational';
import type { StructureTable } from '../exact/structure';
import type { ApplicationNode } from '../node';
import { hash32 } from './hash';
import type { Unknowns } from './evaluate';
import { ordinary, type SymbolClass, type SymbolClasses } from './symbol-classes';

/**
 * log2 of the size of the values at each point; small ones lie in the domains of arcsin and sqrt(1 - x²). The second line is
 * for expressions with breaks, such as |x - 100|: large values of both signs.
 */
const scales = [0, 1, -2, 0, 2, -3, 1, 4, 0, -4, 6, 2, 9, -1, 5, 12].concat([4, 4, 7, 7, 10, 10, 14, 14]);

/** Points worth trying, without and with breaks. */
export const ordinaryPoints = 16;
export const maximumPoints = scales.length;

export class SamplePoint implements Unknowns {
  private readonly known = new Map<string, Rational>();

  constructor(
    readonly index: number,
    private readonly classes: SymbolClasses,
    private readonly structure: StructureTable,
  ) {}

  /** Values of real symbols and of applications by their keys. */
  readonly bindings = (name: string): Rational | null => {
    const group = this.classes.get(groupOf(name)) ?? ordinary;
    return group.complex ? null : this.sample(name, group);
  };

  application(node: ApplicationNode): Rational {
    const group = this.classes.get(`${node.name}()`) ?? ordinary;
    return this.sample(`${node.name}(#${this.structure.id(node)})`, group);
  }

  complexSymbol(name: string): { re: Rational; im: Rational } {
    return { re: this.sample(name, ordinary), im: this.sample(`imaginary part of ${name}`, ordinary) };
  }

  private sample(name: string, group: SymbolClass): Rational {
    const known = this.known.get(name);
    if (known) return known;
    const value = sample(name, this.index, group);
    this.known.set(name, value);
    return value;
  }

  /** The values that were asked for so far, as text: the same for points that do not differ. */
  get values(): string {
    return [...this.known.values()].map(({ numerator, denominator }) => `${numerator}/${denominator}`).join(' ');
  }
}

/** Applications of one name, `f(1/1)` and `f(2/1)`, have one class, that of `f()`. */
function groupOf(name: string): string {
  const parenthesis = name.indexOf('(');
  return parenthesis < 0 ? name : `${name.slice(0, parenthesis)}()`;
}

function sample(name: string, index: number, group: SymbolClass): Rational {
  const hash = hash32(name, 0x51ed + (index >> 1));
  if (group.integer) return rational(integerSample(name, index, hash));
  // Between 1 and 4 times the scale, in steps of 1/1024: exact as a double and as a fraction.
  const value = rational(BigInt(1024 + (hash % 3071)), 1024n);
  const scale = scales[index % scales.length];
  const size = 2n ** BigInt(Math.abs(scale));
  const scaled =
    scale < 0
      ? rational(value.numerator, value.denominator * size)
      : rational(value.numerator * size, value.denominator);
  // Two points that follow each other have both signs, and symbols have them independently.
  const negative = !group.positive && ((hash >>> 20) + index) % 2 === 1;
  return negative ? { numerator: -scaled.numerator, denominator: scaled.denominator } : scaled;
}

/** By custom n and m bound the others. */
function integerSample(name: string, index: number, hash: number): bigint {
  const large = /^[nmNM]/u.test(name);
  return BigInt(large ? 4 + ((hash + index) % 9) : 1 + ((hash + index) % 6));
}
