/** No text at all makes a verdict throw or say something that is not in the closed list of reasons. */
import fc from 'fast-check';
import { equalAnswers, verdictReasons, verify } from '../../../../src/verifier';
import { families } from '../../../support/arbitrary-answers';
import { mutate, mutations } from '../../../support/arbitrary-answers/mutations';
import { bytes, completionSoup, tokenSoup } from '../../../support/arbitrary-answers/soup';
import { statements, surroundings } from '../../../support/arbitrary-answers/statements';

/** Repetitions and levels at the most: the fuzzer goes further. */
const MOST = 60;

const answers = fc.oneof(...families.map((family) => family.answers));

/** Whether a gold is the reason why nothing can be scored: then no completion can be. */
const isAtFault = (gold: string): boolean =>
  ['\\boxed{31415}', '\\boxed{\\text{qwerty}}'].every((completion) => verify(gold, completion).correct === null);

function expectSound(gold: string, completion: string): void {
  const { correct, reason } = verify(gold, completion);
  expect(verdictReasons).toContain(reason);
  expect(reason).not.toBe('timeout');
  expect(correct === true).toBe(reason === 'equal');
  if (reason === 'unparsable-gold') expect(correct).toBeNull();
  if (correct === null) expect(['unparsable-gold', 'budget']).toContain(reason);
  // A gold that cannot be read still matches an answer written the same.
  if (correct !== true) expect(correct === null).toBe(isAtFault(gold));
  expect(typeof equalAnswers(gold, completion)).toBe('boolean');
}

const stated = fc
  .tuple(answers, fc.constantFrom(...statements), fc.constantFrom(...surroundings))
  .map(([{ forms, bare, other }, { state }, { state: surround }]) => ({
    golds: [forms[0], other],
    completion: surround(state(bare[0])),
  }));

test('bytes', () => {
  fc.assert(
    fc.property(bytes, bytes, (gold, completion) => {
      expectSound(gold, completion);
      expectSound('12', `${completion} \\boxed{${gold}}`);
    }),
    { numRuns: 150 },
  );
});

test('tokens of TeX', () => {
  fc.assert(
    fc.property(tokenSoup(12), tokenSoup(20), (gold, answer) => {
      expectSound(gold, `So \\boxed{${answer}}`);
      expectSound(answer, gold);
    }),
    { numRuns: 250 },
  );
});

test('pieces of completions', () => {
  fc.assert(
    fc.property(tokenSoup(6), completionSoup(25), (gold, completion) => {
      expectSound(gold, completion);
      expectSound(completion, `The answer is ${gold}.`);
    }),
    { numRuns: 250 },
  );
});

test('mutated answers', () => {
  fc.assert(
    fc.property(answers, mutations(4), mutations(4), ({ forms: [gold, answer] }, first, second) => {
      expectSound(mutate(gold, first, MOST), `\\boxed{${mutate(answer, second, MOST)}}`);
    }),
    { numRuns: 250 },
  );
});

test('mutated completions', () => {
  fc.assert(
    fc.property(stated, mutations(5), ({ golds, completion }, list) => {
      const text = mutate(completion, list, MOST);
      for (const gold of golds) expectSound(gold, text);
      expectSound(text, completion);
    }),
    { numRuns: 150 },
  );
});
