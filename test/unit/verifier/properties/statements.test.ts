/** However a completion states its answer, the verdict is that of the bare box. */
import fc from 'fast-check';
import { verify } from '../../../../src/verifier';
import { families } from '../../../support/arbitrary-answers';
import { fitsProse, plainStatements, statements, surroundings } from '../../../support/arbitrary-answers/statements';

const answers = fc.oneof(...families.map((family) => family.answers));

function expectSame(gold: string, answer: string, completion: string): void {
  const { correct } = verify(gold, `\\boxed{${answer}}`);
  expect([completion, verify(gold, completion).correct]).toEqual([completion, correct]);
}

test.each(statements.map(({ name, state }) => [name, state] as const))('%s', (_, state) => {
  fc.assert(
    fc.property(answers, ({ forms: [gold], bare }) => {
      for (const answer of bare) expectSame(gold, answer, state(answer));
    }),
    { numRuns: 70 },
  );
});

test.each(surroundings.map(({ name, state }) => [name, state] as const))('every statement with %s', (_, surround) => {
  fc.assert(
    fc.property(answers, fc.constantFrom(...statements), ({ forms: [gold], bare }, { state }) => {
      for (const answer of bare) expectSame(gold, answer, surround(state(answer)));
    }),
    { numRuns: 100 },
  );
});

test.each(plainStatements.map(({ name, state }) => [name, state] as const))('%s, without delimiters', (_, state) => {
  fc.assert(
    fc.property(answers, ({ forms: [gold], bare }) => {
      for (const answer of bare.filter(fitsProse)) expectSame(gold, answer, state(answer));
    }),
    { numRuns: 70 },
  );
});
