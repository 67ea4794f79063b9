import fc from 'fast-check';
import { type ExtractOptions, extractAnswer } from '../../../../src/verifier/extract/extract-answer';

/** Pieces of text that state nothing, however often they stand before an answer. */
const inert = [
  '\\boxed{', '\\boxed{}', '\\boxed{...}', '\\fbox', '\\framebox[', '{', '}', '\\{', '$', '$ ', '$x$ ', '$a and ', '\\( ', '\\frac{', '####', '#### ',
  'answer', 'answer ', 'answer is ', 'answer is', 'the answer is the ', 'the answer is not ', 'Answer: ', 'final answer ', 'answer is \\( ', 'ans', '<', '</',
  '<answer>', '</answer>', '<answer></answer>', '<answer>...</answer>', '</think>', '\n', ' ', '\t', '\r\n', '`', '*', '_', '_a', '"', '(', '9', '-', '. ',
  '.', '?', '!', 'a.b.', 'word ', 'é', '🙂', '\ud800', '\u0000',
]; // prettier-ignore

const stating = [
  '\\boxed{1}', '\\boxed{1}, ', '\\boxed ', '\\boxed\\a{', '\\', '$1 ', '\\[1 ', '\\begin{align} ', '#### 1 x\n', 'answer\n', 'answer is $', 'answer is (',
  'correct option is ', '<|im_start|>user ', '<|im_start|>assistant ', '<|im_end|>', '\nUser: a', '\nQ: answer is ', '\nQ:', '```', '```x\n', '\n% 5',
  '(1 ', '1 is ', 'is 1, ', ',000', '1 ', '- 1 ', 'A) ', '答案是', '故选', 'İanswer ',
]; // prettier-ignore

const options: ExtractOptions[] = [{}, { role: 'gold' }, { statement: 'boxed' }];

/** Linear time takes milliseconds for these lengths, anything worse takes minutes. */
const CHARACTERS = 200_000;
const repeat = (piece: string): string => piece.repeat(Math.ceil(CHARACTERS / piece.length));

test.each(inert)('%j over and over before a box', (piece) => {
  for (const chosen of options) {
    expect(extractAnswer(`${repeat(piece)}. So \\boxed{5}`, chosen)?.texts).toEqual(['5']);
  }
});

test.each([...inert, ...stating])('%j over and over', (piece) => {
  const text = repeat(piece);
  for (const chosen of options) {
    for (const whole of [text, `The answer is ${text}`, `${text}\\boxed{5}`]) {
      expect(extractAnswer(whole, chosen)).not.toBeUndefined();
    }
  }
});

test('boxes nested a hundred thousand deep', () => {
  const deep = `${'\\boxed{'.repeat(100_000)}7${'}'.repeat(100_000)}`;
  expect(extractAnswer(deep)?.texts).toEqual(['7']);
});

test('a list of very many boxes is cut, and keeps its end', () => {
  const many = Array.from({ length: 50_000 }, (_, at) => `\\boxed{${String(at)}}`).join(', ');
  const texts = extractAnswer(many)?.texts ?? [];
  expect(texts.length).toBeLessThanOrEqual(1000);
  expect(texts.at(-1)).toBe('49999');
});

test('never throws, and says what the text holds', () => {
  const pieces = fc.constantFrom(
    ...inert, ...stating, '5', 'x', ' = ', 'is ', 'and ', 'or ', '\\boxed{3}', '$2$', '\\text{a}', '}', '\\)', '\\]', '<answer>4</answer>', 'the answer is ', '\n\n',
  ); // prettier-ignore
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), fc.constantFrom(...options), (parts, chosen) => {
      const text = parts.join('');
      const statement = extractAnswer(text, chosen);
      if (statement === null) return;
      expect(statement.texts.length).toBeGreaterThan(0);
      for (const stated of statement.texts) expect(stated.trim()).not.toBe('');
      expect(statement.end).toBeGreaterThan(0);
      expect(statement.end).toBeLessThanOrEqual(text.length);
      expect(extractAnswer(text, chosen)).toEqual(statement);
    }),
    { numRuns: 2000 },
  );
});

test('any text at all', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      for (const chosen of options) extractAnswer(text, chosen);
      expect(extractAnswer(`${text} \\boxed{5}`, { statement: 'boxed' })).not.toBeUndefined();
    }),
  );
});
