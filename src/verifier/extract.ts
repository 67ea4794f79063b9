/**
 * Finds the stated answer in a completion: `\boxed{}`, `<answer>`, `#### ` or "the answer is". One linear pass per kind
 * and no backtracking regular expression, so a hostile completion of any length costs time in proportion to its length.
 */

/** How an answer was stated. */
export type AnswerKind = 'box' | 'tag' | 'hashes' | 'phrase';

export interface StatedAnswer {
  kind: AnswerKind;
  text: string;
  /** Index in the completion just after the statement. */
  end: number;
}

const BOXES = ['\\boxed{', '\\fbox{'] as const;

/** Content of the last balanced, non-empty box; escaped braces do not count. */
export function lastBox(text: string): StatedAnswer | null {
  const open: number[] = [];
  let found: StatedAnswer | null = null;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '\\') {
      const box = BOXES.find((name) => text.startsWith(name, at));
      if (box === undefined) {
        at++;
        continue;
      }
      at += box.length - 1;
      open.push(at + 1);
    } else if (character === '{') {
      open.push(-1);
    } else if (character === '}') {
      const start = open.pop();
      if (start === undefined || start < 0) continue;
      const content = text.slice(start, at).trim();
      if (content !== '') found = { kind: 'box', text: content, end: at + 1 };
    }
  }
  return found;
}

function lastTag(text: string): StatedAnswer | null {
  const close = text.lastIndexOf('</answer>');
  const open = close < 0 ? -1 : text.lastIndexOf('<answer>', close);
  if (open < 0) return null;
  const content = text.slice(open + '<answer>'.length, close).trim();
  return content === '' ? null : { kind: 'tag', text: content, end: close };
}

/** The rest of the line after the last `marker`, up to the end of its sentence. */
function lastAfter(text: string, marker: string, searched: string, kind: AnswerKind): StatedAnswer | null {
  const at = searched.lastIndexOf(marker);
  if (at < 0) return null;
  const start = at + marker.length;
  const newline = text.indexOf('\n', start);
  const line = text.slice(start, newline < 0 ? undefined : newline);
  const sentence = /[.!?](?=\s|$)/.exec(line);
  const content = line.slice(0, sentence ? sentence.index : undefined).replace(/^[\s:*]+|[\s*]+$/g, '');
  return content === '' ? null : { kind, text: content, end: start + line.length };
}

/**
 * The statement that counts: what follows the last `</think>` comes first; an `<answer>` outranks the rest; otherwise the
 * last statement wins. `null` when nothing is stated.
 */
export function extractAnswer(completion: string): StatedAnswer | null {
  const thought = completion.lastIndexOf('</think>');
  if (thought >= 0) {
    const after = extractAnswer(completion.slice(thought + '</think>'.length));
    if (after) return after;
  }
  const box = lastBox(completion);
  const tag = lastTag(completion);
  if (tag) return lastBox(tag.text) ?? tag;
  const lower = completion.toLowerCase();
  // Lower-casing may change the length of exotic text; positions would then be off.
  const searched = lower.length === completion.length ? lower : completion;
  const found = [
    box,
    lastAfter(completion, '####', completion, 'hashes'),
    lastAfter(completion, 'answer is', searched, 'phrase'),
    lastAfter(completion, 'answer:', searched, 'phrase'),
  ].filter((answer) => answer !== null);
  const last = found.reduce<StatedAnswer | null>(
    (best, answer) => (best && best.end >= answer.end ? best : answer),
    null,
  );
  return last && last.kind !== 'box' ? (lastBox(last.text) ?? last) : last;
}
