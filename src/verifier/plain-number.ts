/**
 * The number that a short plain text is: `-12`, `0.5`, `3/4`, `\frac{3}{4}`. Most answers are, and two of them need neither
 * parser nor comparison. What could be read in another way (separators, mixed numbers, many digits) is left to these.
 */
import { rational, type Rational } from './exact/rational';

const PLAIN =
  /^(?:\\left|\\right|\$|\\\(|\\\)|\s)*(-?)(?:(\d{1,15})(?:\.(\d{1,5}))?|(\d{1,9})\/(\d{1,9})|\\[dt]?frac\{(\d{1,9})\}\{(\d{1,9})\})(?:\$|\\\)|[\s.])*$/;

/** Decimals from six significant digits on may be rounded; those are not plain. */
const MAX_SIGNIFICANT = 5;

/** Null where the text is no plain number. */
export function plainNumber(text: string): Rational | null {
  if (text.length > 40) return null;
  const found: (string | undefined)[] | null = PLAIN.exec(text);
  if (!found) return null;
  const [, sign, whole, fraction = '', slashTop, slashBottom, fracTop, fracBottom] = found;
  const top = whole === undefined ? (slashTop ?? fracTop ?? '') : whole + fraction;
  if (fraction !== '' && top.replace(/^0+/, '').length > MAX_SIGNIFICANT) return null;
  const denominator = whole === undefined ? BigInt(slashBottom ?? fracBottom ?? '') : 10n ** BigInt(fraction.length);
  if (denominator === 0n) return null;
  return rational(BigInt(`${sign ?? ''}${top}`), denominator);
}
