/** Prompts by the chat template of the model, `data.template: chat`. */
import type { Template } from '../data/template';
import { ZeroRlError } from '../errors';
import { ChatTemplate } from '../policy/chat-template';

export interface ChatPrompts {
  template: Template;
  /**
   * Reads the chat template of a model folder; before any prompt is made.
   *
   * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` when the folder has none, `ERR_ZERO_RL_CHECKPOINT` when it is not valid
   */
  prepare: (folder: string) => Promise<void>;
}

/** The conversation of a problem up to its last user message, or the problem as one user message, and the beginning of an answer. */
export function chatPrompts(): ChatPrompts {
  let chat: ChatTemplate | null = null;
  return {
    template: ({ problem, messages }) => {
      const turns = messages ?? [{ role: 'user', content: problem }];
      if (chat !== null) return chat.apply(turns, { addGenerationPrompt: true });
      throw new ZeroRlError('ERR_ZERO_RL_CONFIG', 'No model folder was read for data.template chat');
    },
    prepare: async (folder) => {
      chat = await ChatTemplate.load(folder);
      if (chat !== null) return;
      throw new ZeroRlError(
        'ERR_ZERO_RL_CONFIG',
        `data.template: chat needs a chat template, which ${folder} does not have; add chat_template.jinja to the folder, or name another template`,
      );
    },
  };
}
