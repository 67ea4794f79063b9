/** Turns a problem into the prompt that a base model continues. */
import { ZeroRlError } from '../errors';
import { isUserCode, loadUserCode, userCodeThrew } from '../user-code';
import type { Problem } from './dataset';

/** Makes the prompt text of a problem. */
export type Template = (problem: Problem) => string;

const PLACEHOLDER = '{problem}';

/**
 * Templates by name; none needs a chat template. `plain` adds nothing. `question`, `steps` and `simple` are for weak base
 * models, which rigid formats hurt. `boxed` asks for the box that the math reward wants, `qwen-boxed` does so in the markup and
 * words that Qwen's models know. `think` and `countdown` open a thought, the answer to be given in tags.
 */
export const templates = {
  plain: PLACEHOLDER,
  question: `Question: ${PLACEHOLDER}\nAnswer:`,
  steps: `Question: ${PLACEHOLDER}\nAnswer: Step by step,`,
  simple: `Question:\n${PLACEHOLDER}\nAnswer:\nLet's think step by step.\n`,
  boxed: `Question: ${PLACEHOLDER} Reason step by step and end with the answer in \\boxed{}.\nAnswer:`,
  'qwen-boxed': `<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n${PLACEHOLDER}\nPlease reason step by step, and put your final answer within \\boxed{}.<|im_end|>\n<|im_start|>assistant\n`,
  think: `User: ${PLACEHOLDER} Reason inside <think></think> and then give the answer inside <answer></answer>.\nAssistant: <think>`,
  countdown: `The assistant first thinks about the user's question inside <think> </think> and then states the result inside <answer> </answer>, for example <answer>(1 + 2) / 3</answer>.\nUser: ${PLACEHOLDER}\nAssistant: I will work it out step by step.\n<think>`,
} as const;

/** The template of this name is the model's own chat template; see training/chat-prompts.ts. */
export const CHAT = 'chat';

/** Whether a template sees the messages of a conversation, and not its last question alone. */
export function readsMessages(template: string): boolean {
  return template === CHAT || isUserCode(template);
}

/**
 * What user code makes of a problem.
 *
 * @param name what errors call the code
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` naming the problem when `make` throws or gives no text
 */
export function checkedPrompt(name: string, problem: Problem, make: () => unknown): string {
  const where = `problem ${JSON.stringify(problem.id)}`;
  let prompt: unknown;
  try {
    prompt = make();
  } catch (cause) {
    throw userCodeThrew(`The ${name} threw on ${where}`, cause);
  }
  if (typeof prompt === 'string' && prompt !== '') return prompt;
  throw new ZeroRlError('ERR_ZERO_RL_DATA', `The ${name} gave no text for ${where}: return the prompt as a text`);
}

/**
 * A name of {@link templates}, a text with `{problem}`, or `./my.mjs#name`, a function from the problem to the prompt.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` for a text without `{problem}`; the template itself throws
 * `ERR_ZERO_RL_DATA` when user code throws or gives no text; the signal's reason when it is aborted meanwhile.
 */
export async function loadTemplate(template: string, signal?: AbortSignal): Promise<Template> {
  if (isUserCode(template)) {
    const make = await loadUserCode(template, 'template', signal);
    if (typeof make !== 'function')
      throw new ZeroRlError('ERR_ZERO_RL_CONFIG', `${template} is not a function; data.template needs one`);
    return (problem) =>
      checkedPrompt(`template ${template}`, problem, () => (make as (problem: Problem) => unknown)(problem));
  }
  const text = Object.hasOwn(templates, template) ? templates[template as keyof typeof templates] : template;
  if (!text.includes(PLACEHOLDER)) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_CONFIG',
      `Expected ${[...Object.keys(templates), CHAT].join(', ')} or a text with ${PLACEHOLDER} for data.template but received ${JSON.stringify(template)}`,
    );
  }
  return ({ problem }) => text.replaceAll(PLACEHOLDER, () => problem);
}
