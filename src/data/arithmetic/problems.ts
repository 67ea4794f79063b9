/**
 * Problems of the demo task: sums, differences, small products and one-step equations, with whole answers.
 * The split into training and held-out problems is a hash of the problem itself, so no seed, phrasing, order of the
 * operands or number of draws can move a problem from one side to the other.
 */
import { hashWords, type RandomStream } from '../random';

export const PROBLEM_KINDS = ['addition', 'subtraction', 'multiplication', 'equation'] as const;
export type ProblemKind = (typeof PROBLEM_KINDS)[number];

/** `train`: the corpus and RL prompts. `heldOut`: seen by neither. */
export type Split = 'train' | 'heldOut';

export interface ArithmeticProblem {
  kind: ProblemKind;
  /** As asked, for example `347+85+216` or `x+34=81`. */
  expression: string;
  /** What is worked out column by column; for an equation the operation that isolates x. */
  operation: { type: 'addition' | 'subtraction' | 'multiplication'; operands: readonly number[] };
  answer: number;
}

/** Default shares of the kinds in the corpus and among the prompts. */
export const DEFAULT_KINDS: Readonly<Record<ProblemKind, number>> = {
  addition: 0.55,
  subtraction: 0.2,
  multiplication: 0.1,
  equation: 0.15,
};

/** One problem in HELD_OUT_EVERY is held out. */
export const HELD_OUT_EVERY = 16;

/** Same text for the same problem: the order of summands and factors does not count. */
export function problemKey(problem: ArithmeticProblem): string {
  const { type, operands } = problem.operation;
  const ordered = type === 'subtraction' ? [...operands] : [...operands].sort((a, b) => a - b);
  const kind = problem.kind === 'equation' ? `equation ${type}` : type;
  return `${kind} ${ordered.join(' ')}`;
}

export function splitOf(problem: ArithmeticProblem): Split {
  return (hashWords(problemKey(problem))[0] >>> 0) % HELD_OUT_EVERY === 0 ? 'heldOut' : 'train';
}

function twoOrThreeDigits(random: RandomStream): number {
  return random.chance(0.5) ? random.integer(10, 99) : random.integer(100, 999);
}

function addition(random: RandomStream): ArithmeticProblem {
  const operands = Array.from({ length: random.chance(0.3) ? 3 : 2 }, () => twoOrThreeDigits(random));
  return {
    kind: 'addition',
    expression: operands.join('+'),
    operation: { type: 'addition', operands },
    answer: operands.reduce((sum, operand) => sum + operand, 0),
  };
}

function subtraction(random: RandomStream): ArithmeticProblem {
  const a = twoOrThreeDigits(random);
  const b = twoOrThreeDigits(random);
  const operands = [Math.max(a, b), Math.min(a, b)] as const;
  return {
    kind: 'subtraction',
    expression: operands.join('-'),
    operation: { type: 'subtraction', operands },
    answer: operands[0] - operands[1],
  };
}

function multiplication(random: RandomStream): ArithmeticProblem {
  const operands = [twoOrThreeDigits(random), random.integer(2, 9)] as const;
  return {
    kind: 'multiplication',
    expression: operands.join('*'),
    operation: { type: 'multiplication', operands },
    answer: operands[0] * operands[1],
  };
}

/** x+b=a is solved by a-b, x-b=a by a+b. */
function equation(random: RandomStream): ArithmeticProblem {
  if (random.chance(0.5)) {
    const { operation, answer } = subtraction(random);
    const [a, b] = operation.operands;
    return { kind: 'equation', expression: `x+${b}=${a}`, operation, answer };
  }
  const [a, b] = [twoOrThreeDigits(random), twoOrThreeDigits(random)];
  return {
    kind: 'equation',
    expression: `x-${b}=${a}`,
    operation: { type: 'addition', operands: [a, b] },
    answer: a + b,
  };
}

const DRAW: Record<ProblemKind, (random: RandomStream) => ArithmeticProblem> = {
  addition,
  subtraction,
  multiplication,
  equation,
};

/** Draws until the problem lies in `split`. */
export function drawProblem(
  random: RandomStream,
  split: Split,
  kinds: Readonly<Partial<Record<ProblemKind, number>>> = DEFAULT_KINDS,
): ArithmeticProblem {
  for (;;) {
    const problem = DRAW[random.weighted(kinds)](random);
    if (splitOf(problem) === split) return problem;
  }
}
