/** Values of Parquet's types as JSON has them, by the schema of the file. */
import type { FileMetaData, SchemaElement, SchemaTree } from 'hyparquet' with { 'resolution-mode': 'import' };
import { exactNumber, shortestFloat } from './exact-numbers';

type Convert = (value: unknown) => unknown;

/** The schema of a file and what hyparquet is not to convert, as it would lose digits. */
export interface ParquetTypes {
  tree: SchemaTree;
  /** Digits after the point of the decimals. */
  scales: ReadonlyMap<SchemaElement, number>;
}

/** Takes the decimals out of the schema that hyparquet reads by: it would make doubles of them. */
export function takeDecimals({ schema }: FileMetaData): Map<SchemaElement, number> {
  const scales = new Map<SchemaElement, number>();
  for (const element of schema) {
    if (element.converted_type !== 'DECIMAL' && element.logical_type?.type !== 'DECIMAL') continue;
    scales.set(element, element.scale ?? 0);
    delete element.converted_type;
    delete element.logical_type;
  }
  return scales;
}

/** A whole number in two's complement, the highest byte first. */
function signedInteger(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
}

function decimal(value: unknown, scale: number): number | string {
  const units = value instanceof Uint8Array ? signedInteger(value) : BigInt(value as number | bigint);
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0');
  const point = digits.length - scale;
  const text = `${units < 0n ? '-' : ''}${digits.slice(0, point)}${scale > 0 ? `.${digits.slice(point)}` : ''}`;
  return exactNumber(text);
}

/** Text where the bytes are UTF-8, as old writers leave texts unmarked; base64 otherwise. */
function bytesToJson(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('base64');
  }
}

/** Whole numbers beyond 2^53 become text, times ISO 8601. */
function plainValue(value: unknown): unknown {
  if (typeof value === 'bigint') return exactNumber(String(value));
  if (typeof value !== 'object') return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return bytesToJson(value);
  if (Array.isArray(value)) return value.map(plainValue);
  return value === null
    ? null
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainValue(item)]));
}

function leafConverter(element: SchemaElement, { scales }: ParquetTypes): Convert {
  const scale = scales.get(element);
  if (scale !== undefined) return (value) => decimal(value, scale);
  if (element.logical_type?.type === 'FLOAT16') return (value) => shortestFloat(value as number, 16);
  if (element.type === 'FLOAT') return (value) => shortestFloat(value as number, 32);
  return plainValue;
}

const isRepeated = ({ element }: SchemaTree): boolean => element.repetition_type === 'REPEATED';

/** What the items of an annotated list are; undefined for no list. */
function itemOf({ element, children }: SchemaTree): SchemaTree | undefined {
  const [list] = children as (SchemaTree | undefined)[];
  if (element.converted_type !== 'LIST' || children.length !== 1 || list === undefined || !isRepeated(list))
    return undefined;
  return list.children.length === 1 ? list.children[0] : list;
}

/** Converts values of one place in the schema, as hyparquet assembles them. */
export function converterFor(node: SchemaTree, types: ParquetTypes): Convert {
  const orNull = (convert: Convert): Convert => {
    return (value) => (value === null || value === undefined ? null : convert(value));
  };
  const each = (convert: Convert): Convert => {
    return (value) =>
      Array.isArray(value) || ArrayBuffer.isView(value)
        ? Array.from(value as ArrayLike<unknown>, convert)
        : convert(value);
  };
  if (node.children.length === 0) {
    const convert = orNull(leafConverter(node.element, types));
    return isRepeated(node) ? orNull(each(convert)) : convert;
  }
  const item = itemOf(node);
  if (item !== undefined) return orNull(each(converterFor(item, types)));
  if (node.element.converted_type === 'MAP' && node.children[0].children.length === 2) {
    const convert = converterFor(node.children[0].children[1], types);
    return orNull((map) =>
      Object.fromEntries(Object.entries(map as object).map(([key, value]) => [key, convert(value)])),
    );
  }
  const children = new Map(node.children.map((child) => [child.element.name, converterFor(child, types)]));
  const struct: Convert = orNull((value) =>
    Object.fromEntries(
      Object.entries(value as object).map(([key, part]) => [key, (children.get(key) ?? plainValue)(part)]),
    ),
  );
  return isRepeated(node) ? orNull(each(struct)) : struct;
}
