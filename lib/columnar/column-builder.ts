// Columns that grow batch by batch, one builder per type.
//
// A builder lends its array: the decoder reserves rows, writes them behind `rowCount` in a loop of
// its own, and then advances. So nothing is called per cell, and no value passes through an object.

import type { BoolColumn, ColumnType, Float64Column, Int64Column } from "./types.ts";
import { growBuffer } from "./growth.ts";
import { Utf8Builder } from "./utf8-builder.ts";
import { Validity } from "./validity.ts";

export type ColumnBuilder = Int64Builder | Float64Builder | BoolBuilder | Utf8Builder;

export interface ColumnToBuild {
  readonly name: string;
  readonly type: ColumnType;
  /** Of utf8: false where texts are known not to repeat, so that looking for repeats is idle. */
  readonly repeats?: boolean;
}

/** With room for `rowCapacity` rows; more may come. */
export function newColumnBuilder(
  { name, type, repeats }: ColumnToBuild,
  rowCapacity: number,
): ColumnBuilder {
  switch (type) {
    case "int64":
    case "timestamp":
      return new Int64Builder(name, type, rowCapacity);
    case "float64":
      return new Float64Builder(name, rowCapacity);
    case "bool":
      return new BoolBuilder(name, rowCapacity);
    case "utf8":
      return new Utf8Builder(name, rowCapacity, repeats);
  }
}

/** Appends rows that are NULL. */
export function appendNulls(builder: ColumnBuilder, count: number): void {
  builder.reserve(count);
  builder.validity.markNulls(builder.rowCount, builder.rowCount + count);
  builder.rowCount += count;
}

export class Int64Builder {
  readonly name: string;
  readonly type: "int64" | "timestamp";
  readonly validity = new Validity();
  rowCount = 0;
  /** Two per row, low word first. */
  words: Int32Array<ArrayBuffer>;

  constructor(name: string, type: "int64" | "timestamp", rowCapacity: number) {
    this.name = name;
    this.type = type;
    this.words = new Int32Array(2 * rowCapacity);
  }

  reserve(count: number): void {
    const byteLength = 8 * (this.rowCount + count);
    if (byteLength <= this.words.byteLength) return;
    this.words = new Int32Array(growBuffer(this.words.buffer, byteLength));
  }

  finish(): Int64Column {
    const { name, type, rowCount, words } = this;
    return { name, type, rowCount, validity: this.validity.finish(rowCount), words };
  }
}

export class Float64Builder {
  readonly name: string;
  readonly type = "float64";
  readonly validity = new Validity();
  rowCount = 0;
  values: Float64Array<ArrayBuffer>;

  constructor(name: string, rowCapacity: number) {
    this.name = name;
    this.values = new Float64Array(rowCapacity);
  }

  reserve(count: number): void {
    const byteLength = 8 * (this.rowCount + count);
    if (byteLength <= this.values.byteLength) return;
    this.values = new Float64Array(growBuffer(this.values.buffer, byteLength));
  }

  finish(): Float64Column {
    const { name, type, rowCount, values } = this;
    return { name, type, rowCount, validity: this.validity.finish(rowCount), values };
  }
}

export class BoolBuilder {
  readonly name: string;
  readonly type = "bool";
  readonly validity = new Validity();
  rowCount = 0;
  /** One byte per row, 0 or 1. */
  values: Uint8Array<ArrayBuffer>;

  constructor(name: string, rowCapacity: number) {
    this.name = name;
    this.values = new Uint8Array(rowCapacity);
  }

  reserve(count: number): void {
    const byteLength = this.rowCount + count;
    if (byteLength <= this.values.byteLength) return;
    this.values = new Uint8Array(growBuffer(this.values.buffer, byteLength));
  }

  finish(): BoolColumn {
    const { name, type, rowCount, values } = this;
    return { name, type, rowCount, validity: this.validity.finish(rowCount), values };
  }
}
