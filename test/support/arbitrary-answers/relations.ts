/** Equations of lines and circles. */
import fc from 'fast-check';
import { family } from './family';
import { fraction } from './rationals';

/** ax + by + c = 0, neither a nor b 0. */
interface Line {
  a: number;
  b: number;
  c: number;
}

function signed(coefficient: number, symbol: string, first = false): string {
  if (coefficient === 0) return '';
  const sign = coefficient < 0 ? '-' : first ? '' : '+';
  return sign + (Math.abs(coefficient) === 1 && symbol !== '' ? '' : String(Math.abs(coefficient))) + symbol;
}

function quotient(n: number, d: number): string {
  const value = fraction(n, d);
  const size = Math.abs(value.numerator);
  const sign = value.numerator < 0 ? '-' : '+';
  return sign + (value.denominator === 1 ? String(size) : `\\frac{${size}}{${value.denominator}}`);
}

const left = ({ a, b, c }: Line): string => signed(a, 'x', true) + signed(b, 'y') + signed(c, '');
const scaled = ({ a, b, c }: Line, by: number): Line => ({ a: a * by, b: b * by, c: c * by });

function lineForms(line: Line): string[] {
  const { a, b, c } = line;
  const slope = quotient(-a, b).replace('+', '');
  const intercept = c === 0 ? '' : quotient(-c, b);
  return [
    `${left(line)}=0`, `${left(line)} = 0`, `0 = ${left(line)}`, `${left(scaled(line, -1))}=0`, `${left(scaled(line, 2))}=0`, `${left(scaled(line, -3))}=0`, `${signed(a, 'x', true)}${signed(b, 'y')} = ${-c}`, `${signed(b, 'y', true)}${signed(a, 'x')} = ${-c}`,
    `${signed(a, 'x', true)} = ${signed(-b, 'y', true)}${signed(-c, '')}`, `${signed(b, 'y', true)} = ${signed(-a, 'x', true)}${signed(-c, '')}`, `y = ${slope === '1' ? '' : slope === '-1' ? '-' : slope}x${intercept}`, `${slope}\\cdot x${intercept} = y`,
    `\\frac{${left(line)}}{2} = 0`, `y ${c === 0 ? '' : quotient(c, b)} = ${slope} x`, `${left(line)} + 1 = 1`, `$${left(line)}=0$`,
  ]; // prettier-ignore
}

const coefficient = fc.integer({ min: -9, max: 9 }).filter((n) => n !== 0);

export const lines = family('lines', {
  value: fc.record({ a: coefficient, b: coefficient, c: fc.integer({ min: -30, max: 30 }) }),
  forms: lineForms,
  near: ({ a, b, c }) => [
    { a: a === -1 ? 2 : a + 1, b, c },
    { a, b, c: c + 1 },
    { a: -a, b, c },
    ...(c === 0 ? [] : [{ a, b, c: -c }]),
  ],
});

interface Circle {
  x: number;
  y: number;
  square: number;
}

const shifted = (symbol: string, by: number): string =>
  by === 0 ? `${symbol}^2` : `(${symbol}${by < 0 ? '+' : '-'}${Math.abs(by)})^2`;

export const circles = family('circles', {
  value: fc.record({
    x: fc.integer({ min: -9, max: 9 }),
    y: fc.integer({ min: -9, max: 9 }),
    square: fc.integer({ min: 1, max: 90 }),
  }),
  forms: ({ x, y, square }: Circle) => {
    const rest = x * x + y * y - square;
    const expanded = `x^2+y^2${signed(-2 * x, 'x')}${signed(-2 * y, 'y')}${signed(rest, '')}`;
    return [
      `${shifted('x', x)}+${shifted('y', y)}=${square}`, `${shifted('y', y)} + ${shifted('x', x)} = ${square}`, `${square} = ${shifted('x', x)}+${shifted('y', y)}`, `${expanded}=0`, `${expanded} = 0`, `2(${expanded}) = 0`,
      `x^2${signed(-2 * x, 'x')}+y^2${signed(-2 * y, 'y')} = ${-rest}`, `${shifted('x', x)}+${shifted('y', y)}-${square}=0`, `x²+y²${signed(-2 * x, 'x')}${signed(-2 * y, 'y')}${signed(rest, '')}=0`,
    ]; // prettier-ignore
  },
  near: ({ x, y, square }) => [
    { x: x + 1, y, square },
    { x, y, square: square + 1 },
    ...(x === y ? [] : [{ x: y, y: x, square }]),
    ...(y === 0 ? [] : [{ x, y: -y, square }]),
  ],
});

/** One name and its value. */
export const named = family('a name and its value', {
  value: fc.record({
    name: fc.constantFrom('x', 'y', 'n', 'k', 'x_1', '\\theta', 'a_1', "x'"),
    value: fc.integer({ min: -50, max: 99 }),
  }),
  forms: ({ name, value }) => [
    `${name} = ${value}`,
    `${name}=${value}`,
    `${name} = ${value - 5} + 5 = ${value}`,
    `${value} = ${name}`,
    String(value),
    `${value}.0`,
    `${name}=\\frac{${2 * value}}{2}`,
    `${name} = \\text{${value}}`.replace('{-', '{−'),
  ],
  near: ({ name, value }) => [{ name, value: value + 1 }, ...(value === 0 ? [] : [{ name, value: -value }])],
});
