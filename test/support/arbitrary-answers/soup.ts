/** Text that is no answer: bytes, and tokens of TeX and of completions thrown together. */
import fc from 'fast-check';

const words = (text: string): string[] => text.split(' ');

/** Tokens of TeX, plain mathematics, units and prose, and characters that are easily misread. */
export const tokens: readonly string[] = [
  ...words('\\frac \\dfrac \\sqrt \\sqrt[3] \\sqrt[ \\left \\right \\left( \\right) \\left[ \\right] \\left. \\right| \\text \\text{ \\mathrm{ \\mathbf{ \\boxed{ \\boxed \\fbox{ \\overline{ \\bar \\vec{ \\hat \\binom \\pm \\mp'),
  ...words('\\cdot \\times \\div \\over \\choose \\le \\ge \\ne \\neq \\approx \\equiv \\pmod \\bmod \\in \\notin \\cup \\cap \\setminus \\subset \\emptyset \\mathbb{R} \\mathbb{ \\infty \\pi \\theta \\alpha \\circ \\degree \\% \\$ \\{ \\}'),
  ...words('\\( \\) \\[ \\] \\\\ \\, \\; \\! \\quad \\ldots \\cdots \\dots \\sin \\cos \\tan \\ln \\log \\log_ \\exp \\arcsin \\max \\min \\gcd \\lim_{x\\to \\sum_{k=1}^{ \\sum \\int \\int_0^1 \\prod \\mid \\lfloor \\rfloor \\lceil \\rceil'),
  ...words('\\langle \\rangle \\begin{pmatrix} \\end{pmatrix} \\begin{cases} \\end{cases} \\begin{array}{cc} \\end{array} \\begin{aligned} \\end{aligned} \\begin \\end \\def\\x{ \\x \\newcommand \\relax \\not \\prime \\operatorname{ \\textcolor{red}{'),
  ...words('{ } ( ) [ ] | < > = + - * / ^ _ ! , ; : . \' " ` ~ & % $ $$ # @ ? \\ ^{ _{ ^2 ^{-1} {} () [] ** __ <= >= != -> ... +- || !! ^^ __ //'),
  ...words('0 1 2 3 5 7 10 12 100 1,000 0.5 .5 3.14159 1/2 2/3 007 1e9 1e-9 1e400 9999999999 2^100 10^{10} 0.333... 0.(3) 1:2 12:30 204_5 1011_2 50% 3! x y z a b n i e f f(x) AB x_1 dx pi sqrt sqrt( sin( inf'),
  ...words('cm km/h m^2 kg dollars percent degrees am p.m. hours feet and or is the answer equals no solution none yes True A B (C) D. twelve half million hundred where for any'),
  ...words('× ÷ − – √ ∛ π ∞ ≤ ≥ ≠ ≈ ∈ ∪ ∩ ∅ ± ° ′ ² ³ ⁻¹ ₂ ½ ¼ ⅓ α θ ℝ ∑ ∫ → ： ， 。 （ ） ％ ￥ € £ 元 万 答案 故选 是'),
  ' ', '  ', '\n', '\n\n', '\t', '\u00a0', '\u2009', '\u200b', '\u202e', '\ufe0f', '\u0000', '\f', '\v', '\r', '\ud800', '🙂', 'İ', 'ß', 'e\u0301',
]; // prettier-ignore

/** Pieces of completions: statements, turns, tags, code. */
export const pieces: readonly string[] = [
  '\\boxed{5}', '\\boxed{', '}', 'The answer is ', 'the final answer is $', 'Final answer: ', 'Answer:', '#### ', '####5', '<answer>', '</answer>', '<think>', '</think>', '**', '```', '```python\n', '\n\nProblem: ', '\n\nQuestion: ', '\nHuman: ',
  '<|im_start|>assistant\n', '<|im_end|>', '<|im_start|>user\n', '[INST]', '[/INST]', '<|endoftext|>', '答案是', '故选', 'So ', 'Therefore, ', ' is ', ' and ', ' or ', ' = ', '$x$', '$', '\\(', '\\)', '\\[', '\\]', '. ', '.', ',', '\n', '\n- ',
  'I am not sure, but ', 'not ', 'the correct option is ', 'either ', 'I hope it is correct.', 'Let $n = 7$.', 'Step 3: ', 'cannot be determined', '12', '3.5', '\\frac{1}{2}', 'x = 3', '(A)', 'B. ', '?',
]; // prettier-ignore

export const bytes: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.uint8Array({ maxLength: 120 }).map((array) => Buffer.from(array).toString('latin1')),
  fc.uint8Array({ maxLength: 120 }).map((array) => Buffer.from(array).toString('utf8')),
);

export const tokenSoup = (most: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.array(fc.constantFrom(...tokens), { minLength: 1, maxLength: most }), fc.constantFrom('', '', ' '))
    .map(([parts, joint]) => parts.join(joint));

export const completionSoup = (most: number): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof({ arbitrary: fc.constantFrom(...pieces), weight: 3 }, fc.constantFrom(...tokens)), {
      minLength: 1,
      maxLength: most,
    })
    .map((parts) => parts.join(''));
