// Each encoding against a slow decoder written from the format's text.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bitWidth, packBits } from "#lib/parquet/bit-packing.ts";
import { ByteWriter } from "#lib/parquet/byte-writer.ts";
import { writeDeltaBinaryPacked } from "#lib/parquet/delta-binary-packed.ts";
import { writeHybrid } from "#lib/parquet/rle-bitpacked-hybrid.ts";
import { thriftBytes } from "#lib/parquet/thrift-compact.ts";
import { xxHash64 } from "#lib/parquet/xxhash64.ts";
import { propertyRuns } from "../../helpers/property.ts";
import { int64s } from "../../helpers/random-batch.ts";

/** What was left in the buffer by its use before. */
function dirtyWriter(): ByteWriter {
  const out = new ByteWriter(8);
  out.append(new Uint8Array(300).fill(0xff));
  out.clear();
  return out;
}

class Reader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(out: ByteWriter) {
    this.#bytes = out.written();
  }

  get isAtEnd(): boolean {
    return this.at === this.#bytes.length;
  }

  byte(): bigint {
    return BigInt(this.#bytes[this.at++]!);
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      value |= (byte & 0x7fn) << shift;
      if (byte < 0x80n) return value;
    }
  }

  zigzag(): bigint {
    const value = this.varint();
    return (value >> 1n) ^ -(value & 1n);
  }

  packed(count: number, width: number): bigint[] {
    let bits = 0n;
    const byteLength = Math.ceil(count / 8) * width;
    for (let i = 0; i < byteLength; i++) bits |= this.byte() << BigInt(8 * i);
    const mask = (1n << BigInt(width)) - 1n;
    return Array.from({ length: count }, (_, i) => (bits >> BigInt(i * width)) & mask);
  }

  hybrid(count: number, width: number): bigint[] {
    const values: bigint[] = [];
    while (values.length < count) {
      const header = Number(this.varint());
      if (header & 1) {
        values.push(...this.packed((header >> 1) * 8, width));
      } else {
        let value = 0n;
        for (let i = 0; i < Math.ceil(width / 8); i++) value |= this.byte() << BigInt(8 * i);
        for (let i = 0; i < header >> 1; i++) values.push(value);
      }
    }
    return values.slice(0, count);
  }

  deltaBinaryPacked(): bigint[] {
    const blockValues = Number(this.varint());
    const miniblocks = Number(this.varint());
    const count = Number(this.varint());
    const values = [this.zigzag()];
    while (values.length < count) {
      const min = this.zigzag();
      const widths = Array.from({ length: miniblocks }, () => Number(this.byte()));
      for (const width of widths) {
        for (const rest of this.packed(blockValues / miniblocks, width)) {
          values.push(BigInt.asIntN(64, values.at(-1)! + min + rest));
        }
      }
    }
    return values.slice(0, count);
  }
}

const widthsAndValues = fc.integer({ min: 1, max: 32 }).chain((width) =>
  fc.tuple(
    fc.constant(width),
    fc.array(fc.oneof(fc.constant(2 ** width - 1), fc.integer({ min: 0, max: 2 ** width - 1 })), {
      minLength: 1,
      maxLength: 70,
    }),
  ),
);

describe("bit packing", () => {
  test("keeps numbers of every width, zeros behind the last", () => {
    fc.assert(
      fc.property(widthsAndValues, ([width, values]) => {
        const out = dirtyWriter();
        packBits(Int32Array.from(values), 0, values.length, width, out);
        const padded = new Reader(out).packed(Math.ceil(values.length / 8) * 8, width);
        expect(padded.slice(0, values.length)).toEqual(values.map(BigInt));
        expect(padded.slice(values.length).every((value) => value === 0n)).toBe(true);
      }),
      propertyRuns(300),
    );
  });

  test("packs the format's own example", () => {
    const out = dirtyWriter();
    packBits(Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7), 0, 8, 3, out);
    expect([...out.written()]).toEqual([0b10001000, 0b11000110, 0b11111010]);
  });

  test("needs as many bits as the largest number has", () => {
    expect([0, 1, 2, 255, 256, -1].map(bitWidth)).toEqual([0, 1, 2, 8, 9, 32]);
  });
});

describe("the run length and bit packing hybrid", () => {
  const runs = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 7 }), fc.constantFrom(1, 2, 3, 7, 8, 63, 64, 65, 71, 200)),
    { minLength: 1, maxLength: 20 },
  );

  test("keeps runs and stretches in any mixture", () => {
    fc.assert(
      fc.property(runs, fc.integer({ min: 3, max: 32 }), (parts, width) => {
        const values = parts.flatMap(([value, count]) => Array<number>(count).fill(value));
        const out = dirtyWriter();
        writeHybrid(Int32Array.from(values), 0, values.length, width, out);
        const reader = new Reader(out);
        expect(reader.hybrid(values.length, width)).toEqual(values.map(BigInt));
        expect(reader.isAtEnd).toBe(true);
      }),
      propertyRuns(300),
    );
  });

  test("says 20,000 equal numbers in four bytes", () => {
    const out = dirtyWriter();
    writeHybrid(new Uint8Array(20_000).fill(1), 0, 20_000, 1, out);
    expect(out.length).toBe(4);
  });
});

