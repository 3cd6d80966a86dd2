// A footer of ours that says of every timestamp that it is of no time zone.
//
// The files say that their times are adjusted to UTC, as they are. The engine would then compare
// and compute with ICU's calendar, row by row; told that they are plain it reads the same numbers
// as TIMESTAMP, which is what a query sees. One bit per column changes, and no length.
// SchemaElement in
// https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift

import { assert } from "#lib/base/assert.ts";

import { ByteReader } from "./byte-reader.ts";
import { readThrift } from "./read-thrift.ts";
import { TYPE } from "./thrift-compact.ts";

/** TimestampType.isAdjustedToUTC, field 1, true; and the same, false. */
const ADJUSTED = (1 << 4) | TYPE.true;
const PLAIN = (1 << 4) | TYPE.false;
/** How far before the end of its element the flag stands: the unit and the ends of four structs. */
const FLAG_BEFORE_END = 8;

/** A copy. `footer` is what our writer wrote, with its 8-byte tail. */
export function withPlainTimes(footer: Uint8Array): Uint8Array {
  const plain = footer.slice();
  const reader = new ByteReader(footer);
  reader.skip(1);
  reader.zigzag(); // the version of the format, which comes before the schema
  const [field, list] = [reader.byte(), reader.byte()];
  assert(field === ((1 << 4) | TYPE.list) && (list & 0x0f) === TYPE.struct, "a schema comes next");
  const count = list >>> 4 === 15 ? reader.varint() : list >>> 4;
  for (let i = 0; i < count; i++) {
    const element = readThrift(reader);
    if (!element.has(10) || !element.struct(10).has(8)) continue;
    const at = reader.at - FLAG_BEFORE_END;
    assert(plain[at] === ADJUSTED, "a timestamp ends as our writer ends it");
    plain[at] = PLAIN;
  }
  return plain;
}
