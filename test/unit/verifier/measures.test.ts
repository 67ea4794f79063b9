/** Measures in several units of one dimension. */
import { equalAnswers, verify } from '../../../src/verifier';

const both = (a: string, b: string): boolean[] => [equalAnswers(a, b), equalAnswers(b, a)];

test.each([
  ['5 ft 3 in', '63 in'],
  ['5 ft. 3 in.', '5.25 ft'],
  ['5 ft 3 in', '5\\text{ ft }3\\text{ in}'],
  ['5 feet 3 inches', '5\\,\\mathrm{ft}\\ 3\\,\\mathrm{in}'],
  ['5 ft and 3 1/2 in', '63.5 inches'],
  ['1 h 30 min', '90 min'],
  ['1h30m', '90\\text{ minutes}'],
  ['2 h 3 min 4 s', '7384 seconds'],
  ['1 day 2 hours', '26 h'],
  ['3 lb 4 oz', '52 ounces'],
  ['1 m 50 cm', '1.5 m'],
  ['2 kg 300 g', '2300\\text{ g}'],
  ['5 dollars 30 cents', '\\$5.30'],
])('%s is %s', (a, b) => {
  expect(both(a, b)).toEqual([true, true]);
});

test.each([
  ['5 ft 3 in', '5 ft 4 in'],
  ['5 ft 3 in', '5 ft'],
  ['5 ft 3 in', '3 in'],
  ['5 ft 3 in', '53 in'],
  ['5 ft 3 in', '5 m 3 cm'],
  ['3 in 5 ft', '63 in'],
  ['2 m 3 s', '2 m'],
  ['1 m, 50 cm', '150 cm'],
  ['5 x 3 y', '5 ft 3 in'],
])('%s is not %s', (a, b) => {
  expect(both(a, b)).toEqual([false, false]);
});

test('letters that are no units stay variables', () => {
  expect(both('2 m 3 n', '6mn')).toEqual([true, true]);
  expect(both('2m 3m', '6m^2')).toEqual([true, true]);
});

test.each([
  ['63 in', 'The answer is 5 ft 3 in.', '5 ft 3 in'],
  ['63 in', 'So she is 5 feet 3 in tall.', '5 feet 3 in'],
  ['63', 'The answer is 63 in.', '63 in'],
  ['63 in', '#### 5 ft 3 in', '5 ft 3 in'],
  ['3', 'There are 3 in the box.', '3'],
  ['8 ft', 'It fell 8 ft in total.', '8 ft'],
  ['3 minutes', 'He walked 5 ft in 3 minutes.', '3 minutes'],
])('%s: %s', (gold, completion, extracted) => {
  expect(verify(gold, completion)).toMatchObject({ correct: true, extracted });
});
