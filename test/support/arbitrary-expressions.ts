/** Random expressions for property tests. */
import fc from 'fast-check';
import { type FunctionName, functionNames, type Node } from '../../src/verifier/node';
import { call, negation, number, symbol } from './verifier-nodes';

const severalArguments: readonly FunctionName[] = ['binomial', 'permutations', 'gcd', 'lcm', 'mod', 'max', 'min'];
const ofMatrices: readonly FunctionName[] = ['determinant', 'trace', 'transpose', 'norm'];
const oneArgument = functionNames.filter((name) => !severalArguments.includes(name) && !ofMatrices.includes(name));

const constants = (['pi', 'e', 'i'] as const).map((name): Node => ({ kind: 'constant', name }));
const numbers = ['0', '1', '2', '3', '7', '10', '100', '0.5', '1.5', '0.001', '12345'].map(number);

/** Trees of a few nodes over every function, with the given symbols. */
export function arbitraryExpression(symbols: readonly string[]): fc.Arbitrary<Node> {
  const leaves: Node[] = [...constants, ...numbers, ...symbols.flatMap((name) => Array<Node>(5).fill(symbol(name)))];
  const { node } = fc.letrec<{ node: Node }>((tie) => {
    const inner = tie('node');
    return {
      node: fc.oneof(
        { maxDepth: 4, depthSize: 'medium' },
        fc.constantFrom(...leaves),
        fc.tuple(inner, inner).map((terms): Node => ({ kind: 'sum', terms })),
        fc.tuple(inner, inner).map((factors): Node => ({ kind: 'product', factors })),
        fc.tuple(inner, inner).map(([numerator, denominator]): Node => ({ kind: 'quotient', numerator, denominator })),
        inner.map(negation),
        fc.tuple(inner, inner).map(([base, exponent]): Node => ({ kind: 'power', base, exponent })),
        fc
          .tuple(inner, fc.constantFrom('2', '3', '4'))
          .map(([radicand, degree]): Node => ({ kind: 'root', radicand, degree: number(degree) })),
        fc.tuple(fc.constantFrom(...oneArgument), inner).map(([name, value]) => call(name, value)),
        fc.tuple(fc.constantFrom(...severalArguments), inner, inner).map(([name, a, b]) => call(name, a, b)),
      ),
    };
  });
  return node;
}

/** The same value written in another way; `choices` picks the rewriting of each node. */
export function rewritten(node: Node, choices: Iterator<number>): Node {
  const changed = rewrittenInside(node, choices);
  switch (choices.next().value % 12) {
    case 0:
      return { kind: 'sum', terms: [changed, number(3), number(-3)] };
    case 1:
      return {
        kind: 'quotient',
        numerator: { kind: 'product', factors: [number(7), changed] },
        denominator: number(7),
      };
    case 2:
      return negation(negation(changed));
    case 3:
      return { kind: 'quotient', numerator: { kind: 'sum', terms: [changed, changed] }, denominator: number(2) };
    default:
      return changed;
  }
}

function rewrittenInside(node: Node, choices: Iterator<number>): Node {
  const again = (child: Node): Node => rewritten(child, choices);
  switch (node.kind) {
    case 'sum':
      return { kind: 'sum', terms: node.terms.map(again).reverse() };
    case 'product':
      return { kind: 'product', factors: node.factors.map(again).reverse() };
    case 'quotient': {
      const inverse: Node = { kind: 'power', base: again(node.denominator), exponent: number(-1) };
      return { kind: 'product', factors: [again(node.numerator), inverse] };
    }
    case 'negation':
      return { kind: 'product', factors: [number(-1), again(node.operand)] };
    case 'power':
      return { ...node, base: again(node.base) };
    case 'root':
      return { ...node, radicand: again(node.radicand) };
    case 'call':
      return call(node.name, ...node.arguments.map(again));
    default:
      return node;
  }
}
