/**
 * Documents of the pre-training corpus: questions in loose formats with answers given at once (short, often wrong) or
 * worked out (long, mostly right), some without a box, some with a remark, some running on into a further problem.
 * The mixture makes the model base-like: the same prompt continues in all of these ways.
 */
import { DEFAULT_KINDS, drawProblem, type ArithmeticProblem, type ProblemKind, type Split } from './problems';
import { RandomStream } from '../random';
import { workOut, type WorkingStyle } from './working';

/** Prompt templates, `{question}` is replaced. */
export const TEMPLATES = {
  question: 'Question: {question}\nAnswer:',
  short: 'Q: {question}\nA:',
  problem: 'Problem: {question}\nSolution:',
  boxed: 'Question: {question} Put the answer in \\boxed{}.\nAnswer:',
} as const;
export type TemplateName = keyof typeof TEMPLATES;

/** How the answers to a template are written. */
export interface AnswerHabits {
  /** Answers that are worked out; the rest are given at once. */
  worked: number;
  /** Answers in a box. */
  boxed: number;
}

/** Shares of the corpus. */
export interface DocumentMix {
  kinds: Readonly<Partial<Record<ProblemKind, number>>>;
  templates: Readonly<Partial<Record<TemplateName, number>>>;
  habits: Readonly<Record<TemplateName, AnswerHabits>>;
  styles: Readonly<Partial<Record<WorkingStyle, number>>>;
  /** Worked answers with a slip in one column. */
  workedSlip: number;
  /** Wrong answers among those given at once. */
  directWrong: number;
  /** Answers with a remark before them; half as many have one behind them. */
  remark: number;
  /** Documents that run on into a further problem. */
  runOn: number;
}

/** Habits differ by template, as on the web, so what a base model does depends on how it is asked. */
export const DEFAULT_MIX: DocumentMix = {
  kinds: DEFAULT_KINDS,
  templates: { question: 0.3, short: 0.2, problem: 0.45, boxed: 0.05 },
  habits: {
    question: { worked: 0.36, boxed: 0.75 },
    short: { worked: 0.25, boxed: 0.5 },
    problem: { worked: 0.9, boxed: 0.75 },
    boxed: { worked: 0.4, boxed: 0.95 },
  },
  styles: { terse: 0.5, carry: 0.45, wordy: 0.05 },
  workedSlip: 0.02,
  directWrong: 0.33,
  remark: 0.06,
  runOn: 0.05,
};

/** The question of a problem in words, `plainly` or in one of the corpus' phrasings. */
export function askQuestion(problem: ArithmeticProblem, random?: RandomStream): string {
  const { kind, expression } = problem;
  const equation = kind === 'equation';
  if (random?.chance(0.3)) return equation ? `Solve ${expression}.` : `What is ${expression}?`;
  return equation ? `${expression}, x=?` : `${expression}=?`;
}

export function fillTemplate(template: string, question: string): string {
  return template.replace('{question}', () => question);
}

/** A number near the answer, as hasty arithmetic gives: a lost carry, a digit off, two digits swapped. */
function hastyAnswer(answer: number, random: RandomStream): number {
  for (;;) {
    let guess: number;
    const text = String(answer);
    if (random.chance(0.2) && text.length > 1) {
      const at = random.integer(0, text.length - 2);
      guess = Number(text.slice(0, at) + text[at + 1] + text[at] + text.slice(at + 2));
    } else {
      const unit = 10 ** random.integer(0, text.length - 1);
      guess = answer + unit * (random.chance(0.7) ? 1 : random.integer(2, 4)) * (random.chance(0.7) ? -1 : 1);
    }
    if (guess !== answer && guess >= 0) return guess;
  }
}

const REMARKS = ['Let me see. ', 'Ok, ', 'Hmm. ', 'This is easy. '] as const;
const AFTERTHOUGHTS = [' Done.', ' Next.', ' That was easy.'] as const;

function stateAnswer(answer: number, kind: ProblemKind, boxed: boolean, random: RandomStream): string {
  const shown = boxed ? `\\boxed{${answer}}` : String(answer);
  if (kind === 'equation' && random.chance(0.3)) return `x=${shown}`;
  if (random.chance(0.2)) return `The answer is ${shown}.`;
  return boxed ? shown : `${shown}.`;
}

function answerText(
  problem: ArithmeticProblem,
  template: TemplateName,
  mix: DocumentMix,
  random: RandomStream,
): string {
  const habits = mix.habits[template];
  const boxed = random.chance(habits.boxed);
  const remark = random.chance(mix.remark) ? random.pick(REMARKS) : '';
  let text: string;
  if (random.chance(habits.worked)) {
    const working = workOut(problem, random.weighted(mix.styles), random, mix.workedSlip);
    const joint = random.weighted({ '. ': 0.7, ', so ': 0.3 });
    text = `${working.text}${joint}${stateAnswer(working.answer, problem.kind, boxed, random)}`;
  } else {
    const answer = random.chance(mix.directWrong) ? hastyAnswer(problem.answer, random) : problem.answer;
    text = stateAnswer(answer, problem.kind, boxed, random);
  }
  return ` ${remark}${text}${random.chance(mix.remark / 2) ? random.pick(AFTERTHOUGHTS) : ''}`;
}

/** Document `index` of the corpus of `seed`: a function of these alone. */
export function arithmeticDocument(seed: number, index: number, split: Split = 'train', mix = DEFAULT_MIX): string {
  const random = new RandomStream(seed, `document/${split}`, index);
  const template = random.weighted(mix.templates);
  const problems = random.chance(mix.runOn) ? 2 : 1;
  const parts: string[] = [];
  for (let i = 0; i < problems; i++) {
    const problem = drawProblem(random, split, mix.kinds);
    parts.push(
      fillTemplate(TEMPLATES[template], askQuestion(problem, random)) + answerText(problem, template, mix, random),
    );
  }
  return parts.join('\n\n');
}
