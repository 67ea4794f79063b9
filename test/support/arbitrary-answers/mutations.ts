/** Small damages to a text: what a model, a tokenizer or an adversary may do to an answer. */
import fc from 'fast-check';
import { pieces, tokens } from './soup';

/** Where, and two numbers that say what. */
export interface Mutation {
  kind: number;
  at: number;
  size: number;
  choice: number;
}

const BRACKETS: [string, string][] = [
  ['{', '}'], ['(', ')'], ['[', ']'], ['\\{', '\\}'], ['$', '$'], ['|', '|'], ['\\left(', '\\right)'], ['\\left[', '\\right]'], ['\\text{', '}'], ['\\boxed{', '}'], ['\\sqrt{', '}'], ['\\frac{', '}{2}'],
  ['\\overline{', '}'], ['**', '**'], ['\\(', '\\)'], ['x^{', '}'], ['\\sin(', ')'], ['\\lfloor ', '\\rfloor '], ['<answer>', '</answer>'], ['\\begin{pmatrix}', '\\end{pmatrix}'], ['-(', ')'], ['(', ')!'],
]; // prettier-ignore

type Apply = (text: string, from: number, to: number, mutation: Mutation, most: number) => string;

const pick = <T>(items: readonly T[], choice: number): T => items[choice % items.length];

/** How often something is repeated: mostly a few times, seldom very often. */
const times = (choice: number, most: number): number => (choice % 8 === 0 ? 1 + (choice % most) : 2 + (choice % 6));

const splice = (text: string, from: number, to: number, inserted: string): string =>
  text.slice(0, from) + inserted + text.slice(to);

const kinds: Apply[] = [
  (text, from, to) => splice(text, from, to, ''),
  (text, from, to) => splice(text, to, to, text.slice(from, to)),
  (text, from, _, { choice }) => splice(text, from, from, pick(tokens, choice)),
  (text, from, _, { choice }) => splice(text, from, from, pick(pieces, choice)),
  (text, from, to, { choice }) => splice(text, from, to, pick(tokens, choice)),
  (text, from, _, { choice }) => splice(text, from, from, pick(pick(BRACKETS, choice), choice >> 5)),
  (text, from, to, { choice }) => {
    const [open, close] = pick(BRACKETS, choice);
    return splice(text, from, to, open + text.slice(from, to) + close);
  },
  // Nesting.
  (text, from, to, { choice }, most) => {
    const [open, close] = pick(BRACKETS, choice);
    const depth = times(choice >> 5, most);
    return splice(text, from, to, open.repeat(depth) + text.slice(from, to) + close.repeat(depth));
  },
  // Repetition.
  (text, from, to, { choice }, most) => splice(text, from, to, text.slice(from, to).repeat(times(choice, most))),
  (text, from, _, { choice }, most) => splice(text, from, from, pick(tokens, choice).repeat(times(choice >> 8, most))),
  // Huge numbers.
  (text, from, _, { choice }, most) => splice(text, from, from, String((choice % 9) + 1).repeat(times(choice, most))),
  (text, from, _, { choice }, most) => {
    const at = text.slice(from).search(/\d/);
    return at < 0 ? text : splice(text, from + at, from + at, `${(choice % 9) + 1}${'0'.repeat(times(choice, most))}`);
  },
  (text, from, _, { choice }) =>
    splice(
      text,
      from,
      from,
      pick(
        [
          '!',
          '^{999999}',
          '^{10^{10}}',
          '!!!',
          '^{-99}',
          '_{2}',
          '/0',
          '\\cdot 10^{99}',
          '^{1/2}',
          '\\pm 1',
          '\\%',
          '^\\circ',
          ',',
          ', 2',
          '=',
          '<',
        ],
        choice,
      ),
    ),
  // Characters.
  (text, from, to) => splice(text, from, to, text.slice(from, to).toUpperCase()),
  (text, from, to) => splice(text, from, to, Array.from(text.slice(from, to)).reverse().join('')),
  (text, from, to, { choice }) => splice(text, from, to, String.fromCharCode(choice % 65_536)),
  (text, from, to) =>
    splice(
      text,
      from,
      to,
      text
        .slice(from, to)
        .replace(/[ -~]/g, (character) =>
          String.fromCharCode(character.charCodeAt(0) === 32 ? 0x3000 : character.charCodeAt(0) + 0xfee0),
        ),
    ),
  (text, from, to) => splice(text, from, to, text.slice(from, to).replace(/\\/g, '\\\\')),
  (text, from, to) => splice(text, from, to, text.slice(from, to).replace(/[{}]/g, '')),
  (text) => text.replace(/\$/g, ''),
  (text, from) => text.slice(0, from),
  (text, from) => text.slice(from),
];

/** @param most Repetitions and levels at the most. */
export function mutate(text: string, mutations: readonly Mutation[], most: number): string {
  let result = text;
  for (const mutation of mutations) {
    const from = mutation.at % (result.length + 1);
    const to = Math.min(result.length, from + 1 + (mutation.size % 12));
    result = pick(kinds, mutation.kind)(result, from, to, mutation, most).slice(0, 100_000);
  }
  return result;
}

export const mutations = (most: number): fc.Arbitrary<Mutation[]> =>
  fc.array(fc.record({ kind: fc.nat(kinds.length - 1), at: fc.nat(9_999), size: fc.nat(60), choice: fc.nat(99_999) }), {
    minLength: 1,
    maxLength: most,
  });
