/** The tables of a run for other tools: its samples as Parquet, its metrics as Parquet or CSV. */
import { readSamples, type RunView, type StepFile } from '../observe/run-view';
import { scalarsOf } from '../observe/scalars';
import { writeFileAtomically } from '../policy/atomic-file';
import type { MetricsRow, SampleRow } from '../training/run-folder';
import { writeParquet, type Column } from './parquet-file';

const sampleColumns: readonly Column<SampleRow>[] = [
  { name: 'step', type: 'INT32', value: ({ step }) => step },
  { name: 'id', type: 'STRING', value: ({ id }) => id },
  { name: 'uid', type: 'INT64', value: ({ uid }) => uid },
  { name: 'sample', type: 'INT32', value: ({ sample }) => sample },
  { name: 'prompt', type: 'STRING', value: ({ prompt }) => prompt },
  { name: 'answer', type: 'STRING', value: ({ answer }) => answer },
  { name: 'completion', type: 'STRING', value: ({ completion }) => completion },
  { name: 'reward', type: 'DOUBLE', value: ({ reward }) => reward },
  { name: 'reason', type: 'STRING', value: ({ reason }) => reason },
  { name: 'correct', type: 'BOOLEAN', value: ({ correct }) => correct },
  { name: 'formatted', type: 'BOOLEAN', value: ({ formatted }) => formatted },
  { name: 'advantage', type: 'DOUBLE', value: ({ advantage }) => advantage },
  { name: 'length', type: 'INT32', value: ({ length }) => length },
  { name: 'finishReason', type: 'STRING', value: ({ finishReason }) => finishReason },
  { name: 'parts', type: 'JSON', value: ({ parts }) => parts },
  { name: 'metrics', type: 'JSON', value: ({ metrics }) => metrics },
  { name: 'tokenLengths', type: 'INT32[]', value: ({ tokenLengths }) => tokenLengths },
  { name: 'logProbs', type: 'FLOAT[]', value: ({ logProbs }) => logProbs },
  { name: 'kl', type: 'FLOAT[]', value: ({ kl }) => kl },
];

async function* samplesOf(
  files: readonly StepFile[],
  problems: string[],
  onFile: () => void,
): AsyncGenerator<SampleRow> {
  for (const { file } of files) {
    yield* await readSamples(file, problems);
    onFile();
  }
}

/** Every sample of the files, as many rows; `problems` gains what could not be read. `onFile` is told of each file that is done. */
export function writeSamples(
  file: string,
  files: readonly StepFile[],
  problems: string[],
  onFile: () => void = () => undefined,
): Promise<number> {
  return writeParquet(file, sampleColumns, samplesOf(files, problems, onFile));
}

interface MetricsTable {
  names: string[];
  rows: { step: number; values: Map<string, number> }[];
}

/** A column for every figure that any row has, in the order in which they come up. */
function metricsTable(rows: readonly MetricsRow[]): MetricsTable {
  const table = rows.map((row) => ({
    step: row.step,
    values: new Map(scalarsOf(row).map(({ name, value }) => [name, value])),
  }));
  return { names: [...new Set(table.flatMap(({ values }) => [...values.keys()]))], rows: table };
}

/** Fields with a comma, a quote or a line break are quoted (RFC 4180). */
const csvField = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Writes a row a step, as CSV where the name ends in .csv, and else as Parquet. A figure that a step lacks is empty. */
export async function writeMetrics(file: string, { rows }: RunView): Promise<number> {
  const table = metricsTable(rows);
  if (!file.toLowerCase().endsWith('.csv')) {
    const columns = table.names.map((name): Column<MetricsTable['rows'][number]> => ({
      name,
      type: 'DOUBLE',
      value: ({ values }) => values.get(name),
    }));
    return writeParquet(file, [{ name: 'step', type: 'INT32', value: ({ step }) => step }, ...columns], table.rows);
  }
  const lines = table.rows.map(({ step, values }) => [step, ...table.names.map((name) => values.get(name) ?? '')]);
  const text = [['step', ...table.names.map(csvField)], ...lines].map((line) => `${line.join(',')}\r\n`).join('');
  await writeFileAtomically(file, text);
  return rows.length;
}
