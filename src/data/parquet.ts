/**
 * Streaming reader of Parquet files, one row group at a time. hyparquet does the decoding: plain JavaScript without install
 * scripts, every encoding; its companion hyparquet-compressors adds the codecs beyond snappy.
 */
import { ZeroRlError } from '../errors';
import type { JsonObject } from '../json-object';

/** Rows decoded together where a row group is larger. */
const ROWS_AT_ONCE = 4096;

/** A value as JSON has it: whole numbers beyond 2^53 become text, times ISO 8601, bytes base64. */
function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from(value as ArrayLike<unknown>, toJson);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]));
}

/**
 * Reads the rows of a Parquet file in their order.
 * @throws {ZeroRlError} `ERR_ZERO_RL_DATA` when the file cannot be read or is no Parquet file
 */
export async function* readParquet(path: string): AsyncGenerator<JsonObject> {
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    let first = 0;
    for (const group of metadata.row_groups) {
      const end = first + Number(group.num_rows);
      for (; first < end; first = Math.min(end, first + ROWS_AT_ONCE)) {
        const rowEnd = Math.min(end, first + ROWS_AT_ONCE);
        const rows = await parquetReadObjects({ file, metadata, compressors, rowStart: first, rowEnd });
        for (const row of rows) yield toJson(row) as JsonObject;
      }
    }
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'there is no such file' : cause instanceof Error ? cause.message : String(cause);
    throw new ZeroRlError('ERR_ZERO_RL_DATA', `${path} cannot be read as Parquet: ${why.replace(/\.$/, '')}.`, {
      cause,
    });
  }
}
