/**
 * The messages of TensorBoard's event files (tensorflow/core/util/event.proto and framework/summary.proto), as far as
 * scalars need them, in the wire format of protocol buffers.
 */
import type { Scalar } from '../scalars';

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Event: wall_time 1, step 2, file_version 3, summary 5, session_log 7. */
const EVENT_WALL_TIME = 1;
const EVENT_STEP = 2;
const EVENT_FILE_VERSION = 3;
const EVENT_SUMMARY = 5;
const EVENT_SESSION_LOG = 7;
/** Summary: value 1. Summary.Value: tag 1, simple_value 2. SessionLog: status 1, of which START is 1. */
const SUMMARY_VALUE = 1;
const VALUE_TAG = 1;
const VALUE_SIMPLE = 2;
const SESSION_STATUS = 1;
const SESSION_START = 1;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}

const key = (field: number, type: number): Buffer => varint(field * 8 + type);

const bytesField = (field: number, data: Uint8Array): Buffer =>
  Buffer.concat([key(field, BYTES), varint(data.length), data]);
const varintField = (field: number, value: number): Buffer => Buffer.concat([key(field, VARINT), varint(value)]);

function doubleField(field: number, value: number): Buffer {
  const data = Buffer.alloc(8);
  data.writeDoubleLE(value);
  return Buffer.concat([key(field, FIXED64), data]);
}

function floatField(field: number, value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeFloatLE(value);
  return Buffer.concat([key(field, FIXED32), data]);
}

const event = (wallTime: number, ...fields: Buffer[]): Buffer =>
  Buffer.concat([doubleField(EVENT_WALL_TIME, wallTime), ...fields]);

/** The first event of a file. `wallTime` is in seconds since 1970. */
export const versionEvent = (wallTime: number): Buffer =>
  event(wallTime, bytesField(EVENT_FILE_VERSION, Buffer.from('brain.Event:2')));

/** Says that the run goes on at `step`: readers forget that step and those after it. */
export const sessionStartEvent = (wallTime: number, step: number): Buffer =>
  event(
    wallTime,
    varintField(EVENT_STEP, step),
    bytesField(EVENT_SESSION_LOG, varintField(SESSION_STATUS, SESSION_START)),
  );

export function scalarsEvent(wallTime: number, step: number, scalars: readonly Scalar[]): Buffer {
  const values = scalars.map(({ name, value }) =>
    bytesField(
      SUMMARY_VALUE,
      Buffer.concat([bytesField(VALUE_TAG, Buffer.from(name)), floatField(VALUE_SIMPLE, value)]),
    ),
  );
  return event(wallTime, varintField(EVENT_STEP, step), bytesField(EVENT_SUMMARY, Buffer.concat(values)));
}

/** What resuming needs of an event. */
export interface EventHead {
  step: number;
  /** Whether it holds values. */
  summary: boolean;
}

/** @throws RangeError for bytes that are no message */
export function readEventHead(data: Buffer): EventHead {
  const head: EventHead = { step: 0, summary: false };
  let at = 0;
  const readVarint = (): number => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = data.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(value);
    }
  };
  while (at < data.length) {
    const tag = readVarint();
    const field = Math.floor(tag / 8);
    if (tag % 8 === VARINT) {
      const value = readVarint();
      if (field === EVENT_STEP) head.step = value;
    } else if (tag % 8 === FIXED64) at += 8;
    else if (tag % 8 === FIXED32) at += 4;
    else {
      const length = readVarint();
      at += length;
      if (field === EVENT_SUMMARY) head.summary = true;
    }
  }
  return head;
}
