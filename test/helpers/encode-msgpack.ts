// A MessagePack encoder that picks, among the widths a value fits, the one that `choose` says; real
// encoders always take the shortest, and so never show a decoder the others.

/** One value of a batch: bigints are integers, numbers are floats, whatever their value. */
export type Cell = null | bigint | number | string | boolean | Timestamp | NestedCell;
export type NestedCell = readonly Cell[] | ReadonlyMap<string | bigint, Cell>;

export class Timestamp {
  readonly seconds: bigint;
  readonly nanoseconds: number;

  constructor(seconds: bigint, nanoseconds: number) {
    this.seconds = seconds;
    this.nanoseconds = nanoseconds;
  }
}

/** Given how many encodings fit, which one: 0 is the shortest. */
export type ChooseWidth = (count: number) => number;

export function shortest(): number {
  return 0;
}

export interface BatchContent {
  readonly measurement: string;
  readonly columns: readonly (readonly [name: string, cells: readonly Cell[]])[];
  readonly timeUnit?: string;
}

/** Keys in one of two orders: a decoder learns the name and unit before the columns, or after. */
export function encodeBatch(batch: BatchContent, choose: ChooseWidth = shortest): Uint8Array {
  const entries: [string, Cell][] = [["columns", new Map(batch.columns)]];
  if (batch.timeUnit !== undefined) entries.push(["time_unit", batch.timeUnit]);
  entries.push(["m", batch.measurement]);
  const ordered = choose(2) === 0 ? entries : entries.toReversed();
  return encodeCell(new Map(ordered), choose);
}

/** A batch of one column. */
export function batchOf(name: string, cells: readonly Cell[]): Uint8Array {
  return encodeBatch({ measurement: "m", columns: [[name, cells]] });
}

/** A batch of one column, up to 15 cells; those given as bytes stand in it as they are. */
export function rawBatch(name: string, cells: readonly (Cell | Uint8Array)[]): Uint8Array {
  const written = cells.map((cell) => (cell instanceof Uint8Array ? cell : encodeCell(cell)));
  const head = [Uint8Array.of(0x82), encodeCell("m"), encodeCell("m"), encodeCell("columns")];
  const header = [Uint8Array.of(0x81), encodeCell(name), Uint8Array.of(0x90 | cells.length)];
  return Buffer.concat([...head, ...header, ...written]);
}

export function encodeCell(cell: Cell, choose: ChooseWidth = shortest): Uint8Array {
  const parts: Uint8Array[] = [];
  write(cell, parts, choose);
  return Buffer.concat(parts);
}

function write(cell: Cell, parts: Uint8Array[], choose: ChooseWidth): void {
  if (cell === null) parts.push(Uint8Array.of(0xc0));
  else if (typeof cell === "boolean") parts.push(Uint8Array.of(cell ? 0xc3 : 0xc2));
  else if (typeof cell === "bigint") parts.push(pick(integerForms(cell), choose));
  else if (typeof cell === "number") parts.push(pick(floatForms(cell), choose));
  else if (cell instanceof Timestamp) parts.push(pick(timestampForms(cell), choose));
  else if (typeof cell === "string") {
    const bytes = Buffer.from(cell);
    parts.push(pick(headers(bytes.length, 0xa0, 32, [0xd9, 0xda, 0xdb]), choose), bytes);
  } else if (cell instanceof Map) {
    parts.push(pick(headers(cell.size, 0x80, 16, [null, 0xde, 0xdf]), choose));
    for (const [key, value] of cell) {
      write(key, parts, choose);
      write(value, parts, choose);
    }
  } else {
    const elements = cell as readonly Cell[];
    parts.push(pick(headers(elements.length, 0x90, 16, [null, 0xdc, 0xdd]), choose));
    for (const element of elements) write(element, parts, choose);
  }
}

function pick(forms: Uint8Array[], choose: ChooseWidth): Uint8Array {
  return forms[choose(forms.length)]!;
}

function bytesOf(byteLength: number, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  fill(new DataView(bytes.buffer));
  return bytes;
}

function integerForms(value: bigint): Uint8Array[] {
  const forms: Uint8Array[] = [];
  if (value >= -32n && value < 128n)
    forms.push(bytesOf(1, (view) => view.setInt8(0, Number(value))));
  for (const [power, bits] of [8n, 16n, 32n, 64n].entries()) {
    const isUnsigned = BigInt.asUintN(Number(bits), value) === value;
    const isSigned = BigInt.asIntN(Number(bits), value) === value;
    for (const tag of [isUnsigned ? 0xcc : 0, isSigned ? 0xd0 : 0]) {
      if (tag !== 0) forms.push(wideInteger(tag + power, Number(bits) / 8, value));
    }
  }
  return forms;
}

function wideInteger(tag: number, width: number, value: bigint): Uint8Array {
  const wide = bytesOf(8, (view) => view.setBigUint64(0, BigInt.asUintN(64, value)));
  return Uint8Array.of(tag, ...wide.subarray(8 - width));
}

function floatForms(value: number): Uint8Array[] {
  const double = bytesOf(9, (view) => view.setFloat64(1, value));
  double[0] = 0xcb;
  if (!Object.is(Math.fround(value), value)) return [double];
  const single = bytesOf(5, (view) => view.setFloat32(1, value));
  single[0] = 0xca;
  return [single, double];
}

function timestampForms({ seconds, nanoseconds }: Timestamp): Uint8Array[] {
  const type = 0xff;
  const forms: Uint8Array[] = [];
  if (nanoseconds === 0 && seconds >= 0n && seconds < 2n ** 32n) {
    const content = bytesOf(4, (view) => view.setUint32(0, Number(seconds)));
    forms.push(Uint8Array.of(0xd6, type, ...content), Uint8Array.of(0xc7, 4, type, ...content));
  }
  if (seconds >= 0n && seconds < 2n ** 34n) {
    const packed = (BigInt(nanoseconds) << 34n) | seconds;
    const content = bytesOf(8, (view) => view.setBigUint64(0, packed));
    forms.push(Uint8Array.of(0xd7, type, ...content), Uint8Array.of(0xc8, 0, 8, type, ...content));
  }
  const content = bytesOf(12, (view) => {
    view.setUint32(0, nanoseconds);
    view.setBigInt64(4, seconds);
  });
  forms.push(Uint8Array.of(0xc7, 12, type, ...content));
  forms.push(Uint8Array.of(0xc9, 0, 0, 0, 12, type, ...content));
  return forms;
}

/** The headers that can declare `length`: the short one, then those with 8, 16 and 32 bits. */
function headers(
  length: number,
  shortTag: number,
  shortEnd: number,
  [tag8, tag16, tag32]: readonly [number | null, number, number],
): Uint8Array[] {
  const forms: Uint8Array[] = [];
  if (length < shortEnd) forms.push(Uint8Array.of(shortTag | length));
  if (tag8 !== null && length < 256) forms.push(Uint8Array.of(tag8, length));
  if (length < 65_536) forms.push(Uint8Array.of(tag16, length >> 8, length & 0xff));
  const wide = bytesOf(5, (view) => view.setUint32(1, length));
  wide[0] = tag32;
  forms.push(wide);
  return forms;
}
