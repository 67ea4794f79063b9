/**
 * Prompts that leave no room for an answer in the context. They are looked for before the first step, not at the one that draws
 * them.
 */
import type { Problem } from '../data/dataset';
import { problemsOfStep, type Part } from '../data/order';
import type { Template } from '../data/template';
import { ZeroRlError } from '../errors';
import { mapInSlices } from '../event-loop';
import type { TrainConfig } from './config';
import { isTooLong, makePrompts } from './rollouts';
import type { TrainingPolicy } from './training-policy';

export interface PromptLengthInput {
  policy: TrainingPolicy;
  template: Template;
  config: TrainConfig;
  warn: (message: string) => void;
  signal?: AbortSignal;
}

/** Special tokens that a tokenizer may add to a prompt. */
const SPECIAL_TOKENS = 16;
/** Problems named in a warning or an error. */
const SHOWN_PROBLEMS = 3;
/** Epochs of the data that are looked through; whatever a mixture draws only later is replaced in its step without a word. */
const EPOCHS = 4;

/** The errors of those `problems` whose prompts are too long, by index. */
async function longPrompts(
  problems: readonly Problem[],
  { policy, template, config, signal }: PromptLengthInput,
): Promise<Map<number, Error>> {
  const context = policy.config?.maxPositions ?? 0;
  const found = new Map<number, Error>();
  const look = (problem: Problem, index: number): void => {
    const text = template(problem);
    // A token is a byte at least, and most prompts are far from the limit.
    if (Buffer.byteLength(text) + SPECIAL_TOKENS < context) return;
    try {
      makePrompts(policy, [problem], () => text, 0, config.data.addSpecialTokens);
    } catch (error) {
      if (!isTooLong(error)) throw error;
      found.set(index, error as Error);
    }
  };
  await mapInSlices(problems, look, signal);
  return found;
}

/** Says or refuses, as `data.badRows` has it. */
function report(kind: string, errors: readonly Error[], of: number, { config, warn }: PromptLengthInput): void {
  if (errors.length === 0) return;
  const shown = errors.slice(0, SHOWN_PROBLEMS).map(({ message }) => message);
  const more = errors.length > SHOWN_PROBLEMS ? ` (and ${errors.length - SHOWN_PROBLEMS} more)` : '';
  const found = `${errors.length} of ${of} ${kind} problems have prompts that leave no room for an answer: ${shown.join('; ')}${more}`;
  if (config.data.badRows === 'skip' && errors.length < of) {
    warn(`${found}; they are left out`);
    return;
  }
  throw new ZeroRlError(
    'ERR_ZERO_RL_DATA',
    `${found}; shorten them, or set data.badRows to skip where others are left`,
  );
}

/**
 * Those `problems` whose prompts leave room for an answer.
 *
 * @param kind what warnings and errors call them
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` naming the others where `data.badRows` is `error`, or where none is left
 */
export async function fittingProblems(
  kind: 'training' | 'held-out',
  problems: readonly Problem[],
  input: PromptLengthInput,
): Promise<Problem[]> {
  const long = await longPrompts(problems, input);
  report(kind, [...long.values()], problems.length, input);
  return problems.filter((_, index) => !long.has(index));
}

/**
 * Looks at the prompts that the steps after `done` are to draw.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` as {@link fittingProblems}
 */
export async function checkDrawnPrompts(
  problems: readonly Problem[],
  parts: readonly Part[],
  done: number,
  input: PromptLengthInput,
): Promise<void> {
  const { steps, seed, rollout } = input.config;
  const most = Math.min((steps - done) * rollout.promptsPerStep, EPOCHS * problems.length);
  if (most <= 0) return;
  const first = done * rollout.promptsPerStep;
  const drawn = new Set(problemsOfStep(parts, first + most, 0, seed).slice(first));
  await fittingProblems(
    'training',
    [...drawn].map((index) => problems[index]),
    input,
  );
}
