// Columns of values in memory: the decoder builds them, the sorter permutes them, and Parquet is
// written from them.
//
// No JavaScript value is made per cell. A column is one or two typed arrays; a text column is codes
// into a heap of byte strings, so that sorting and slicing move four bytes per row and no text.

export type ColumnType = "int64" | "float64" | "utf8" | "bool" | "timestamp";

interface ColumnCommon {
  readonly name: string;
  readonly rowCount: number;
  /** One byte per row, 1 = a value, 0 = NULL, whose slot then holds anything. null: no NULLs. */
  readonly validity: Uint8Array | null;
}

/** int64, or µs UTC: two 32-bit words per row, low word first (the memory of a BigInt64Array). */
export interface Int64Column extends ColumnCommon {
  readonly type: "int64" | "timestamp";
  readonly words: Int32Array;
}

export interface Float64Column extends ColumnCommon {
  readonly type: "float64";
  readonly values: Float64Array;
}

/** One byte per row, 0 or 1. */
export interface BoolColumn extends ColumnCommon {
  readonly type: "bool";
  readonly values: Uint8Array;
}

export interface Utf8Column extends ColumnCommon {
  readonly type: "utf8";
  /** Per row the number of its entry in the heap. */
  readonly codes: Int32Array;
  readonly heap: TextHeap;
}

/** Entry i is `bytes[offsets[i] .. offsets[i + 1])`, valid UTF-8. */
export interface TextHeap {
  readonly entryCount: number;
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
  /** True when no two entries are equal, so that the heap can serve as a dictionary. */
  readonly isDistinct: boolean;
}

export type Column = Int64Column | Float64Column | BoolColumn | Utf8Column;

/**
 * Columns of equal length. Arrays may be longer than `rowCount`; what lies behind is no content.
 */
export interface ColumnTable {
  readonly rowCount: number;
  readonly columns: readonly Column[];
}
