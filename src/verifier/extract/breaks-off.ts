/** Whether a text breaks off in the middle of its working: then the last value in it is no answer. */
import type { ProseToken, Sentence } from './sentence';

/** Nothing can end with these. */
const DANGLING =
  /^(?:and|or|then|because|since|the|a|an|of|is|are|to|we|by|with|from|which|so|but|if|that|as|for|into|when|per|[-+*/=<>≤≥≈(^]|\\(?:times|cdot|div|frac|sqrt|approx|leq?|geq?|pm))$/i;

/** Words of working. */
const WORKING =
  /^(?:we|then|next|add|adding|multiply|multiplying|subtract|subtracting|divide|dividing|need|let|now|so|but)$/i;

const TERMINATED = /[.!?。！？…)\]}$`*"”’'>:|%°]\s*$/;

/** Whether the text ends inside a sentence that starts at or after `start`, with no punctuation behind it. */
function isOpen(text: string, { end }: Sentence, start: number): boolean {
  return text.slice(start + end).trim() === '' && !TERMINATED.test(text.slice(-40));
}

const isDangling = (token: ProseToken | undefined): boolean => token !== undefined && DANGLING.test(token.text);

/** Whether an announced or asserted sentence ends with what needs more. `start` is where its reader started in `text`. */
export function breaksOff(text: string, sentence: Sentence, start: number): boolean {
  return isDangling(sentence.tokens.at(-1)) && isOpen(text, sentence, start);
}

/** Whether the last sentence is working that goes on behind the value at `next`, or has none. */
export function worksOn(text: string, sentence: Sentence, next: number): boolean {
  if (!isOpen(text, sentence, 0)) return false;
  const rest = sentence.tokens.slice(next);
  return isDangling(rest.at(-1)) || rest.some(({ type, text: word }) => type === 'word' && WORKING.test(word));
}
