import { exactNumber, parseExactJson, shortestFloat } from '../../../src/data/exact-numbers';

test.each<[string, unknown]>([
  ['9007199254740993', '9007199254740993'],
  ['-12345678901234567890', '-12345678901234567890'],
  ['12345678901234567.89', '12345678901234567.89'],
  ['3.14159265358979323846', '3.14159265358979323846'],
  ['1e400', '1e400'],
  ['1e-400', '1e-400'],
  ['0.30000000000000004', 0.30000000000000004],
  // Doubles as C's %.17g and numpy write them.
  ['0.10000000000000001', 0.1],
  ['1234567.1000000001', 1234567.1],
  ['0.1000000000000000000', 0.1],
  ['9007199254740991', 9007199254740991],
  ['1e21', 1e21],
])('%s in a row of JSON', (text, value) => {
  expect(parseExactJson(`{"a":[${text}],"b":"${text}"}`)).toEqual({ a: [value], b: text });
});

test('of a key that occurs twice the last value counts, whatever digits stand beside it', () => {
  for (const number of ['1', '12345678901234567890'])
    expect(parseExactJson(`{"n":${number},"a":1,"a":{"b":2}}`)).toMatchObject({ a: { b: 2 } });
});

test('what is no JSON is a SyntaxError, with digits or without', () => {
  expect(() => parseExactJson('{"a":')).toThrow(SyntaxError);
  expect(() => parseExactJson('{"a":12345678901234567890')).toThrow(SyntaxError);
});

test('floats are the shortest decimals that read back to them', () => {
  for (const value of [0.1, 1 / 3, 1e-42, 3.4e38, -7.25, 16777215, 123456.789]) {
    const stored = Math.fround(value);
    const shortest = shortestFloat(stored, 32);
    expect(Math.fround(shortest)).toBe(stored);
    expect(String(shortest).length).toBeLessThanOrEqual(String(stored).length);
  }
  expect(shortestFloat(Math.fround(0.1), 32)).toBe(0.1);
  expect(shortestFloat(0.0999755859375, 16)).toBe(0.1);
  expect(shortestFloat(2 ** -24, 16)).toBeCloseTo(2 ** -24, 10);
  expect(shortestFloat(Infinity, 32)).toBe(Infinity);
  expect(exactNumber('1.50')).toBe(1.5);
});
