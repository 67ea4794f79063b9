import { rational } from '../../../src/verifier/exact/rational';
import { readUnit } from '../../../src/verifier/parse/units';

/** How many of the second unit are one of the first; null where they do not convert. */
function factor(first: string, second: string): [bigint, bigint] | null {
  const [a, b] = [readUnit(first), readUnit(second)];
  if (!a || !b || a.dimension === null || a.dimension !== b.dimension) return null;
  const { numerator, denominator } = rational(
    a.scale.numerator * b.scale.denominator,
    a.scale.denominator * b.scale.numerator,
  );
  return [numerator, denominator];
}

test.each([
  ['km', 'm', 1000n, 1n],
  ['kilometers', 'metres', 1000n, 1n],
  ['KM', 'm', 1000n, 1n],
  ['inches', 'ft', 1n, 12n],
  ['mile', 'feet', 5280n, 1n],
  ['cm^2', 'square meters', 1n, 10_000n],
  ['cm²', 'sq cm', 1n, 1n],
  ['sq. ft.', 'square inches', 144n, 1n],
  ['centimeters squared', 'cm^{2}', 1n, 1n],
  ['cubic decimeters', 'liters', 1n, 1n],
  ['mL', 'cubic centimeters', 1n, 1n],
  ['hours', 'minutes', 60n, 1n],
  ['weeks', 'days', 7n, 1n],
  ['years', 'months', 12n, 1n],
  ['cents', '$', 1n, 100n],
  ['us dollars', 'dollar', 1n, 1n],
  ['mph', 'miles per hour', 1n, 1n],
  ['km/h', 'm/s', 5n, 18n],
  ['meters per second', 'm s^-1', 1n, 1n],
  ['m/s^2', 'm s⁻²', 1n, 1n],
  ['kilowatt-hours', 'joules', 3_600_000n, 1n],
  ['N m', 'J', 1n, 1n],
  ['cents a pound', 'dollars per pound', 1n, 100n],
  ['ounces', 'lbs', 1n, 16n],
  ['平方米', 'm^2', 1n, 1n],
  ['千米/时', '千米每小时', 1n, 1n],
  ['厘米', 'mm', 10n, 1n],
  ['元', 'yuan', 1n, 1n],
  ['MW', 'mW', 1_000_000_000n, 1n],
])('%s in %s', (first, second, numerator, denominator) => {
  expect(factor(first, second)).toEqual([numerator, denominator]);
});

test.each([
  ['cm', 'cm^2'],
  ['hours', 'm'],
  ['dollars', 'euros'],
  ['°C', '°F'],
  ['years', 'days'],
  ['kg', 'm'],
])('%s and %s do not convert', (first, second) => {
  expect(factor(first, second)).toBeNull();
  expect(readUnit(first)!.dimension).not.toBe(readUnit(second)!.dimension);
});

test.each(['units', 'square units', 'sq. units', 'units^2', 'tons', 'dollars per person', 'm/m'])(
  '%s is a unit that never conflicts',
  (text) => {
    expect(readUnit(text)).toMatchObject({ dimension: null });
  },
);

test.each(
  [
    ['', 'points', 'people', 'degrees', 'percent', 'am', 'pm', 't', 'd', 'x', 'C', 'F', 'M', 'meters above'],
    ['/', 'per hour', 'm/', 'square', 'm^', 'm^99', '^2', 'constructor', '__proto__', 'm '.repeat(100)],
  ].flat(),
)('%j is no unit', (text) => {
  expect(readUnit(text)).toBeNull();
});

test('every single letter taken is a unit on its own', () => {
  expect(Array.from('msghlLAVWJNK').filter((letter) => readUnit(letter) === null)).toEqual([]);
});

test('names are canonical', () => {
  expect(readUnit('Sq. Centimetres')!.name).toBe('centimeter^2');
  expect(readUnit('km/h')!.name).toBe('kilometer·hour^-1');
  expect(readUnit('$')!.name).toBe('dollar');
});
