/**
 * Matrices: their arithmetic is carried out entry by entry before two answers are compared, so that `AB`, `A + B`, `2A` and
 * `A^T` written out compare as the matrix they are. Tuples take part as column vectors. What does not fit in shape stays as it
 * is.
 */
import type { Budget } from '../budget';
import { limits } from '../limits';
import { boundedAdd, boundedMultiply } from '../exact/bounded';
import { isInteger, isZero, zero } from '../exact/rational';
import type { MatrixNode, Node } from '../node';
import { contains, infiniteSign, isExactNumber, mapChildren, negated, number } from './rewrite';

const MAXIMUM_POWER = 12;

/** Entries with symbols double with every factor. */
const MAXIMUM_SYMBOLIC_POWER = 3;

function plus(terms: Node[], budget: Budget): Node {
  const rest: Node[] = [];
  let total = zero;
  for (const term of terms) {
    const sum = isExactNumber(term) ? boundedAdd(total, term.value, budget) : null;
    if (sum === null) rest.push(term);
    else total = sum;
  }
  if (rest.length === 0) return number(total);
  if (!isZero(total)) rest.push(number(total));
  return rest.length === 1 ? rest[0] : { kind: 'sum', terms: rest };
}

function times(a: Node, b: Node, budget: Budget): Node {
  const value = isExactNumber(a) && isExactNumber(b) ? boundedMultiply(a.value, b.value, budget) : null;
  if (value !== null) return number(value);
  if ([a, b].some((factor) => isExactNumber(factor) && isZero(factor.value))) return number(zero);
  return { kind: 'product', factors: [a, b] };
}

const isVector = (node: Node): boolean =>
  node.kind === 'tuple' && node.items.length > 0 && node.items.every((item) => infiniteSign(item) === 0);

/** A matrix, or a tuple as a column; null for anything else. */
function asMatrix(node: Node): MatrixNode | null {
  if (node.kind === 'matrix') return node;
  return node.kind === 'tuple' && isVector(node) ? { kind: 'matrix', rows: node.items.map((item) => [item]) } : null;
}

const mapEntries = (matrix: MatrixNode, map: (entry: Node) => Node): MatrixNode => ({
  kind: 'matrix',
  rows: matrix.rows.map((row) => row.map(map)),
});

const transpose = (matrix: MatrixNode): MatrixNode => ({
  kind: 'matrix',
  rows: matrix.rows[0].map((_, column) => matrix.rows.map((row) => row[column])),
});

const sameShape = (a: MatrixNode, b: MatrixNode): boolean =>
  a.rows.length === b.rows.length && a.rows[0].length === b.rows[0].length;

/** Null where the shapes do not fit. One by one is a scalar. */
function multiplied(a: Node, b: Node, budget: Budget): Node | null {
  const [left, right] = [asMatrix(a), asMatrix(b)];
  if (left === null && right === null) return times(a, b, budget);
  if (left === null) return mapEntries(right!, (entry) => times(a, entry, budget));
  if (right === null) return mapEntries(left, (entry) => times(entry, b, budget));
  if (left.rows[0].length !== right.rows.length) return null;
  const columns = transpose(right).rows;
  const work = left.rows.length * columns.length * right.rows.length;
  if (work > limits.nodes) return null;
  budget.spend(work);
  const rows = left.rows.map((row) =>
    columns.map((column) =>
      plus(
        row.map((entry, index) => times(entry, column[index], budget)),
        budget,
      ),
    ),
  );
  return rows.length === 1 && rows[0].length === 1 ? rows[0][0] : { kind: 'matrix', rows };
}

function product(factors: Node[], budget: Budget): Node | null {
  return factors.slice(1).reduce<Node | null>((left, right) => left && multiplied(left, right, budget), factors[0]);
}

function power(base: Node, exponent: Node, budget: Budget): Node | null {
  const matrix = asMatrix(base);
  if (matrix === null || exponent.kind !== 'number' || !isInteger(exponent.value)) return null;
  const numeric = matrix.rows.every((row) => row.every(isExactNumber));
  const count = Number(exponent.value.numerator);
  if (count < 1 || count > (numeric ? MAXIMUM_POWER : MAXIMUM_SYMBOLIC_POWER)) return null;
  return product(Array<Node>(count).fill(matrix), budget);
}

function sum(terms: Node[], budget: Budget): Node | null {
  const matrices = terms.map(asMatrix);
  const first = matrices[0];
  if (!matrices.every((matrix) => matrix !== null) || !matrices.every((matrix) => sameShape(matrix, first!)))
    return null;
  budget.spend(first!.rows.length * first!.rows[0].length * terms.length);
  const rows = first!.rows.map((row, y) =>
    row.map((_, x) =>
      plus(
        matrices.map((matrix) => matrix.rows[y][x]),
        budget,
      ),
    ),
  );
  return { kind: 'matrix', rows };
}

/** The result of one operation on operands that are evaluated already; null where there is nothing to carry out. */
function operate(node: Node, budget: Budget): Node | null {
  switch (node.kind) {
    case 'sum':
      return node.terms.some(asMatrix) ? sum(node.terms, budget) : null;
    case 'product':
      return node.factors.some(asMatrix) ? product(node.factors, budget) : null;
    case 'negation': {
      const matrix = asMatrix(node.operand);
      return matrix && mapEntries(matrix, negated);
    }
    case 'quotient': {
      const matrix = asMatrix(node.numerator);
      return (
        matrix && mapEntries(matrix, (entry) => ({ kind: 'quotient', numerator: entry, denominator: node.denominator }))
      );
    }
    case 'power':
      return power(node.base, node.exponent, budget);
    case 'call': {
      const matrix = node.name === 'transpose' ? asMatrix(node.arguments[0]) : null;
      return matrix && transpose(matrix);
    }
    default:
      return null;
  }
}

function evaluate(node: Node, budget: Budget): Node {
  const evaluated = mapChildren(node, (child) => evaluate(child, budget));
  return operate(evaluated, budget) ?? evaluated;
}

/** The tree with matrix arithmetic carried out. */
export function evaluateMatrices(node: Node, budget: Budget): Node {
  const has = contains(node, ({ kind }) => kind === 'matrix' || kind === 'tuple', budget);
  return has ? evaluate(node, budget) : node;
}

/** Rows of a tuple of `[]` tuples; null for any other. */
export function rowsOf(node: Node): Node[][] | null {
  if (node.kind === 'matrix') return node.rows;
  if (node.kind !== 'tuple' || node.brackets !== '[]') return null;
  const rows = node.items.map((item) => (item.kind === 'tuple' && item.brackets === '[]' ? item.items : null));
  return rows.every((row) => row !== null && row.length > 0 && row.length === rows[0]!.length)
    ? (rows as Node[][])
    : null;
}
