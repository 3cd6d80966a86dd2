// What one batch says of one of its columns, before any table is asked.
//
// The scan of a batch gathers it and the catalog's rules judge it, so that a batch is refused with
// the row at fault without being read a second time. Plain data: it crosses RPC as it is.

/** Kinds of values as they are written in a batch, one bit each. NULL has none. */
export const KIND = {
  int: 1,
  float: 2,
  text: 4,
  bool: 8,
  timestamp: 16,
  /** A map or an array inside a cell. */
  nested: 32,
} as const;

export type ValueKind = keyof typeof KIND;

export const VALUE_KINDS = Object.keys(KIND) as readonly ValueKind[];

export interface ScannedColumn {
  readonly name: string;
  readonly nullCount: number;
  /** Bits of KIND, of all kinds seen; 0 when every cell is NULL. */
  readonly kinds: number;
  /** Of each kind seen, the first row that has it. */
  readonly firstRows: Readonly<Partial<Record<ValueKind, number>>>;
}

/** The column that holds the time of the event; every table has it. */
export const TIME_COLUMN = "time";
