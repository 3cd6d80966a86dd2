// The numbers of the Parquet format that we write, as its parquet.thrift gives them.
// https://github.com/apache/parquet-format

import { TIME_COLUMN } from "#lib/columnar/kinds.ts";
import type { ColumnType } from "#lib/columnar/types.ts";

export const MAGIC = new TextEncoder().encode("PAR1");

const INT64 = 2;
const DOUBLE = 5;
const BOOLEAN = 0;
const BYTE_ARRAY = 6;

/** The physical type that a column is stored as. */
export const PHYSICAL_TYPES: Readonly<Record<ColumnType, number>> = {
  bool: BOOLEAN,
  int64: INT64,
  timestamp: INT64,
  float64: DOUBLE,
  utf8: BYTE_ARRAY,
};

export const REPETITION = { required: 0, optional: 1 } as const;

export const CONVERTED_TYPE = { utf8: 0, timestampMicros: 10 } as const;

export const ENCODING = {
  plain: 0,
  /** The run length / bit packing hybrid: of definition levels here. */
  rle: 3,
  deltaBinaryPacked: 5,
  deltaLengthByteArray: 6,
  rleDictionary: 8,
} as const;

export type Encoding = (typeof ENCODING)[keyof typeof ENCODING];

export const PAGE_TYPE = { data: 0, dictionary: 2 } as const;

export const CODEC_ZSTD = 6;

export const BOUNDARY_ORDER = { unordered: 0, ascending: 1, descending: 2 } as const;

export interface ParquetColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** Never NULL, and said to be so. */
  readonly isRequired: boolean;
}

/**
 * Where rows are sorted by time, `time` is the one column that is never NULL. All others are
 * optional in every file, also where they hold no NULL, so that the files of a table have one
 * schema.
 */
export function parquetColumn(
  { name, type }: { readonly name: string; readonly type: ColumnType },
  isSortedByTime: boolean,
): ParquetColumn {
  return { name, type, isRequired: isSortedByTime && name === TIME_COLUMN };
}
