/**
 * Chat templates of a model folder: chat_template.jinja, else `chat_template` of tokenizer_config.json (a text, or a
 * list of named ones of which `default` is taken), rendered by @huggingface/jinja with the folder's special tokens.
 */
import { join } from 'node:path';

import { invalidType, ZeroRlError } from '../errors';
import { isJsonObject, type JsonObject } from '../json-object';
import { checkpointError, readJsonObject, readTextFile } from './checkpoint-file';

/** One turn; templates may read more keys than these. */
export interface ChatMessage {
  role: string;
  content: string;
  [key: string]: unknown;
}

export interface ChatTemplateOptions {
  /** Ends the text where the assistant's answer begins. Default false. */
  addGenerationPrompt?: boolean;
  /** Other variables that the template reads, such as `tools` or `enable_thinking`. */
  variables?: Record<string, unknown>;
}

/** The part used of @huggingface/jinja, whose declarations do not resolve from CommonJS. */
interface Jinja {
  Template: new (template: string) => { render(variables: Record<string, unknown>): string };
}

const SPECIAL_TOKENS = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'];

export class ChatTemplate {
  private constructor(
    private readonly template: InstanceType<Jinja['Template']>,
    private readonly specialTokens: Record<string, string>,
  ) {}

  /**
   * Null when the folder has no template.
   * @throws ZeroRlError ERR_ZERO_RL_CHECKPOINT when it is not valid Jinja
   */
  static async load(directory: string): Promise<ChatTemplate | null> {
    const configFile = join(directory, 'tokenizer_config.json');
    const config = (await readJsonObject(configFile)) ?? {};
    const jinjaFile = join(directory, 'chat_template.jinja');
    const own = await readTextFile(jinjaFile);
    const source = own ?? templateOf(config, configFile);
    if (source === null) return null;
    const map = (await readJsonObject(join(directory, 'special_tokens_map.json'))) ?? {};
    // By require, since test runners have no import().
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const { Template } = require('@huggingface/jinja') as Jinja;
    try {
      return new ChatTemplate(new Template(source), specialTokens(map, config));
    } catch (error) {
      const file = own === null ? configFile : jinjaFile;
      throw checkpointError(`The chat template of ${file} is not valid Jinja; correct or remove it.`, error);
    }
  }

  /**
   * The text that the template makes of the messages.
   * @throws ZeroRlError ERR_ZERO_RL_DATA when the template refuses the messages, TypeError when they are no messages
   */
  apply(messages: readonly ChatMessage[], options: ChatTemplateOptions = {}): string {
    if (!Array.isArray(messages)) throw invalidType('messages', 'an array of messages', messages);
    messages.forEach((message: unknown, i) => {
      if (!isJsonObject(message) || typeof message.role !== 'string') {
        throw invalidType(`messages[${i}]`, 'an object with a role and a content', message);
      }
    });
    try {
      return this.template.render({
        ...this.specialTokens,
        ...options.variables,
        messages,
        add_generation_prompt: options.addGenerationPrompt ?? false,
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ZeroRlError('ERR_ZERO_RL_DATA', `The chat template refuses these messages (${reason}); correct them.`, {
        cause: error,
      });
    }
  }
}

/** The folder's template applied to `messages`, or null when it has none. */
export async function applyChatTemplate(
  directory: string,
  messages: readonly ChatMessage[],
  options: ChatTemplateOptions = {},
): Promise<string | null> {
  return (await ChatTemplate.load(directory))?.apply(messages, options) ?? null;
}

function templateOf(config: JsonObject, file: string): string | null {
  const value = config.chat_template;
  if (value == null || typeof value === 'string') return value ?? null;
  if (Array.isArray(value)) {
    const named = (value as unknown[]).find((item) => isJsonObject(item) && item.name === 'default');
    if (isJsonObject(named) && typeof named.template === 'string') return named.template;
  }
  throw checkpointError(
    `${file}: chat_template is neither a text nor a list with one named default; correct the file.`,
  );
}

/** Texts of the special tokens, written as a text or as `{ content }`; tokenizer_config.json wins. */
function specialTokens(...sources: JsonObject[]): Record<string, string> {
  const result: Record<string, string> = {};
  for (const source of sources) {
    for (const key of SPECIAL_TOKENS) {
      const value = source[key];
      const text = isJsonObject(value) ? value.content : value;
      if (typeof text === 'string') result[key] = text;
    }
  }
  return result;
}
