// Reading FlatBuffers (google/flatbuffers, "internals"), as far as Arrow's message headers need it.

export class Table {
  readonly #view: DataView;
  readonly #at: number;

  private constructor(view: DataView, at: number) {
    this.#view = view;
    this.#at = at;
  }

  static root(bytes: Uint8Array): Table {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new Table(view, view.getUint32(0, true));
  }

  uint8(field: number, absent = 0): number {
    const at = this.#locate(field);
    return at === 0 ? absent : this.#view.getUint8(at);
  }

  int16(field: number, absent = 0): number {
    const at = this.#locate(field);
    return at === 0 ? absent : this.#view.getInt16(at, true);
  }

  int32(field: number, absent = 0): number {
    const at = this.#locate(field);
    return at === 0 ? absent : this.#view.getInt32(at, true);
  }

  int64(field: number): number {
    const at = this.#locate(field);
    return at === 0 ? 0 : Number(this.#view.getBigInt64(at, true));
  }

  text(field: number): string {
    const at = this.#locate(field);
    if (at === 0) return "";
    const start = at + this.#view.getUint32(at, true);
    const length = this.#view.getUint32(start, true);
    const { buffer, byteOffset } = this.#view;
    return new TextDecoder().decode(new Uint8Array(buffer, byteOffset + start + 4, length));
  }

  table(field: number): Table | null {
    const at = this.#locate(field);
    return at === 0 ? null : this.#follow(at);
  }

  tables(field: number): Table[] {
    const { start, length } = this.#vector(field);
    return Array.from({ length }, (_, index) => this.#follow(start + index * 4));
  }

  /** A vector of structs that are pairs of int64. */
  pairs(field: number): { readonly first: number; readonly second: number }[] {
    const { start, length } = this.#vector(field);
    return Array.from({ length }, (_, index) => ({
      first: Number(this.#view.getBigInt64(start + index * 16, true)),
      second: Number(this.#view.getBigInt64(start + index * 16 + 8, true)),
    }));
  }

  #vector(field: number): { start: number; length: number } {
    const at = this.#locate(field);
    if (at === 0) return { start: 0, length: 0 };
    const start = at + this.#view.getUint32(at, true);
    return { start: start + 4, length: this.#view.getUint32(start, true) };
  }

  #follow(at: number): Table {
    return new Table(this.#view, at + this.#view.getUint32(at, true));
  }

  /** 0 when the field is absent. */
  #locate(field: number): number {
    const vtable = this.#at - this.#view.getInt32(this.#at, true);
    const slot = 4 + field * 2;
    if (slot >= this.#view.getUint16(vtable, true)) return 0;
    const offset = this.#view.getUint16(vtable + slot, true);
    return offset === 0 ? 0 : this.#at + offset;
  }
}
