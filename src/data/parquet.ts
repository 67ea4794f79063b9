/**
 * Reader of Parquet files, one row group at a time and only the columns that are asked for. hyparquet does the decoding: plain
 * JavaScript without install scripts, every encoding; its companion hyparquet-compressors adds the codecs beyond snappy.
 */
import type { FileMetaData } from 'hyparquet' with { 'resolution-mode': 'import' };
import { ZeroRlError } from '../errors';
import type { JsonObject } from '../json-object';
import { loadModule } from '../load-module';
import { parseExactJson } from './exact-numbers';
import { converterFor, takeDecimals } from './parquet-values';

/** A column of the file. */
export interface ParquetColumn {
  name: string;
  /** Whether the file says that each row has a value. */
  complete: boolean;
  /** Of all its values, uncompressed. */
  bytes: number;
}

export interface ParquetOptions {
  /** The columns to read, of those that the file has; default all. */
  select?: (columns: readonly ParquetColumn[]) => readonly string[];
}

/** Top-level columns. A nested one counts as complete: whether its parts are there is for its reader to see. */
function columnsOf({ row_groups: groups, schema }: FileMetaData): ParquetColumn[] {
  const columns = new Map<string, ParquetColumn>();
  for (const { columns: chunks } of groups) {
    for (const { meta_data: meta } of chunks) {
      if (meta === undefined) continue;
      const [name] = meta.path_in_schema;
      const column = columns.get(name) ?? { name, complete: true, bytes: 0 };
      const nulls = meta.statistics?.null_count;
      if (meta.path_in_schema.length === 1 && nulls !== 0n) {
        const required = schema.some((element) => element.name === name && element.repetition_type === 'REQUIRED');
        column.complete &&= required;
      }
      column.bytes += Number(meta.total_uncompressed_size);
      columns.set(name, column);
    }
  }
  return [...columns.values()];
}

/** hyparquet's own would lose digits. */
const parsers = {
  jsonFromBytes: (bytes: Uint8Array | undefined): unknown =>
    bytes === undefined ? undefined : parseExactJson(new TextDecoder().decode(bytes)),
};

/**
 * Reads the rows of a Parquet file in their order.
 * @throws {ZeroRlError} `ERR_ZERO_RL_DATA` when the file cannot be read or is no Parquet file
 */
export async function* readParquet(path: string, { select }: ParquetOptions = {}): AsyncGenerator<JsonObject> {
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } = await loadModule(
    'hyparquet',
    () => import('hyparquet'),
  );
  const { compressors } = await loadModule('hyparquet-compressors', () => import('hyparquet-compressors'));
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    const scales = takeDecimals(metadata);
    const tree = parquetSchema(metadata);
    const columns = select === undefined ? undefined : [...select(columnsOf(metadata))];
    const chosen = tree.children.filter(({ element }) => columns?.includes(element.name) ?? true);
    const converters = chosen.map((node) => [node.element.name, converterFor(node, { tree, scales })] as const);
    const options = { file, metadata, compressors, columns, parsers, utf8: false };
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows);
      // Whole groups: reading a part of one decodes it from its start.
      const rows = rowEnd > rowStart ? await parquetReadObjects({ ...options, rowStart, rowEnd }) : [];
      rowStart = rowEnd;
      for (const row of rows) {
        yield Object.fromEntries(converters.map(([name, convert]) => [name, convert(row[name])]));
      }
    }
  } catch (cause) {
    if (cause instanceof ZeroRlError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'there is no such file' : cause instanceof Error ? cause.message : String(cause);
    throw new ZeroRlError('ERR_ZERO_RL_DATA', `${path} cannot be read as Parquet: ${why.replace(/\.$/, '')}.`, {
      cause,
    });
  }
}
