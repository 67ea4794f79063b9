/** JSON as Python writes it. */
import { parsePythonJson, stringifyPythonJson } from '../../../src/policy/python-json';

test('NaN and infinities are numbers outside of texts', () => {
  const text = '{"a": [NaN, Infinity,-Infinity, 1e3], "b": "NaN, -Infinity and \\"Infinity\\"", "c": {"d": -Infinity}}';
  expect(parsePythonJson(text)).toEqual({
    a: [NaN, Infinity, -Infinity, 1000],
    b: 'NaN, -Infinity and "Infinity"',
    c: { d: -Infinity },
  });
});

test.each(['{"a": Infinityx}', '{"a": NaN', '{"a": nan}', '[1,]'])('%s stays an error of JSON', (text) => {
  expect(() => parsePythonJson(text)).toThrow(SyntaxError);
});

test('what is written is read again, and plain JSON is as JSON.stringify writes it', () => {
  const odd = { limits: [0, Infinity, -Infinity, NaN], text: 'Infinity' };
  expect(stringifyPythonJson(odd)).toBe('{"limits":[0,Infinity,-Infinity,NaN],"text":"Infinity"}');
  expect(parsePythonJson(stringifyPythonJson(odd, 2)!)).toEqual(odd);
  const plain = { a: [1, 'x', null], b: { c: true } };
  expect(stringifyPythonJson(plain, 2)).toBe(JSON.stringify(plain, null, 2));
});
