/** Equality of answers is an equivalence, and verdicts depend on nothing but their arguments. */
import fc from 'fast-check';
import { equalAnswers, verify, type Verdict } from '../../../../src/verifier';
import { families } from '../../../support/arbitrary-answers';
import { mutate, mutations } from '../../../support/arbitrary-answers/mutations';
import { fewNumbers } from '../../../support/arbitrary-answers/numbers';
import { tokenSoup } from '../../../support/arbitrary-answers/soup';

/** Two answers of one family: equal, close to each other or, after a mutation, anything. */
const pairs = fc.oneof(...families.map(({ answers }) => answers)).map(({ forms, other }) => [forms, other] as const);
const related = fc.oneof(
  pairs.map(([[a, b]]) => [a, b] as const),
  pairs.map(([[a], other]) => [a, other] as const),
  fc.tuple(pairs, mutations(2)).map(([[[a, b]], list]) => [a, mutate(b, list, 10)] as const),
);
const unrelated = fc.tuple(pairs, pairs).map(([[[a]], [[b]]]) => [a, b] as const);
const soup = fc.tuple(tokenSoup(6), tokenSoup(6));

const withoutTime = ({ correct, reason, extracted }: Verdict): Omit<Verdict, 'ms'> => ({ correct, reason, ...(extracted === undefined ? {} : { extracted }) }); // prettier-ignore

test('reflexive wherever the answer can be read', () => {
  fc.assert(
    fc.property(fc.oneof(related, soup), ([, text]) => {
      const { correct, reason } = verify(`\\boxed{${text}}`, '\\boxed{31415}');
      const { extracted } = verify('31415', `\\boxed{${text}}`);
      // Braces without a partner change what the box holds.
      if (correct !== null && reason !== 'budget' && extracted === text.trim())
        expect([text, equalAnswers(text, text)]).toEqual([text, true]);
    }),
    { numRuns: 400 },
  );
});

test('symmetrical for bare answers', () => {
  fc.assert(
    fc.property(fc.oneof(related, related, unrelated, soup), ([a, b]) => {
      expect(equalAnswers(a, b)).toBe(equalAnswers(b, a));
    }),
    { numRuns: 500 },
  );
});

test('symmetrical for gold and boxed answer, but for ambiguity', () => {
  fc.assert(
    fc.property(fc.oneof(related, unrelated), ([a, b]) => {
      const [there, back] = [verify(`\\boxed{${a}}`, `\\boxed{${b}}`), verify(`\\boxed{${b}}`, `\\boxed{${a}}`)];
      const decided = [there, back].every(({ reason }) => reason === 'equal' || reason === 'different');
      if (decided) expect(there.correct).toBe(back.correct);
    }),
    { numRuns: 500 },
  );
});

test('transitive', () => {
  fc.assert(
    fc.property(fewNumbers, fewNumbers, fewNumbers, (a, b, c) => {
      if (equalAnswers(a, b) && equalAnswers(b, c)) expect(equalAnswers(a, c)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('the same again, also after other verdicts', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(related, soup), { minLength: 2, maxLength: 6 }), (list) => {
      const all = (): Omit<Verdict, 'ms'>[] =>
        list.map(([gold, answer]) => withoutTime(verify(gold, `The answer is $${answer}$.`)));
      const first = all();
      expect(all()).toEqual(first);
      expect(
        [...list].reverse().map(([gold, answer]) => withoutTime(verify(gold, `The answer is $${answer}$.`))),
      ).toEqual(first.reverse());
    }),
    { numRuns: 60 },
  );
});
