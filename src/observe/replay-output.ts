/** What `zero-rl replay` prints: the samples of a step and, of some of them, what each token added to the loss. */
import { styleText } from 'node:util';
import { totalTerms, type TokenTerms } from '../training/loss-terms';
import type { Replay, ReplayedSample } from '../training/replay';
import { formatNumber } from './svg';
import { greatest } from '../extremes';

type Style = 'dim' | 'green' | 'red' | 'yellow';
export type Paint = (style: Style, text: string) => string;
export const plain: Paint = (_, text) => text;
export const coloured: Paint = (style, text) => styleText(style, text);

interface TokenColumn {
  name: string;
  value: (terms: TokenTerms) => string;
}

const fixed = (value: number | null): string => value?.toFixed(4) ?? '–';
const small = (value: number | null): string => {
  if (value === null) return '–';
  return value === 0 ? '0' : value.toExponential(2);
};

const reference: readonly TokenColumn[] = [
  { name: 'ref', value: ({ referenceLogProb }) => fixed(referenceLogProb) },
  { name: 'k1', value: ({ k1 }) => small(k1) },
  { name: 'k2', value: ({ k2 }) => small(k2) },
  { name: 'k3', value: ({ k3 }) => small(k3) },
];

function columnsOf(terms: readonly TokenTerms[]): TokenColumn[] {
  const referred = terms.some(({ k1 }) => k1 !== null);
  return [
    { name: 'sampled', value: ({ oldLogProb }) => fixed(oldLogProb) },
    { name: 'now', value: ({ logProb }) => fixed(logProb) },
    { name: 'ratio', value: ({ ratio }) => fixed(ratio) },
    ...(referred ? reference : []),
    { name: 'advantage', value: ({ advantage }) => formatNumber(advantage) },
    { name: 'weight', value: ({ weight }) => small(weight) },
    { name: 'clipped', value: ({ clipped }) => (clipped ? 'yes' : '') },
    { name: 'policy', value: ({ policy }) => small(policy) },
    ...(referred ? [{ name: 'KL', value: ({ kl }: TokenTerms) => small(kl) }] : []),
    { name: 'sum', value: ({ sum }) => small(sum) },
  ];
}

function styleOf({ weight, clipped, advantage }: TokenTerms): Style | null {
  if (weight === 0) return 'dim';
  if (clipped) return 'yellow';
  if (advantage === 0) return null;
  return advantage > 0 ? 'green' : 'red';
}

/** A row a token, a heading above and the totals below; the text comes last, as its width on a terminal is not known. */
function termsTable(texts: readonly string[], terms: readonly TokenTerms[], paint: Paint): string[] {
  const columns = columnsOf(terms);
  const totals = totalTerms(terms);
  const totalOf: Record<string, number> = { policy: totals.policy, KL: totals.kl, sum: totals.sum };
  const names = ['', ...columns.map(({ name }) => name)];
  const rows = terms.map((row, t) => [String(t), ...columns.map(({ value }) => value(row))]);
  const last = ['', ...columns.map(({ name }) => (name in totalOf ? small(totalOf[name]) : ''))];
  const widths = names.map((_, column) => greatest([names, ...rows, last].map((row) => row[column].length)));
  const line = (cells: readonly string[]): string => cells.map((cell, i) => cell.padStart(widths[i])).join('  ');
  return [
    paint('dim', `${line(names)}  token`),
    ...rows.map((row, t) => {
      const style = styleOf(terms[t]);
      const text = `${line(row)}  ${JSON.stringify(texts[t])}`;
      return style ? paint(style, text) : text;
    }),
    `${line(last)}  in all`,
  ];
}

function sampleText(row: ReplayedSample): string[] {
  const verdict = row.correct === null ? '' : row.correct ? ', right' : ', wrong';
  const advantage = row.advantage === undefined ? '' : `, advantage ${formatNumber(row.advantage)}`;
  const nats = row.logProbs.reduce((sum, value) => sum + value, 0);
  const cut = row.finishReason === 'length' ? ', cut off' : '';
  const same = { true: ', as written', false: ', NOT as written', null: '' }[
    String(row.same) as 'true' | 'false' | 'null'
  ];
  const head = `sample ${row.sample}: reward ${row.reward === null ? '–' : formatNumber(row.reward)} (${row.reason}${verdict})${advantage}, ${row.length} tokens${cut}, ${nats.toFixed(1)} nats${same}`;
  const written = row.written ? [`  the run wrote: ${JSON.stringify(row.written.completion)}`] : [];
  return [head, `  ${JSON.stringify(row.completion)}`, ...written];
}

/** The sample whose tokens moved the loss most, up or down; null where none trained. */
export function weightiest(samples: readonly ReplayedSample[]): ReplayedSample | null {
  const weight = (sample: ReplayedSample): number =>
    sample.terms?.reduce((total, { sum }) => total + Math.abs(sum), 0) ?? -1;
  return samples.reduce<ReplayedSample | null>(
    (best, sample) => (weight(sample) > (best ? weight(best) : -1) ? sample : best),
    null,
  );
}

/** Sums of the whole step beside the loss that the run wrote. */
export function lossText({ step, loss }: Replay): string {
  const { policy, kl, entropy, sum, written, difference, minibatches, epochs } = loss;
  const number = (value: number): string => Number(value.toPrecision(6)).toString();
  const parts = [
    `policy ${number(policy)}`,
    ...(kl === 0 ? [] : [`KL ${number(kl)}`]),
    ...(entropy === 0 ? [] : [`entropy ${entropy === null ? 'unknown' : number(entropy)}`]),
  ];
  const terms = `loss of step ${step}: ${parts.join(' + ')}${sum === null ? '' : ` = ${number(sum)}`}`;
  const against =
    written === null
      ? 'the run wrote none'
      : `the run wrote ${number(written)}${difference === null ? '' : ` (difference ${small(difference)})`}`;
  const of = [
    ...(minibatches > 1 ? [`over ${minibatches} minibatches, each under the weights when its turn came`] : []),
    ...(epochs > 1 ? [`the first of ${epochs} passes`] : []),
    ...(entropy === null ? ['entropies per token are not kept: what is left is the entropy term'] : []),
  ];
  return `${terms}; ${against}${of.length > 0 ? `; ${of.join('; ')}` : ''}`;
}

/** The samples by prompt; those of `detailed` with a table of their tokens. */
export function replayText(
  { samples }: Pick<Replay, 'samples'>,
  detailed: ReadonlySet<ReplayedSample>,
  paint: Paint = plain,
): string {
  const lines: string[] = [];
  let uid = NaN;
  for (const row of samples) {
    if (row.uid !== uid) lines.push('', `prompt ${row.id}, answer ${row.answer}: ${JSON.stringify(row.prompt)}`);
    ({ uid } = row);
    lines.push(...sampleText(row));
    if (!detailed.has(row)) continue;
    if (row.terms) lines.push(...termsTable(row.texts, row.terms, paint));
    else lines.push('  it did not train');
  }
  return lines.slice(1).join('\n');
}