describe("DELTA_BINARY_PACKED", () => {
  function encode(values: readonly bigint[]): ByteWriter {
    const out = dirtyWriter();
    const words = new Int32Array(BigInt64Array.from(values).buffer);
    writeDeltaBinaryPacked(words, 0, values.length, out);
    return out;
  }

  function decode(out: ByteWriter): bigint[] {
    const reader = new Reader(out);
    const values = reader.deltaBinaryPacked();
    expect(reader.isAtEnd).toBe(true);
    return values;
  }

  test("keeps every int64, however far it is from the one before", () => {
    fc.assert(
      fc.property(fc.array(int64s, { minLength: 1, maxLength: 300 }), (values) => {
        expect(decode(encode(values))).toEqual(values);
      }),
      propertyRuns(300),
    );
  });

  test("keeps differences of every width", () => {
    const step = fc
      .integer({ min: 0, max: 63 })
      .chain((bits) => fc.bigInt({ min: 0n, max: 1n << BigInt(bits) }));
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 140 }), (steps) => {
        let value = -(2n ** 62n);
        const values = steps.map((by) => (value = BigInt.asIntN(64, value + by)));
        expect(decode(encode(values))).toEqual(values);
      }),
      propertyRuns(300),
    );
  });

  test("stores equidistant times in next to nothing", () => {
    const times = Array.from(
      { length: 20_000 },
      (_, i) => 1_767_225_600_000_000n + BigInt(i) * 250_000n,
    );
    const encoded = encode(times);
    expect(decode(encoded)).toEqual(times);
    expect(encoded.length).toBeLessThan(1200);
  });
});

describe("Thrift's compact protocol", () => {
  test("writes the bytes that its specification gives", () => {
    const bytes = thriftBytes((fields) => {
      fields.i32(1, -1);
      fields.bool(2, true);
      fields.bool(3, false);
      fields.text(4, "hé");
      fields.i64(20, 300);
      fields.i16(21, 7);
      fields.i32List(22, [1, -2]);
      fields.boolList(23, [true, false]);
      fields.struct(24, (inner) => inner.i32(1, 5));
      fields.emptyStruct(25);
    });
    const expected = [
      [0x15, 0x01],
      [0x11],
      [0x12],
      [0x18, 3, 0x68, 0xc3, 0xa9],
      [0x06, 40, 0xd8, 0x04], // 16 or more behind the field before: the number itself
      [0x14, 14],
      [0x19, 0x25, 2, 3],
      [0x19, 0x21, 1, 2],
      [0x1c, 0x15, 10, 0],
      [0x1c, 0],
      [0],
    ];
    expect([...bytes]).toEqual(expected.flat());
  });

  test("gives lists of 15 and more a length of their own", () => {
    const bytes = thriftBytes((fields) => fields.i32List(1, Array<number>(15).fill(0)));
    expect([...bytes.subarray(0, 3)]).toEqual([0x19, 0xf5, 15]);
  });
});

describe("xxHash64", () => {
  const MASK = 2n ** 64n - 1n;
  const P1 = 0x9e3779b185ebca87n;
  const P2 = 0xc2b2ae3d27d4eb4fn;
  const P3 = 0x165667b19e3779f9n;
  const P4 = 0x85ebca77c2b2ae63n;
  const P5 = 0x27d4eb2f165667c5n;
  const turn = (value: bigint, bits: bigint) =>
    ((value << bits) | ((value & MASK) >> (64n - bits))) & MASK;
  const round = (lane: bigint, input: bigint) =>
    (turn((lane + input * P2) & MASK, 31n) * P1) & MASK;

  function reference(bytes: Uint8Array): bigint {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    let hash = P5;
    if (bytes.length >= 32) {
      const lanes = [(P1 + P2) & MASK, P2, 0n, -P1 & MASK];
      for (; at + 32 <= bytes.length; at += 32) {
        lanes.forEach((lane, i) => (lanes[i] = round(lane, view.getBigUint64(at + 8 * i, true))));
      }
      hash =
        turn(lanes[0]!, 1n) + turn(lanes[1]!, 7n) + turn(lanes[2]!, 12n) + turn(lanes[3]!, 18n);
      for (const lane of lanes) hash = (((hash & MASK) ^ round(0n, lane)) * P1 + P4) & MASK;
    }
    hash = (hash + BigInt(bytes.length)) & MASK;
    for (; at + 8 <= bytes.length; at += 8) {
      hash = (turn(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * P1 + P4) & MASK;
    }
    if (at + 4 <= bytes.length) {
      hash = (turn(hash ^ ((BigInt(view.getUint32(at, true)) * P1) & MASK), 23n) * P2 + P3) & MASK;
      at += 4;
    }
    for (; at < bytes.length; at++) {
      hash = (turn(hash ^ ((BigInt(bytes[at]!) * P5) & MASK), 11n) * P1) & MASK;
    }
    hash = ((hash ^ (hash >> 33n)) * P2) & MASK;
    hash = ((hash ^ (hash >> 29n)) * P3) & MASK;
    return hash ^ (hash >> 32n);
  }

  function hashOf(bytes: Uint8Array, from: number, to: number): bigint {
    const hash = new Int32Array(2);
    xxHash64(bytes, from, to, hash);
    return new BigUint64Array(hash.buffer)[0]!;
  }

  test("gives the published hashes", () => {
    const abc = new TextEncoder().encode("abc");
    expect(hashOf(abc, 0, 0)).toBe(0xef46db3751d8e999n);
    expect(hashOf(abc, 0, 1)).toBe(0xd24ec4f1a98c6e5bn);
    expect(hashOf(abc, 0, 3)).toBe(0x44bc2cf5ad770999n);
  });

  test("agrees with arithmetic on big integers at every length and address", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 150 }), fc.nat({ max: 9 }), (bytes, from) => {
        const start = Math.min(from, bytes.length);
        expect(hashOf(bytes, start, bytes.length)).toBe(reference(bytes.slice(start)));
      }),
      propertyRuns(300),
    );
  });
});
