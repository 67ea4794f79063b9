/**
 * Finds the part of a completion that answers: the assistant's turn where it is a transcript, the text before a run-on into
 * another turn or problem where a base model went on. Prompts never count.
 */

export interface Span {
  start: number;
  end: number;
  /** Only an announced answer counts here. */
  announcedOnly: boolean;
}

const TAG = /<(?:\/?(?:think|thought|reason|analysis|scratchpad|answer|s>|eo[ast]>|end>)|\||｜|start_of|end_of)/i;
const LABEL =
  /[ \t]{0,4}(?:[#*]{0,6} ?(?:human|user|assistant|problem|question|q|instruction|exercise|input)\b|[ \t]{0,16}%|问题|题目)/iy;
/** What a line with a label may start with. */
const LABEL_STARTS = /[hupaqei \t#*%问题]/i;

/** Whether a line starts with a label. A loop over the lines is faster than one pattern for the text. */
function hasLabel(text: string): boolean {
  for (let start = 0; ;) {
    if (LABEL_STARTS.test(text.charAt(start))) {
      LABEL.lastIndex = start;
      if (LABEL.test(text)) return true;
    }
    start = text.indexOf('\n', start) + 1;
    if (start === 0) return false;
  }
}

/** Whether anything makes a closer look necessary: chat tokens, labels of turns, thinking, code, new problems. */
export const hasStructure = (text: string): boolean =>
  (text.includes('<') && TAG.test(text)) ||
  text.includes('INST]') ||
  text.includes('```') ||
  text.includes('} %') ||
  hasLabel(text);

const ROLE =
  /<\|im_start\|>\s{0,3}(\w{1,20})|<\|start_header_id\|>\s{0,3}(\w{1,20})\s{0,3}<\|end_header_id\|>|<\|(user|assistant|system|human|bot|model)\|>|<start_of_turn>\s{0,3}(user|model)|<｜(User|Assistant)｜>|\[(\/?INST)\]|(?:^|\n)[ \t]{0,4}[*]{0,2}(Human|User|Assistant)[*]{0,2}[:：]|<\|(?:im_end|endoftext|eot_id|end_of_text|end|eom_id)\|>|<\/s>|<eo[ast]>|<end>|<end_of_turn>|<｜end▁of▁sentence｜>/gi;

const RUN_ON =
  /\n[ \t]{0,4}(?:#{1,6} {0,2}(?:problem|question|instruction|exercise|input)\b|\*{0,2}(?:problem|question|q|instruction|exercise)(?: ?\d{1,4})?\*{0,2} {0,2}[:：]|(?:问题|题目) ?\d{0,4}[:：])/gi;

const PREAMBLE = /^\s{0,20}(?:(?:the following is )?an? (?:conversation|dialogue|chat)\b|you are an?\b|system\n)/i;

const BEGINNING = /^\s{0,20}(?:<\|begin_of_text\|>|<\|startoftext\|>|<s>|<bos>|<｜begin▁of▁sentence｜>)/;

/** Turns, and new problems, that are looked at; what follows them is one part. */
const MOST_PARTS = 64;

type Role = 'prompt' | 'assistant' | 'end';

interface Turn {
  role: Role;
  start: number;
  end: number;
}

function roleOf(found: RegExpMatchArray): Role {
  const groups: (string | undefined)[] = found.slice(1);
  const name = groups.find((group) => group !== undefined)?.toLowerCase();
  if (name === undefined) return 'end';
  return /^(?:assistant|model|bot|gpt|\/inst)$/.test(name) ? 'assistant' : 'prompt';
}

function turnsOf(text: string): Turn[] {
  const turns: Turn[] = [{ role: 'end', start: 0, end: text.length }];
  for (const found of text.matchAll(ROLE)) {
    turns[turns.length - 1].end = found.index;
    turns.push({ role: roleOf(found), start: found.index + found[0].length, end: text.length });
    if (turns.length > MOST_PARTS) break;
  }
  // What follows a closing token without a new role still belongs to the text, not to a turn.
  return turns.filter(({ role, start, end }, at) => at === 0 || role !== 'end' || text.slice(start, end).trim() !== '');
}

const span = ({ start, end }: Turn, announcedOnly = false): Span => ({ start, end, announcedOnly });

/** The parts that may answer, the likeliest first. */
export function answeringTurns(text: string): Span[] {
  const [leading, ...turns] = turnsOf(text);
  if (turns.length === 0) return [span(leading)];
  const head = text.slice(leading.start, leading.end);
  const isBlank = head.replace(BEGINNING, '').trim() === '';
  const assistants = turns.filter(
    ({ role, start, end }) => role === 'assistant' && text.slice(start, end).trim() !== '',
  );
  const reply = assistants.slice(0, 1).map((turn) => span(turn));
  const [next] = turns;
  // A closing token alone: the answer stands before it, or what follows it is all there is.
  if (isBlank && next.role === 'end') return [span(next)];
  if (isBlank || PREAMBLE.test(head)) return reply;
  if (next.role === 'prompt') return [span(leading), ...reply];
  return [span(leading, true), ...reply, span(leading)];
}

/** The parts of `text` between new problems. The first closing tag of thinking and all before it stay in the first part. */
export function problemParts(text: string): Span[] {
  const thinking = /<\/think/i.exec(text)?.index ?? 0;
  const parts: Span[] = [{ start: 0, end: text.length, announcedOnly: true }];
  for (const { index } of text.matchAll(RUN_ON)) {
    if (index < thinking || text.slice(parts[parts.length - 1].start, index).trim() === '') continue;
    parts[parts.length - 1].end = index;
    parts.push({ start: index, end: text.length, announcedOnly: true });
    if (parts.length > MOST_PARTS) break;
  }
  return parts;
}

const CLOSES_THINKING =
  /<\/(?:think|thinking|thought|thoughts|reason|reasoning|reasoning_end|analysis|scratchpad)>|<\|end_of_thought\|>/iy;

/** Index after the last tag that closes thinking; 0 where there is none. */
export function afterThinking(text: string): number {
  for (let at = text.lastIndexOf('<'); at >= 0; at = at === 0 ? -1 : text.lastIndexOf('<', at - 1)) {
    const next = text[at + 1];
    if (next !== '/' && next !== '|') continue;
    CLOSES_THINKING.lastIndex = at;
    const found = CLOSES_THINKING.exec(text);
    if (found) return at + found[0].length;
  }
  return 0;
}
