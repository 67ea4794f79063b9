/**
 * The tree that an answer parses to. Expressions are kept as written (nothing is simplified by the parser); collections,
 * relations and text stand beside them. Every node is plain data.
 */
import type { Rational } from './exact/rational';
import type { Unit } from './parse/units';

/** Functions with a meaning; anything else applied to arguments is an `application`. */
export const functionNames = [
  'abs', 'sign', 'floor', 'ceil', 'round', 'exp', 'ln', 'log', 'sin', 'cos', 'tan', 'cot', 'sec', 'csc',
  'arcsin', 'arccos', 'arctan', 'arccot', 'arcsec', 'arccsc', 'sinh', 'cosh', 'tanh', 'coth', 'sech', 'csch',
  'arcsinh', 'arccosh', 'arctanh', 'factorial', 'doubleFactorial', 'gamma', 'binomial', 'permutations', 'gcd', 'lcm',
  'max', 'min', 'mod', 'real', 'imaginary', 'conjugate', 'argument', 'determinant', 'trace', 'transpose', 'norm', 'cis',
] as const; // prettier-ignore
export type FunctionName = (typeof functionNames)[number];

export type RelationOperator = '=' | '≠' | '<' | '≤' | '>' | '≥' | '≈' | '≡' | '⊂' | '⊆' | '⊥' | '∥' | '∼';

export interface NumberNode {
  kind: 'number';
  value: Rational;
  /** Significant digits of a number written with a decimal point (leading zeros not counted); null where it is exact. */
  significant: number | null;
  /** Digits written after the point, 0 for integers; together with `significant` it tells how exact the number is. */
  decimals: number;
}

/** A variable: `x`, `x_1`, `theta`, `f'`. Case counts. */
export interface SymbolNode {
  kind: 'symbol';
  name: string;
}

export interface ConstantNode {
  kind: 'constant';
  name: 'pi' | 'e' | 'i' | 'infinity';
}

/** Sum of at least two terms. */
export interface SumNode {
  kind: 'sum';
  terms: Node[];
}

/** Product of at least two factors, in the order written (matrices do not commute). */
export interface ProductNode {
  kind: 'product';
  factors: Node[];
}

export interface QuotientNode {
  kind: 'quotient';
  numerator: Node;
  denominator: Node;
}

export interface NegationNode {
  kind: 'negation';
  operand: Node;
}

export interface PowerNode {
  kind: 'power';
  base: Node;
  exponent: Node;
}

/** The real root where there is one (odd degrees of negative numbers included), else the principal one. */
export interface RootNode {
  kind: 'root';
  radicand: Node;
  degree: Node;
}

/**
 * A known function. `log` has one argument (base 10) or two (base, argument); `binomial`, `permutations` (n, k), `mod` (a, m)
 * two; `gcd`, `lcm`, `max`, `min` one or more; `norm` of a tuple or matrix; all others one.
 */
export interface CallNode {
  kind: 'call';
  name: FunctionName;
  arguments: Node[];
}

/** An unknown function or an indexed name: `f(x)`, `F_{n-1}`, `P(A)`. */
export interface ApplicationNode {
  kind: 'application';
  name: string;
  arguments: Node[];
}

/** Sum, product, integral or limit over `variable`. An indefinite integral has neither bound; a limit only `lower`. */
export interface BoundNode {
  kind: 'bound';
  operator: 'sum' | 'product' | 'integral' | 'limit' | 'derivative';
  variable: string;
  lower: Node | null;
  upper: Node | null;
  body: Node;
}

/** `a ± b`: two values. `left` is null for a leading `±b`. `flipped` is `∓`. */
export interface PlusMinusNode {
  kind: 'plusMinus';
  left: Node | null;
  right: Node;
  flipped: boolean;
}

/** `a%`: the number a/100 inside an expression; as a whole answer the sign is optional. */
export interface PercentNode {
  kind: 'percent';
  operand: Node;
}

/** `a°`: a·π/180 inside an expression; as a whole answer the sign is optional. */
export interface DegreesNode {
  kind: 'degrees';
  operand: Node;
}

/** A value with its unit or currency. Only ever a whole answer or an element of a collection. */
export interface QuantityNode {
  kind: 'quantity';
  value: Node;
  unit: Unit;
}

