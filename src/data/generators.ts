/** The built-in generators of problems, by the name that a config gives them. */
import { arithmeticPrompts, type ArithmeticPromptOptions } from './arithmetic';
import { countdownProblems, countdownQuestion, type CountdownOptions } from './countdown/problems';
import type { Problem } from './dataset';
import type { GeneratorName } from './source';

export interface GeneratorOptions {
  count: number;
  split: 'train' | 'heldOut';
  arithmetic?: Omit<ArithmeticPromptOptions, 'count' | 'split'>;
  countdown?: CountdownOptions;
}

const generators: Record<GeneratorName, (options: GeneratorOptions) => Problem[]> = {
  arithmetic: ({ arithmetic, split, count }) =>
    arithmeticPrompts({ ...arithmetic, split, count }).map(({ id, prompt, answer }) => ({
      id,
      problem: prompt,
      answer,
    })),
  countdown: ({ countdown, split, count }) =>
    countdownProblems({ ...countdown, split, count }).map((problem, i) => ({
      id: `${split}-${i}`,
      problem: countdownQuestion(problem),
      answer: String(problem.target),
      row: { ...problem },
    })),
};

/** `count` different problems of a split, the same for the same options; the splits share none. */
export function generateProblems(name: GeneratorName, options: GeneratorOptions): Problem[] {
  return generators[name](options);
}
