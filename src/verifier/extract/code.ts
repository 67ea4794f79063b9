/** Blanks out fenced code and TeX comment lines, so that what programs print or comments mention is not a statement. */

const FENCE = '```';
const SPAN = /```|^[ \t]{0,20}%.*$|(?<=\} {1,3})%\s.*$/gm;

/** Whether `text` may hold code or comments. */
export const hasCode = (text: string): boolean => text.includes(FENCE) || /(?:^|\n)[ \t]{0,20}%|\} {1,3}%\s/.test(text);

/** Fences and comment lines beyond these stay as they are. */
const MOST_SPANS = 1000;

const blank = (text: string): string => text.replace(/[^\n]+/g, (line) => ' '.repeat(line.length));

/** `text` with spaces in place of code and comments, and with all of its line breaks. A fence that nothing closes runs to the end. */
export function maskCode(text: string): string {
  const parts: string[] = [];
  let at = 0;
  const mask = (start: number, end: number): void => {
    parts.push(text.slice(at, start), blank(text.slice(start, end)));
    at = end;
  };
  SPAN.lastIndex = 0;
  for (let spans = 0; spans < MOST_SPANS; spans++) {
    const start = SPAN.exec(text);
    if (!start) break;
    const isFence = start[0] === FENCE;
    const close = isFence ? text.indexOf(FENCE, SPAN.lastIndex) : -1;
    mask(start.index, !isFence ? SPAN.lastIndex : close < 0 ? text.length : close + FENCE.length);
    SPAN.lastIndex = at;
  }
  return parts.join('') + text.slice(at);
}

/** Content of the last fenced block that is closed, without the name of its language, or null. */
export function lastBlock(text: string): { text: string; end: number } | null {
  const close = text.lastIndexOf(FENCE);
  const open = close < FENCE.length ? -1 : text.lastIndexOf(FENCE, close - FENCE.length);
  if (open < 0) return null;
  const line = text.indexOf('\n', open);
  const start = line >= 0 && line < close ? line + 1 : open + FENCE.length;
  return { text: text.slice(start, close), end: close + FENCE.length };
}
