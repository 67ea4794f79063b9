/** One way of writing for texts that only differ in what shows nothing: how a gold that cannot be parsed is compared. */
import { plainCharacters } from './parse/characters';

const LAYOUT = /\\(?:left|right|displaystyle|textstyle|quad|qquad|big[lr]?|Big[lr]?)(?![A-Za-z])|\\[,;:! ()[\]]|[$~]/g;
const UPRIGHT = /\\(?:text(?:rm|bf|it|normal)?|mathrm|mbox)\s*(?=\{)/g;

/** Longer texts are left as they are. */
const LONGEST = 4000;

export function normalText(text: string): string {
  if (text.length > LONGEST) return text.replace(/\s+/g, ' ').trim();
  return plainCharacters(text)
    .replace(LAYOUT, ' ')
    .replace(/\\[dtc]frac(?![A-Za-z])/g, '\\frac')
    .replace(UPRIGHT, '')
    .replace(/[{}]/g, (brace, at: number, whole: string) => (whole[at - 1] === '\\' ? brace : ' '))
    .replace(/\s+/g, ' ')
    .replace(/ ?([^\p{L}\p{N}\s\\]) ?/gu, '$1')
    .replace(/[.,;\s]+$/, '')
    .trim()
    .toLowerCase();
}
