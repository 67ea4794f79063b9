/** Inputs for the fuzzer: golds with completions that state something about them, more or less damaged. */
import fc from 'fast-check';
import { families } from '.';
import { attacks } from '../universal-answers/attacks';
import { mutate, mutations } from './mutations';
import { bytes, completionSoup, tokenSoup } from './soup';
import { statements, surroundings } from './statements';

export interface Input {
  gold: string;
  completion: string;
  /** Gold and answer alone, where the completion is one box around the answer. */
  pair?: { gold: string; answer: string; sound: boolean };
}

const boxed = (gold: string, answer: string, sound: boolean): Input => ({
  gold,
  completion: `\\boxed{${answer}}`,
  pair: { gold, answer, sound },
});

/**
 * @param cases Labelled cases, as material to damage.
 * @param most Repetitions and levels at the most.
 */
export function arbitraryInput(
  cases: readonly Pick<Input, 'gold' | 'completion'>[],
  most: number,
): fc.Arbitrary<Input> {
  const answers = fc.oneof(...families.map((family) => family.answers));
  const row = fc.constantFrom(...cases);
  const statement = fc.constantFrom(...statements);
  const surrounding = fc.constantFrom(...surroundings);
  const soup = tokenSoup(25);
  return fc.oneof(
    { weight: 3, arbitrary: answers.map(({ forms }) => boxed(forms[0], forms[1], true)) },
    { weight: 2, arbitrary: answers.map(({ forms, other }) => boxed(forms[0], other, true)) },
    { weight: 1, arbitrary: fc.tuple(answers, answers).map(([a, b]) => boxed(a.forms[0], b.forms[0], true)) },
    { weight: 4, arbitrary: fc.tuple(answers, mutations(4)).map(([{ forms }, list]) => boxed(forms[0], mutate(forms[1], list, most), false)) },
    { weight: 3, arbitrary: fc.tuple(answers, mutations(4)).map(([{ forms }, list]) => boxed(mutate(forms[0], list, most), forms[1], false)) },
    { weight: 2, arbitrary: fc.tuple(answers, mutations(3), mutations(2)).map(([{ forms }, list, more]) => {
      const gold = mutate(forms[0], list, most);
      return boxed(gold, mutate(gold, more, most), false);
    }) },
    { weight: 3, arbitrary: fc.tuple(answers, statement, surrounding, mutations(4)).map(([{ forms, bare }, { state }, { state: surround }, list]) => ({ gold: forms[0], completion: mutate(surround(state(bare[0])), list, most) })) },
    { weight: 4, arbitrary: fc.tuple(row, mutations(4)).map(([{ gold, completion }, list]) => ({ gold, completion: mutate(completion, list, most) })) },
    { weight: 2, arbitrary: fc.tuple(row, mutations(4)).map(([{ gold, completion }, list]) => ({ gold: mutate(gold, list, most), completion })) },
    { weight: 1, arbitrary: fc.tuple(row, row).map(([{ gold }, { completion }]) => ({ gold, completion })) },
    { weight: 2, arbitrary: fc.tuple(answers, attacks).map(([{ forms }, attack]) => boxed(forms[0], attack, false)) },
    { weight: 1, arbitrary: fc.tuple(attacks, attacks).map(([a, b]) => boxed(a, b, false)) },
    { weight: 2, arbitrary: fc.tuple(soup, soup).map(([gold, answer]) => boxed(gold, answer, false)) },
    { weight: 1, arbitrary: fc.tuple(soup, completionSoup(40)).map(([gold, completion]) => ({ gold, completion })) },
    { weight: 1, arbitrary: fc.tuple(soup, mutations(3), completionSoup(20), mutations(3)).map(([gold, list, completion, more]) => ({ gold: mutate(gold, list, most), completion: mutate(completion, more, most) })) },
    { weight: 1, arbitrary: fc.tuple(fc.oneof(bytes, answers.map(({ other }) => other)), bytes).map(([gold, completion]) => ({ gold, completion })) },
  ); // prettier-ignore
}
