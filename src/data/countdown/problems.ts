/**
 * The countdown task: combine all given numbers, each once, with + - * / to reach a target. Every drawn problem has a
 * solution, since the target is the value of a random expression. The split is a hash of numbers and target, so no seed,
 * order of the numbers or count moves a problem from one side to the other.
 */
import { hashWords, RandomStream } from '../random';

export interface CountdownProblem {
  /** In the order shown. */
  numbers: readonly number[];
  target: number;
  /** One expression that reaches the target. */
  solution: string;
}

export interface CountdownOptions {
  /** Default 0. */
  seed?: number;
  /** Fewest numbers of a problem, at least 2. Default 3. */
  minNumbers?: number;
  /** Most numbers of a problem, at most 6. Default 4. */
  maxNumbers?: number;
  /** Numbers are drawn from 1 to this. Default 99. */
  maxNumber?: number;
  /** Default 10. */
  minTarget?: number;
  /** Default 99. */
  maxTarget?: number;
}

/** One problem in HELD_OUT_EVERY is held out. */
const HELD_OUT_EVERY = 16;
/** Draws in a row without a new problem before the range counts as used up. */
const MAX_MISSES = 20_000;

/** Same text for the same problem: the order of the numbers does not count. */
export function countdownKey({ numbers, target }: Pick<CountdownProblem, 'numbers' | 'target'>): string {
  return `countdown ${[...numbers].sort((a, b) => a - b).join(' ')} = ${target}`;
}

export function countdownSplit(problem: Pick<CountdownProblem, 'numbers' | 'target'>): 'train' | 'heldOut' {
  return (hashWords(countdownKey(problem))[0] >>> 0) % HELD_OUT_EVERY === 0 ? 'heldOut' : 'train';
}

interface Part {
  value: number;
  text: string;
}

/** One operation on two parts; null where the result is no whole number. */
function combine(a: Part, b: Part, operator: string): Part | null {
  const text = `(${a.text} ${operator} ${b.text})`;
  if (operator === '+') return { value: a.value + b.value, text };
  if (operator === '-') return { value: a.value - b.value, text };
  if (operator === '*') return { value: a.value * b.value, text };
  return b.value !== 0 && a.value % b.value === 0 ? { value: a.value / b.value, text } : null;
}

/** The value of a random expression of all the numbers; null where a division leaves a rest. */
function drawExpression(random: RandomStream, numbers: readonly number[]): Part | null {
  const parts: Part[] = numbers.map((value) => ({ value, text: String(value) }));
  while (parts.length > 1) {
    const [a] = parts.splice(random.integer(0, parts.length - 1), 1);
    const [b] = parts.splice(random.integer(0, parts.length - 1), 1);
    const made = combine(a, b, random.pick(['+', '-', '*', '/']));
    if (made === null) return null;
    parts.push(made);
  }
  const [{ value, text }] = parts;
  return { value, text: text.slice(1, -1) };
}

/**
 * `count` different problems of `split`; the same for the same options, and a prefix of a longer list.
 *
 * @throws RangeError when the ranges hold no more problems
 */
export function countdownProblems(
  options: CountdownOptions & { split: 'train' | 'heldOut'; count: number },
): CountdownProblem[] {
  const { split, count, seed = 0, minNumbers = 3, maxNumbers = 4, maxNumber = 99 } = options;
  const { minTarget = 10, maxTarget = 99 } = options;
  const random = new RandomStream(seed, `countdown/${split}`);
  const seen = new Set<string>();
  const problems: CountdownProblem[] = [];
  let misses = 0;
  while (problems.length < count) {
    if (++misses > MAX_MISSES) {
      throw new RangeError(
        `Expected at most ${problems.length} different problems for count but received ${count}: data.countdown has no more in the ${split} split`,
      );
    }
    const size = random.integer(minNumbers, maxNumbers);
    const numbers = Array.from({ length: size }, () => random.integer(1, maxNumber));
    const made = drawExpression(random, numbers);
    if (made === null || made.value < minTarget || made.value > maxTarget) continue;
    const problem = { numbers, target: made.value, solution: made.text };
    const key = countdownKey(problem);
    if (seen.has(key) || countdownSplit(problem) !== split) continue;
    misses = 0;
    seen.add(key);
    problems.push(problem);
  }
  return problems;
}

/** The question as a prompt puts it. */
export function countdownQuestion({ numbers, target }: Pick<CountdownProblem, 'numbers' | 'target'>): string {
  return `Write an expression that equals ${target}. Combine the numbers ${numbers.join(', ')} with +, -, * and /, using every number exactly once; parentheses are allowed.`;
}
