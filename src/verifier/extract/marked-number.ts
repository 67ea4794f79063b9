/** `#### 540 meters in a week`, `#### 2600g`, `#### 6th place`: the number behind the mark, with what it counts left aside. */
import { isNumberWord, scales } from '../parse/number-words';
import { readUnit } from '../parse/units';
import type { Description } from './describe';

const LINE =
  /^[ \t]*[*_`]{0,2}[ \t]*((?:[-+]\s?)?[$€£¥]?\s?-?\d[\d,]*(?:\.\d+)?(?:\/\d+)?)(st|nd|rd|th(?![a-z]))?([^\n]*)/;

/** Words that make of the number a part of something that the line does not say. */
const UNCLEAR =
  /(?:^|\s)(?:less|more|fewer|than|plus|minus|times|squared|cubed|factorial|doubled|tripled|halved|unless|except|until|half|quarter|third)(?![A-Za-z])/i;

/** Words that change what the number says, or say another one. */
const CHANGES =
  /^(?:or|not|if|less|more|than|to|between|minus|plus|times|over|under|half|halves|third|thirds|quarter|quarters|either|unless|except|until|squared|cubed|mod|base|pi|sqrt|percent|choose|degrees?|am|pm|a\.m|p\.m|through|when|for|but)$/i;

const isPlain = (word: string): boolean =>
  !CHANGES.test(word) && !isNumberWord(word.toLowerCase()) && !Object.hasOwn(scales, word.toLowerCase());

/** Null where the line has more than a number and words: operators, further numbers, a letter that may be a variable. */
export function markedNumber(text: string): Description | null {
  const found: (string | undefined)[] | null = LINE.exec(text);
  if (!found) return null;
  const [, written = '', ordinal, tail = ''] = found;
  const number = written.replace(/,$/, '');
  const stated = (value: string): Description => ({
    texts: [value],
    joinedByOr: false,
    alternatives: [],
    grade: 'pure',
  });
  if (ordinal === undefined && /^!\s*$/.test(tail)) return stated(`${number}!`);
  const rest = tail.replace(/[*_`.,;\s]+$/, '').trim();
  if (rest === '' ? ordinal === undefined : /[\d=+*/^\\<>~%$!|:]|[^\p{ASCII}\p{L}’]/u.test(rest)) return null;
  if (UNCLEAR.test(rest)) return stated(`${written}${tail}`.trim());
  const words = rest.split(/[\s(),.]+/).filter((word) => word !== '');
  if (words.length === 0 || words.length > 12 || !words.every(isPlain)) return null;
  if (ordinal !== undefined) return stated(number);
  const glued = /^[A-Za-z]/.test(tail);
  for (let count = Math.min(3, words.length); count > 0; count--) {
    const name = words.slice(0, count).join(' ');
    const unit = name === 'a' || name === 'in' ? null : readUnit(name);
    if (unit) return stated(`${number} \\text{ ${name}}`);
  }
  return glued || words[0].length === 1 ? null : stated(number);
}
