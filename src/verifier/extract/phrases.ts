/**
 * Finds the last announced answer and reads what it states. Candidates are visited from the end and a statement never
 * reads past the next one, so any text takes linear time.
 */
import { limits } from '../limits';
import { announcement, type Announcement, MARKERS } from './announcements';
import { bareAnswer } from './asserted';
import { breaksOff } from './breaks-off';
import { describe, type Description } from './describe';
import { markedNumber } from './marked-number';
import { ProseReader } from './prose';

export interface Phrase extends Description {
  kind: 'hashes' | 'phrase';
  end: number;
  /** Whether it counts against a box that stands before it. */
  strong: boolean;
}

/** Candidates that are visited, and announcements that are read, before the search gives up. */
const MOST_CANDIDATES = 5000;
const MOST_READ = 500;

/** `The answer is C. 12 cm`: with what the choice says, where that is no sentence. */
function withLabelled(description: Description, text: string, end: number): Description {
  const [letter] = description.texts;
  if (!/^\(?[A-J]\)?$/.test(letter)) return description;
  const newline = text.indexOf('\n', end);
  const rest = text.slice(end, newline < 0 ? end + 100 : Math.min(newline, end + 100)).trim();
  if (text[end - 1] !== '.' || !bareAnswer(rest)) return description;
  return { ...description, texts: [`${letter}. ${rest}`], alternatives: [letter, rest] };
}

const isAssignment = (text: string): boolean => /^[A-Za-z](?:_\{?\w\}?)?\s?=/.test(text);

const MOST_LINES = 20;

/** Further assignments on the lines right below: `x = 2` and `y = 3`. */
function withAssignments(description: Description, reader: ProseReader, text: string): Description {
  if (description.grade !== 'pure' || description.texts.length > 1 || !isAssignment(description.texts[0]))
    return description;
  const texts = [...description.texts];
  for (let at = reader.at; texts.length < MOST_LINES; at = reader.at) {
    const next = text[at - 1] === '\n' && text[at] !== '\n' ? reader.sentence() : null;
    const more = next && describe(next.tokens);
    if (more?.grade !== 'pure' || more.texts.length > 1 || !isAssignment(more.texts[0])) break;
    texts.push(more.texts[0]);
  }
  return texts.length > 1 ? { ...description, texts, alternatives: [texts.join(', ')] } : description;
}

/** Characters of prose that a statement in words takes up at most; a formula or number without spaces may be longer. */
const MOST_PROSE = 6000;

const reach = (text: string, start: number): number =>
  /\s\S/.test(text.slice(start, start + MOST_PROSE).trimStart()) ? MOST_PROSE : limits.answerCharacters;

/** What the sentence after an announcement states, up to `limit`; null where that is no answer. */
function readPhrase(text: string, found: Announcement, limit: number): Phrase | null {
  const end = Math.min(limit, found.start + reach(text, found.start));
  // A slice, so that nothing looks for a delimiter behind the limit.
  const stated = text.slice(found.start, end);
  const midLine = text[found.start - 1] !== '\n';
  const reader = new ProseReader(stated, 0, stated.length, { numberWords: true, midLine });
  const sentence = reader.sentence();
  if (!sentence || sentence.question) return null;
  const { tokens } = sentence;
  if (found.kind === 'hashes' && stated.slice(0, tokens[0].start).includes('\n')) return null;
  const hope = tokens.findIndex(({ text: word }, at) => word === 'I' && tokens[at + 1]?.text === 'hope');
  const described =
    (found.kind === 'hashes' ? markedNumber(stated) : null) ?? describe(hope > 0 ? tokens.slice(0, hope) : tokens);
  if (!described || breaksOff(text, sentence, found.start)) return null;
  const description = withAssignments(withLabelled(described, stated, sentence.end), reader, stated);
  const { grade } = description;
  const after = found.start + sentence.end;
  const isLast = (): boolean => text.slice(after, after + 400).trim() === '';
  if (found.kind === 'hashes' && !markedNumber(stated)) {
    const words = tokens.filter(({ type }) => type === 'word').length;
    const isPlain = grade === 'pure' && words < tokens.length && words <= 4;
    if (!isPlain && !(grade === 'pure' && isLast())) return null;
  } else if (found.sort === 'label' && grade !== 'pure' && !isLast()) {
    return null;
  }
  const hasValue = tokens.some(({ type }) => type === 'formula' || type === 'number');
  const strong =
    found.sort === 'final'
      ? grade !== 'text' || hasValue
      : grade !== 'text' && (hasValue || found.sort === 'label' || tokens.length <= 2);
  return { ...description, kind: found.kind, end: after, strong };
}

export function lowerCase(text: string): string {
  const lower = text.toLowerCase();
  // Lower-casing changes the length of a few letters; positions would be off.
  return lower.length === text.length ? lower : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** The last strong statement of `text` at or after `from`, else the last weak one, else null. */
export function findPhrase(text: string, from: number): Phrase | null {
  const lower = lowerCase(from === 0 ? text : text.slice(from));
  const tail = from === 0 ? text : text.slice(from);
  const positions = MARKERS.map((marker) => lower.lastIndexOf(marker));
  let weak: Phrase | null = null;
  let limit = tail.length;
  let read = 0;
  for (let visited = 0; visited < MOST_CANDIDATES; visited++) {
    let nearest = 0;
    for (let marker = 1; marker < MARKERS.length; marker++)
      if (positions[marker] > positions[nearest]) nearest = marker;
    const at = positions[nearest];
    if (at < 0) break;
    let before = at;
    if (MARKERS[nearest] === '####') while (lower[before - 1] === '#') before--;
    positions[nearest] = before === 0 ? -1 : lower.lastIndexOf(MARKERS[nearest], before - 1);
    const found = announcement(lower, MARKERS[nearest], before);
    if (!found || found.start > limit) continue;
    if (++read > MOST_READ) break;
    const phrase = readPhrase(tail, found, limit);
    limit = at;
    if (!phrase) continue;
    phrase.end += from;
    if (phrase.strong) return phrase;
    weak ??= phrase;
  }
  return weak;
}
