/** No answer equals two golds that differ. test/fuzz/universal.mjs does the same for as long as one likes. */
import { equalAnswers, verify } from '../../../../src/verifier';
import { type Verifier, goldPool, searchUniversal } from '../../../support/universal-answers/search';

const SEED = 20_260_601;
const ANSWERS = 400;

const golds = goldPool(SEED, 5000);

const search = (verifier: Verifier, answers: number): unknown[] => [
  ...searchUniversal(verifier, golds, SEED, (tried) => tried < answers),
];

test('of 5,000 golds no answer equals two that are not equal to each other', () => {
  expect(golds).toHaveLength(5000);
  expect(search({ verify, equalAnswers }, ANSWERS)).toEqual([]);
});

test('a verifier that takes one set for anything is found out', () => {
  const fooled: Verifier = {
    verify: (gold, completion) => (completion.includes('\\mid') ? { correct: true } : verify(gold, completion)),
    equalAnswers,
  };
  expect(search(fooled, 50)).not.toEqual([]);
});
