// FlatBuffers, as far as an Arrow schema needs them. Writing only.
//
// The usual builders write from the end backwards. Here a parent stands before its children and its
// references are filled in once the children are written, which the format allows and reads top
// down.
// https://flatbuffers.dev/internals

/** A number (a scalar of at most 32 bits), a reference, or null for a field left at its default. */
export type TableField = number | FlatNode | null;

export type FlatNode =
  | { readonly table: readonly TableField[] }
  | { readonly vector: readonly FlatNode[] }
  | { readonly text: string };

const WORD = 4;

export function flatbufferBytes(root: FlatNode): Uint8Array {
  const out = new FlatWriter();
  const rootAt = out.reference();
  out.point(rootAt, out.node(root));
  return out.bytes();
}

class FlatWriter {
  readonly #bytes: number[] = [];

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  /** Room for a reference, to be filled in by `point`. */
  reference(): number {
    return this.#uint32(0);
  }

  point(referenceAt: number, targetAt: number): void {
    this.#patchUint32(referenceAt, targetAt - referenceAt);
  }

  /** Gives where the node begins. */
  node(node: FlatNode): number {
    if ("table" in node) return this.#table(node.table);
    if ("vector" in node) return this.#vector(node.vector);
    return this.#text(node.text);
  }

  /**
   * First the vtable, which says where in the table each field is; then the table, a word per
   * field.
   */
  #table(fields: readonly TableField[]): number {
    this.#align();
    const vtableAt = this.#bytes.length;
    this.#uint16(2 * (2 + fields.length));
    this.#uint16(WORD * (1 + fields.length));
    fields.forEach((field, i) => this.#uint16(field === null ? 0 : WORD * (1 + i)));
    this.#align();

    const tableAt = this.#bytes.length;
    this.#uint32(tableAt - vtableAt);
    const fieldsAt = fields.map((field) => this.#uint32(typeof field === "number" ? field : 0));
    fields.forEach((field, i) => {
      if (field !== null && typeof field === "object") this.point(fieldsAt[i], this.node(field));
    });
    return tableAt;
  }

  #vector(items: readonly FlatNode[]): number {
    this.#align();
    const vectorAt = this.#uint32(items.length);
    const itemsAt = items.map(() => this.reference());
    items.forEach((item, i) => this.point(itemsAt[i], this.node(item)));
    return vectorAt;
  }

  #text(text: string): number {
    this.#align();
    const utf8 = new TextEncoder().encode(text);
    const textAt = this.#uint32(utf8.length);
    for (const byte of utf8) this.#bytes.push(byte);
    this.#bytes.push(0);
    return textAt;
  }

  #align(): void {
    while (this.#bytes.length % WORD !== 0) this.#bytes.push(0);
  }

  #uint16(value: number): void {
    this.#bytes.push(value & 0xff, value >>> 8);
  }

  #uint32(value: number): number {
    const at = this.#bytes.length;
    this.#bytes.push(0, 0, 0, 0);
    this.#patchUint32(at, value);
    return at;
  }

  #patchUint32(at: number, value: number): void {
    for (let i = 0; i < WORD; i++) this.#bytes[at + i] = (value >>> (8 * i)) & 0xff;
  }
}
