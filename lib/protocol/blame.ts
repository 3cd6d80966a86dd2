// Whose fault is it that the table does not take a batch? The schema knows columns and kinds of
// values; the client is told items or lines.

import { type ErrorCode, SluiceError } from "#lib/base/errors.ts";
import { KIND, VALUE_KINDS } from "#lib/columnar/kinds.ts";
import { atPlace, type GatheredBatch, type PlaceNoun, type Rejections } from "./gather.ts";
import { MessagePackReader } from "./msgpack-reader.ts";
import { KIND_OF_TAG } from "./msgpack-tags.ts";
import { walkBatch } from "./walk-batch.ts";

/** Refusals by the schema; `schema_too_wide` blames all, the others who has a value there. */
const OF_COLUMNS: ReadonlySet<ErrorCode> = new Set(["column_type_conflict", "column_name_invalid"]);

/** `refused` as an error of every item or line that caused it, at least one. */
export function blame(batch: GatheredBatch, refused: SluiceError, noun: PlaceNoun): Rejections {
  const rows = OF_COLUMNS.has(refused.code) ? rowsWithValue(batch, refused) : [];
  const places = rows.length === 0 ? batch.places : rows.map((row) => batch.places[row]!);
  const error = withoutRow(refused);
  return new Map(places.map((place) => [place, atPlace(noun, place, error)]));
}

/** Rows whose cell in the column is of the kind that was found, or of any where none is named. */
function rowsWithValue({ bytes }: GatheredBatch, { detail }: SluiceError): number[] {
  const kind = VALUE_KINDS.find((known) => known === detail["found"]);
  const kinds = kind === undefined ? 0xff : KIND[kind];
  const reader = new MessagePackReader(bytes);
  const rows: number[] = [];
  walkBatch(reader, (name, rowCount) => {
    if (name !== detail["column"]) return reader.skip(rowCount);
    for (let row = 0; row < rowCount; row++) {
      if ((KIND_OF_TAG[reader.tag()] & kinds) !== 0) rows.push(row);
      reader.skip(1);
    }
  });
  return rows;
}

/** The row is one of the gathered batch, which the client has never seen. */
function withoutRow({ code, message, detail }: SluiceError): SluiceError {
  const { row: _, ...rest } = detail;
  if (code !== "column_type_conflict") return new SluiceError(code, message, rest);
  const { column, expected, found } = rest;
  const reason = `column ${JSON.stringify(column)} is ${expected} in this table, not ${found}`;
  return new SluiceError(code, reason, rest);
}
