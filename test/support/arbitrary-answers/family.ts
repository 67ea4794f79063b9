/**
 * Families of answers for property tests and the fuzzer: how values of one kind are usually written, and which values lie so
 * close that a careless comparison takes them for the same. What is written together here is equal by the rules of
 * docs/verifier.md, all with all; what those rules leave open is left out.
 */
import fc from 'fast-check';

/** Texts that all state one value, and a text that states another one close to it. */
export interface Answers {
  forms: [string, string, string];
  other: string;
  /** One of the forms and the other value with nothing around them. */
  bare: [form: string, other: string];
}

export interface Family {
  name: string;
  answers: fc.Arbitrary<Answers>;
}

interface Description<V> {
  value: fc.Arbitrary<V>;
  /** Every way to write the value. */
  forms: (value: V) => string[];
  /** Values close to it, none of which is it. */
  near: (value: V) => V[];
  /** Further texts that do not state it. */
  wrong?: (value: V) => string[];
  /** Words are not mathematics: `\\displaystyle` does not stand before them. */
  words?: boolean;
}

type Wrapping = (text: string) => string;

/** What may stand around any answer without being part of it. The first leaves it bare: there a counterexample shrinks to. */
const wrappings: Wrapping[] = [
  (text) => text,
  (text) => text,
  (text) => text,
  (text) => ` ${text} `,
  (text) => (text.includes('$') ? text : `$${text}$`),
  (text) => `${text}.`,
  (text) => `**${text}**`,
];

const mathematical: Wrapping[] = [
  ...wrappings,
  (text) => (text.includes('$') ? text : `$$${text}$$`),
  (text) => `\\(${text}\\)`,
  (text) => `\\[ ${text} \\]`,
  (text) => `\\displaystyle ${text}`,
  (text) => `\\,${text}\\;`,
];

const pick = <T>(items: readonly T[], choice: number): T => items[choice % items.length];

export function family<V>(name: string, { value, forms, near, wrong, words = false }: Description<V>): Family {
  const choice = fc.nat(9_999);
  const answers = fc.tuple(
    value,
    fc.tuple(choice, choice, choice, choice, choice),
    fc.tuple(choice, choice, choice, choice),
  );
  return {
    name,
    answers: answers.map(([stated, [a, b, c, d, which], [e, f, g, h]]) => {
      const texts = forms(stated);
      const around = words ? wrappings : mathematical;
      const wrap = (text: string, wrapping: number): string => pick(around, wrapping)(text);
      const others: (() => string)[] = near(stated).map((close) => () => pick(forms(close), d));
      for (const text of wrong?.(stated) ?? []) others.push(() => text);
      const other = pick(others, which)();
      return {
        forms: [wrap(pick(texts, a), e), wrap(pick(texts, b), f), wrap(pick(texts, c), g)],
        other: wrap(other, h),
        bare: [pick(texts, b), other],
      };
    }),
  };
}

/** Items in another order. */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const rest = [...items];
  const result: T[] = [];
  for (let state = seed; rest.length > 0; state = (state * 48_271 + 11) % 2_147_483_647)
    result.push(...rest.splice(state % rest.length, 1));
  return result;
}
