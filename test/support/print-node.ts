/** A compact form of parsed answers for tests: `(1 ÷ 2)`, `tuple()<3, #pi>`, `rel<x = 3>`. */
import type { Node } from '../../src/verifier/node';

const all = (nodes: readonly Node[]): string => nodes.map(printNode).join(', ');
const orNone = (node: Node | null): string => (node ? printNode(node) : '∅');

export function printNode(node: Node): string {
  switch (node.kind) {
    case 'number': {
      const { numerator, denominator } = node.value;
      const value = denominator === 1n ? String(numerator) : `${numerator}/${denominator}`;
      return node.significant === null ? value : `${value}~${node.significant}`;
    }
    case 'symbol':
      return node.name;
    case 'constant':
      return `#${node.name}`;
    case 'sum':
      return `(${node.terms.map(printNode).join(' + ')})`;
    case 'product':
      return `[${node.factors.map(printNode).join('·')}]`;
    case 'quotient':
      return `(${printNode(node.numerator)} ÷ ${printNode(node.denominator)})`;
    case 'negation':
      return `-${printNode(node.operand)}`;
    case 'power':
      return `${printNode(node.base)}^${printNode(node.exponent)}`;
    case 'root':
      return `√${printNode(node.degree)}(${printNode(node.radicand)})`;
    case 'call':
    case 'application':
      return `${node.name}(${all(node.arguments)})`;
    case 'bound':
      return `${node.operator}_{${node.variable}=${orNone(node.lower)}}^${orNone(node.upper)}{${printNode(node.body)}}`;
    case 'plusMinus':
      return `(${orNone(node.left)}${node.flipped ? '∓' : '±'}${printNode(node.right)})`;
    case 'percent':
      return `${printNode(node.operand)}%`;
    case 'degrees':
      return `${printNode(node.operand)}°`;
    case 'quantity':
      return `${printNode(node.value)} «${node.unit.name}»`;
    case 'based':
      return `${node.digits}_${node.base}`;
    case 'ratio':
      return `ratio<${node.parts.map(printNode).join(':')}>`;
    case 'clock':
      return `clock<${node.parts.join(':')}${node.meridiem ?? ''}>`;
    case 'tuple':
      return `tuple${node.brackets}<${all(node.items)}>`;
    case 'list':
      return `list${node.or ? '-or' : ''}<${all(node.items)}>`;
    case 'set':
      return `set<${all(node.items)}>`;
    case 'interval':
      return `interval${node.lowerClosed ? '[' : '('}${printNode(node.lower)}, ${printNode(node.upper)}${node.upperClosed ? ']' : ')'}`;
    case 'setOperation':
      return `${node.operator}<${all(node.operands)}>`;
    case 'namedSet':
      return `@${node.name}`;
    case 'setBuilder':
      return `{${printNode(node.element)} in ${orNone(node.domain)} | ${orNone(node.condition)}}`;
    case 'matrix':
      return `matrix<${node.rows.map(all).join('; ')}>`;
    case 'relation':
      return `rel<${node.operands.map((operand, at) => (at === 0 ? '' : ` ${node.operators[at - 1]} `) + printNode(operand)).join('')}>`;
    case 'membership':
      return `${printNode(node.element)} ${node.negated ? '∉' : '∈'} ${printNode(node.set)}`;
    case 'residue':
      return `${printNode(node.value)} (mod ${printNode(node.modulus)})`;
    case 'logic':
      return `${node.operator}<${all(node.operands)}>`;
    case 'piecewise':
      return `cases<${node.pieces.map(({ value, condition }) => `${printNode(value)} if ${orNone(condition)}`).join('; ')}>`;
    case 'choice':
      return `choice ${node.letter}<${all(node.values)}>`;
    case 'text':
      return JSON.stringify(node.text);
  }
}
