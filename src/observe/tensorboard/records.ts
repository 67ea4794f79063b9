/**
 * TFRecord framing, as TensorBoard's event files have it: length (uint64), masked CRC of the length, data, masked CRC of
 * the data, all little endian. The CRC is CRC-32C (Castagnoli); format of tensorflow/core/lib/io/record_writer.h.
 */

const POLYNOMIAL = 0x82f63b78;
const MASK = 0xa282ead8;
const HEADER = 12;
const FOOTER = 4;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + MASK) >>> 0;
}

export function frameRecord(data: Uint8Array): Buffer {
  const record = Buffer.alloc(HEADER + data.length + FOOTER);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8);
  record.set(data, HEADER);
  record.writeUInt32LE(maskedCrc(data), HEADER + data.length);
  return record;
}

export interface ReadRecord {
  data: Buffer;
  /** Where it begins in the file. */
  offset: number;
}

/** The whole records from the start of a file; it ends at one that is torn or damaged. */
export function* readRecords(bytes: Buffer): Generator<ReadRecord> {
  let offset = 0;
  while (offset + HEADER <= bytes.length) {
    const length = Number(bytes.readBigUInt64LE(offset));
    const end = offset + HEADER + length;
    if (bytes.readUInt32LE(offset + 8) !== maskedCrc(bytes.subarray(offset, offset + 8))) return;
    if (end + FOOTER > bytes.length) return;
    const data = bytes.subarray(offset + HEADER, end);
    if (bytes.readUInt32LE(end) !== maskedCrc(data)) return;
    yield { data, offset };
    offset = end + FOOTER;
  }
}