/** Digits in another base: `204_5`. `value` is null where a digit is not less than the base. */
export interface BasedNode {
  kind: 'based';
  digits: string;
  base: number;
  value: Rational | null;
}

/** `7:32`, `1:2:3`. */
export interface RatioNode {
  kind: 'ratio';
  parts: Node[];
}

/** A time of day or a span `h:mm[:ss]`; `ratio` is its other reading where there is no am or pm. */
export interface ClockNode {
  kind: 'clock';
  /** Hours as written, minutes, seconds. */
  parts: number[];
  meridiem: 'am' | 'pm' | null;
}

/**
 * `(a, b, ...)`, ordered. A pair may also be the open interval from a to b: the parser cannot know, the comparison decides.
 * `brackets` is `[]` for `[a, b, c]` (never a pair: that is a closed interval) and `<>` for `⟨a, b⟩`.
 */
export interface TupleNode {
  kind: 'tuple';
  items: Node[];
  brackets: '()' | '[]' | '<>';
}

/** A bare list: `1, 2, 3`, `1 and 2`, boxes joined by "and"; also `{1, 2}` in TeX braces. `or` is true when joined by "or". */
export interface ListNode {
  kind: 'list';
  items: Node[];
  or: boolean;
}

/** `\{1, 2\}`: unordered. */
export interface SetNode {
  kind: 'set';
  items: Node[];
}

/** With at least one closed end, or an infinite one; `(a, b)` is a tuple. */
export interface IntervalNode {
  kind: 'interval';
  lower: Node;
  upper: Node;
  lowerClosed: boolean;
  upperClosed: boolean;
}

export interface SetOperationNode {
  kind: 'setOperation';
  operator: 'union' | 'intersection' | 'difference';
  operands: Node[];
}

export interface NamedSetNode {
  kind: 'namedSet';
  name: 'reals' | 'integers' | 'positiveIntegers' | 'naturals' | 'rationals' | 'complexes' | 'empty';
}

/** `\{x \in domain \mid condition\}`. */
export interface SetBuilderNode {
  kind: 'setBuilder';
  element: Node;
  domain: Node | null;
  condition: Node | null;
}

/** Rows of equal length. Vectors are one-column or one-row matrices. */
export interface MatrixNode {
  kind: 'matrix';
  rows: Node[][];
}

/** A chain: `operands.length === operators.length + 1`. */
export interface RelationNode {
  kind: 'relation';
  operands: Node[];
  operators: RelationOperator[];
}

/** `element ∈ set` (or ∉). */
export interface MembershipNode {
  kind: 'membership';
  element: Node;
  set: Node;
  negated: boolean;
}

/** `7 (mod 10)`, alone or with the name that it is about left aside. */
export interface ResidueNode {
  kind: 'residue';
  value: Node;
  modulus: Node;
}

/** `¬p`, `p ∧ q`, `∀x ∈ ℝ, …`: quantifiers have the membership or name and the statement. */
export interface LogicNode {
  kind: 'logic';
  operator: '¬' | '∧' | '∨' | '⇒' | '⇔' | '∀' | '∃' | '∄';
  operands: Node[];
}

/** A function by cases; a condition of null stands for `otherwise`. */
export interface PiecewiseNode {
  kind: 'piecewise';
  pieces: { value: Node; condition: Node | null }[];
}

/** `C. 12`: the letter of a choice and the readings of what it says. */
export interface ChoiceNode {
  kind: 'choice';
  letter: string;
  values: Node[];
}

/** Words: names, choices, sentences. Lower case, one space between words, no final punctuation. */
export interface TextNode {
  kind: 'text';
  text: string;
}

export type Node =
  | NumberNode
  | SymbolNode
  | ConstantNode
  | SumNode
  | ProductNode
  | QuotientNode
  | NegationNode
  | PowerNode
  | RootNode
  | CallNode
  | ApplicationNode
  | BoundNode
  | PlusMinusNode
  | PercentNode
  | DegreesNode
  | QuantityNode
  | BasedNode
  | RatioNode
  | ClockNode
  | TupleNode
  | ListNode
  | SetNode
  | IntervalNode
  | SetOperationNode
  | NamedSetNode
  | SetBuilderNode
  | MatrixNode
  | RelationNode
  | MembershipNode
  | ResidueNode
  | LogicNode
  | PiecewiseNode
  | ChoiceNode
  | TextNode;
