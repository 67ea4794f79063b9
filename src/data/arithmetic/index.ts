/** The generated arithmetic task: corpus documents for pre-training and prompts for RL and evaluation. */
import { askQuestion, fillTemplate, TEMPLATES, type TemplateName } from './documents';
import { DEFAULT_KINDS, drawProblem, problemKey, type ProblemKind, type Split } from './problems';
import { RandomStream } from '../random';

export {
  arithmeticDocument,
  DEFAULT_MIX,
  TEMPLATES,
  type AnswerHabits,
  type DocumentMix,
  type TemplateName,
} from './documents';
export {
  DEFAULT_KINDS,
  HELD_OUT_EVERY,
  PROBLEM_KINDS,
  problemKey,
  splitOf,
  type ArithmeticProblem,
  type ProblemKind,
  type Split,
} from './problems';

/** A prompt with its checkable answer. */
export interface ArithmeticPrompt {
  /** `train-17` or `heldOut-17`. */
  id: string;
  kind: ProblemKind;
  prompt: string;
  answer: string;
}

export interface ArithmeticPromptOptions {
  split: Split;
  count: number;
  /** Default 0. */
  seed?: number;
  /** Default `question`. */
  template?: TemplateName;
  /** Shares of the kinds; default those of the corpus. */
  kinds?: Readonly<Partial<Record<ProblemKind, number>>>;
  /** Problems with more operands are left out. Default 3, the most there are. */
  maxOperands?: number;
}

/** Draws in a row that gave a known problem before the kinds count as used up. */
const MAX_REPEATS = 2000;

/** `count` different problems of `split` as prompts; the same for the same options, and a prefix of a longer list. */
export function arithmeticPrompts(options: ArithmeticPromptOptions): ArithmeticPrompt[] {
  const { split, count, seed = 0, template = 'question', kinds = DEFAULT_KINDS, maxOperands = 3 } = options;
  const random = new RandomStream(seed, `prompts/${split}`);
  const seen = new Set<string>();
  const prompts: ArithmeticPrompt[] = [];
  let repeats = 0;
  while (prompts.length < count) {
    const problem = drawProblem(random, split, kinds);
    if (problem.operation.operands.length > maxOperands) continue;
    const key = problemKey(problem);
    if (seen.has(key)) {
      if (++repeats > MAX_REPEATS) {
        throw new RangeError(
          `Expected at most ${prompts.length} different problems for count but received ${count}: the chosen kinds have no more in the ${split} split`,
        );
      }
      continue;
    }
    repeats = 0;
    seen.add(key);
    prompts.push({
      id: `${split}-${prompts.length}`,
      kind: problem.kind,
      prompt: fillTemplate(TEMPLATES[template], askQuestion(problem)),
      answer: String(problem.answer),
    });
  }
  return prompts;
}
