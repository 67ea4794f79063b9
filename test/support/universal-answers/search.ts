/**
 * Looks for answers that equal golds which are not equal to each other: for answers that pay everywhere, and for any failure of
 * transitivity. Golds that differ only in what an answer may leave out (content.ts) are passed over.
 */
import fc from 'fast-check';
import { families } from '../arbitrary-answers';
import { mutate, mutations } from '../arbitrary-answers/mutations';
import { attacks } from './attacks';
import { contentsOf } from './content';

export interface Verifier {
  verify(gold: string, completion: string): { correct: boolean | null };
  equalAnswers(first: string, second: string): boolean;
}

interface Gold {
  text: string;
  contents: readonly string[];
}

export interface Violation {
  answer: string;
  golds: [string, string];
}

/** Golds beside those that an answer was made from that it is tried on. */
const TRIED = 120;

const further = [
  'x', 'C', 'A', 'B', 'D', 'n', '\\frac{n(n+1)}{2}', 'Ce^{x}', 'mg\\sin\\theta', 'x^2+y^2=4', 'x\\ne 4', '\\mathbb{R}', '\\emptyset', '\\mathbb{Z}', '(n+1)^2-n^2=2n+1', '2\\sqrt2<3', '1<2', '\\infty', 'y=2x', 'f(x)=2x+3', 'a\\ge 4',
  'x+y=5', '\\text{no solution}', '\\text{all real numbers}', '7\\pmod{10}', '\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}', '(x-0.12345)^2>0', '\\{x\\mid x^2>2\\}', '|x|', '\\sin x', '0', '1',
]; // prettier-ignore

const answersOf = fc.oneof(...families.map(({ answers }) => answers));

/** Golds of every family, each text once. */
export function goldPool(seed: number, count: number): Gold[] {
  const golds = new Map<string, Gold>();
  const add = (text: string): void => {
    const contents = golds.has(text) ? [] : contentsOf(text);
    if (contents.length > 0) golds.set(text, { text, contents });
  };
  further.forEach(add);
  for (let round = 0; golds.size < count; round++) {
    for (const { bare } of fc.sample(answersOf, { seed: seed + round, numRuns: count })) {
      if (golds.size < count) add(bare[0]);
      if (golds.size < count) add(bare[1]);
    }
  }
  return [...golds.values()];
}

/** An answer, and golds that it was made from. */
const candidates = fc.oneof(
  { weight: 3, arbitrary: attacks.map((answer) => ({ answer, near: [] as string[] })) },
  { weight: 1, arbitrary: answersOf.map(({ forms: [a, b], other }) => ({ answer: a, near: [b, other] })) },
  {
    weight: 1,
    arbitrary: fc.tuple(answersOf, mutations(2)).map(
      ([
        {
          bare: [form, other],
        },
        list,
      ]) => ({ answer: mutate(form, list, 4), near: [form, other] }),
    ),
  },
);

const share = (a: readonly string[], b: readonly string[]): boolean => a.some((content) => b.includes(content));

/** The first pair of golds among those that an answer equals which differ from each other, and not by what it leaves out. */
function contradiction(verifier: Verifier, answer: string, hits: readonly Gold[]): [string, string] | null {
  const stated = contentsOf(answer);
  const strange = hits.filter(({ contents }) => !share(contents, stated));
  for (const first of strange) {
    for (const second of hits) {
      if (!share(first.contents, second.contents) && !verifier.equalAnswers(first.text, second.text))
        return [first.text, second.text];
    }
  }
  return null;
}

/** Tries candidates until `more` says that it is enough; yields each violation. */
export function* searchUniversal(
  verifier: Verifier,
  golds: readonly Gold[],
  seed: number,
  more: (tried: number) => boolean,
): Generator<Violation> {
  let tried = 0;
  for (let batch = 0; more(tried); batch++) {
    for (const [at, { answer, near }] of fc.sample(candidates, { seed: seed * 7919 + batch, numRuns: 50 }).entries()) {
      if (!more(tried)) return;
      tried++;
      const completion = `\\boxed{${answer}}`;
      const start = ((batch * 50 + at) * TRIED) % golds.length;
      const chosen = [...golds.slice(start, start + TRIED), ...golds.slice(0, further.length)];
      for (const text of near) {
        chosen.push({ text, contents: contentsOf(text) });
      }
      const hits = chosen.filter(({ text }) => verifier.verify(text, completion).correct === true);
      const found = contradiction(verifier, answer, hits);
      if (found) yield { answer, golds: found };
    }
  }
}
