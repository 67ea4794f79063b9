/** Conversations as datasets have them: lists of messages with `role` and `content`, or with `from` and `value`. */
import { isJsonObject } from '../json-object';

/** One turn; further keys of the data stay. */
export interface Message {
  role: string;
  content: string;
  [key: string]: unknown;
}

export interface Conversation {
  /** The turns up to the last one of the user. */
  messages: Message[];
  /** What the last user message says. */
  question: string;
  /** What the assistant answers to it in the data; undefined where the user has the last word. */
  reply: string | undefined;
  /** Kinds of content that are no text, such as `image`; they are left out. */
  dropped: string[];
}

const ROLES: Readonly<Record<string, string>> = { human: 'user', gpt: 'assistant', bing: 'assistant' };

/** A content: a text, or a list of parts of which those of text are joined. */
function contentText(content: unknown, dropped: Set<string>): string | null {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return null;
  const texts = content.map((part: unknown) => {
    if (typeof part === 'string') return part;
    if (isJsonObject(part) && typeof part.text === 'string') return part.text;
    dropped.add(isJsonObject(part) && typeof part.type === 'string' ? part.type : 'unknown');
    return '';
  });
  return texts.join('');
}

function toMessage(value: unknown, dropped: Set<string>): Message | null {
  if (!isJsonObject(value)) return null;
  const { from, value: said, ...rest } = value;
  const role = rest.role ?? from;
  const content = contentText(rest.content ?? said, dropped);
  if (typeof role !== 'string' || content === null) return null;
  return { ...rest, role: ROLES[role] ?? role, content };
}

/** `value` as a conversation; null where it is none, or one without a user. */
export function toConversation(value: unknown): Conversation | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const dropped = new Set<string>();
  const messages = value.map((item) => toMessage(item, dropped));
  if (!messages.every((message) => message !== null)) return null;
  const last = messages.findLastIndex(({ role }) => role === 'user');
  if (last < 0) return null;
  const reply = messages.slice(last + 1).findLast(({ role }) => role === 'assistant')?.content;
  return { messages: messages.slice(0, last + 1), question: messages[last].content, reply, dropped: [...dropped] };
}
