/**
 * Parquet files written row group by row group, so that memory is bounded by one. hyparquet-writer does the encoding: the
 * sibling of the reader in src/data/parquet.ts, plain JavaScript without install scripts.
 */
import { rm } from 'node:fs/promises';
import type { ParquetWriter as Writer } from 'hyparquet-writer' with { 'resolution-mode': 'import' };
import { commitTemporary, output, syncPath, temporaryName } from '../policy/atomic-file';

type SchemaElement = Writer['schema'][number];

export interface Column<Row> {
  name: string;
  type: 'STRING' | 'INT32' | 'INT64' | 'DOUBLE' | 'BOOLEAN';
  /** Null where the row has none. */
  value: (row: Row) => string | number | boolean | null | undefined;
}

const ROWS_PER_GROUP = 50_000;

const element = ({ name, type }: Pick<Column<never>, 'name' | 'type'>): SchemaElement =>
  type === 'STRING'
    ? { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' }
    : { name, type, repetition_type: 'OPTIONAL' };

/** The value as the column's type; what is of another type is null. */
function typed(type: Column<never>['type'], value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (type === 'STRING') return typeof value === 'string' ? value : JSON.stringify(value);
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
  const { ParquetWriter, fileWriter } = await import('hyparquet-writer');
  const temporary = temporaryName(file);
  const schema: SchemaElement[] = [{ name: 'root', num_children: columns.length }, ...columns.map(element)];
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
