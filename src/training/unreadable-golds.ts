/** Gold answers that the math verifier cannot read: they earn only their own text, and every other completion is left out. */
import type { Problem } from '../data/dataset';
import { mapInSlices } from '../event-loop';
import { isReadableGold } from '../verifier';

/** More golds of one data set are not looked at; these are spread over all of it. */
const MOST_GOLDS = 5000;
/** Shown in the warning, and characters of each. */
const SHOWN = 3;
const SHOWN_CHARACTERS = 60;

const shortened = (text: string): string => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line;
};

/** One sentence that says how many golds of the `kind` problems are unreadable, with examples; null where all can be read. */
export async function describeUnreadableGolds(
  kind: string,
  problems: readonly Problem[],
  signal?: AbortSignal,
): Promise<string | null> {
  const step = Math.max(1, problems.length / MOST_GOLDS);
  const count = Math.floor(problems.length / step);
  const looked = Array.from({ length: count }, (_, i) => problems[Math.floor(i * step)]);
  const readable = await mapInSlices(looked, ({ answer }) => isReadableGold(answer), signal);
  const unreadable = looked.filter((_, i) => !readable[i]);
  if (unreadable.length === 0) return null;
  const examples = unreadable.slice(0, SHOWN).map(({ id, answer }) => `${id}: ${JSON.stringify(shortened(answer))}`);
  const more = unreadable.length > SHOWN ? ` and ${unreadable.length - SHOWN} more` : '';
  const of = count === problems.length ? String(count) : `${count} that were looked at`;
  return (
    `${unreadable.length} of ${of} ${kind} answers cannot be read, so that only the same text is right and other samples ` +
    `are not scored (${examples.join(', ')}${more}); mend them, or choose another column with data.answerKey`
  );
}
