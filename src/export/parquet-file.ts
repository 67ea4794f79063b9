/**
 * Parquet files written row group by row group, so that memory is bounded by one. hyparquet-writer does the encoding: the
 * sibling of the reader in src/data/parquet.ts, plain JavaScript without install scripts.
 */
import { rm } from 'node:fs/promises';
import type { ParquetWriter as Writer } from 'hyparquet-writer' with { 'resolution-mode': 'import' };
import { loadModule } from '../load-module';
import { commitTemporary, output, syncPath, temporaryName } from '../policy/atomic-file';

type SchemaElement = Writer['schema'][number];

export interface Column<Row> {
  name: string;
  /** JSON: any value as its text. The lists are of numbers. */
  type: 'STRING' | 'JSON' | 'INT32' | 'INT64' | 'DOUBLE' | 'BOOLEAN' | 'INT32[]' | 'FLOAT[]';
  /** Null where the row has none. */
  value: (row: Row) => unknown;
}

const ROWS_PER_GROUP = 50_000;

/** A column of the schema: itself, and for a list the levels below it. */
function elements({ name, type }: Pick<Column<never>, 'name' | 'type'>): SchemaElement[] {
  if (type === 'STRING' || type === 'JSON')
    return [{ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' }];
  if (type !== 'INT32[]' && type !== 'FLOAT[]') return [{ name, type, repetition_type: 'OPTIONAL' }];
  return [
    { name, converted_type: 'LIST', repetition_type: 'OPTIONAL', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', type: type === 'INT32[]' ? 'INT32' : 'FLOAT', repetition_type: 'REQUIRED' },
  ];
}

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'number');

/** The value as the column's type; what is of another type is null. */
function typed(type: Column<never>['type'], value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (type === 'STRING') return typeof value === 'string' ? value : JSON.stringify(value);
  if (type === 'JSON') return JSON.stringify(value);
  if (type === 'INT32[]') return isNumbers(value) && value.every(Number.isSafeInteger) ? value : null;
  if (type === 'FLOAT[]') return isNumbers(value) ? value : null;
  if (type === 'BOOLEAN') return typeof value === 'boolean' ? value : null;
  if (typeof value !== 'number') return null;
  if (type === 'DOUBLE') return value;
  if (!Number.isSafeInteger(value)) return null;
  return type === 'INT64' ? BigInt(value) : value;
}

/**
 * Writes the rows and returns how many there were; the file appears whole or not at all.
 * @throws ZeroRlError `ERR_ZERO_RL_OUTPUT`
 */
export async function writeParquet<Row>(
  file: string,
  columns: readonly Column<Row>[],
  rows: AsyncIterable<Row> | Iterable<Row>,
): Promise<number> {
  const { ParquetWriter, fileWriter } = await loadModule('hyparquet-writer', () => import('hyparquet-writer'));
  const temporary = temporaryName(file);
  const schema: SchemaElement[] = [{ name: 'root', num_children: columns.length }, ...columns.flatMap(elements)];
  let count = 0;
  try {
    const writer = await output(file, () =>
      Promise.resolve().then(() => new ParquetWriter({ writer: fileWriter(temporary), schema, createdBy: 'zero-rl' })),
    );
    let group: Row[] = [];
    const flush = async (): Promise<void> => {
      const columnData = columns.map(({ name, type, value }) => ({
        name,
        data: group.map((row) => typed(type, value(row))),
      }));
      await output(file, async () => writer.write({ columnData, rowGroupSize: ROWS_PER_GROUP }));
      group = [];
    };
    for await (const row of rows) {
      count++;
      if (group.push(row) === ROWS_PER_GROUP) await flush();
    }
    if (group.length > 0) await flush();
    await output(file, async () => writer.finish());
    await syncPath(temporary);
    await commitTemporary(file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return count;
}
