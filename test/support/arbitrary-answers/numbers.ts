/** Forms of very few numbers, so that two of them are often the same number. */
import fc from 'fast-check';
import { integerForms } from './integers';
import { complexForms, radicalForms } from './radicals';
import { fraction, fractionForms } from './rationals';

const small = fc.integer({ min: -2, max: 2 });
const notZero = fc.constantFrom(-2, -1, 1, 2);

const forms = fc.oneof(
  small.map((n) => integerForms(BigInt(n))),
  fc.tuple(small, fc.constantFrom(1, 2, 3)).map(([n, d]) => fractionForms(fraction(n, d))),
  fc.tuple(notZero, fc.constantFrom(1, 2)).map(([n, d]) => radicalForms({ ...fraction(n, d), radicand: 2 })),
  fc.record({ real: small, imaginary: notZero }).map(complexForms),
  fc.constantFrom(['\\cos(\\pi)', 'e^{i\\pi}', 'i^2', '\\sin(-\\frac{\\pi}{2})'], ['\\frac{\\sqrt{2}}{2}', '\\sin(45^\\circ)', '\\cos(\\frac{\\pi}{4})', '2^{-1/2}'], ['\\log_2 4', '2!', '|-2|', '\\lceil 1.5 \\rceil', '\\binom{2}{1}']),
); // prettier-ignore

export const fewNumbers: fc.Arbitrary<string> = fc
  .tuple(forms, fc.nat(999))
  .map(([texts, choice]) => texts[choice % texts.length]);
