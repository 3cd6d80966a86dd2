// The formats of results, and which one a request asks for.

import { SluiceError } from "#lib/base/errors.ts";
import { ArrowResult } from "./arrow.ts";
import { CsvResult } from "./csv.ts";
import { JsonResult } from "./json.ts";
import { MsgpackResult } from "./msgpack.ts";
import { NdjsonResult } from "./ndjson.ts";
import { ParquetResult } from "./parquet.ts";
import type { ResultWriter } from "./writer.ts";

export type ResultFormat = "json" | "ndjson" | "csv" | "arrow" | "parquet" | "msgpack";

export interface ResultOptions {
  readonly format: ResultFormat;
  /** True: integers of 64 bits and more are strings where the format is JSON. */
  readonly areLongsQuoted: boolean;
  /** True: the cost stands in the answer as `profile`, where the format has a place for it. */
  readonly hasProfile: boolean;
}

export function resultWriter({ format, areLongsQuoted, hasProfile }: ResultOptions): ResultWriter {
  switch (format) {
    case "json":
      return new JsonResult({ areLongsQuoted, hasProfile });
    case "ndjson":
      return new NdjsonResult(areLongsQuoted);
    case "csv":
      return new CsvResult();
    case "arrow":
      return new ArrowResult();
    case "parquet":
      return new ParquetResult();
    case "msgpack":
      return new MsgpackResult(hasProfile);
  }
}

const FORMAT_OF_MEDIA_TYPE: Readonly<Record<string, ResultFormat>> = {
  "application/json": "json",
  "application/x-ndjson": "ndjson",
  "application/ndjson": "ndjson",
  "application/jsonl": "ndjson",
  "text/csv": "csv",
  "application/vnd.apache.arrow.stream": "arrow",
  "application/vnd.apache.parquet": "parquet",
  "application/x-parquet": "parquet",
  "application/msgpack": "msgpack",
  "application/x-msgpack": "msgpack",
  "application/vnd.msgpack": "msgpack",
};

const FORMATS = new Set<string>(Object.values(FORMAT_OF_MEDIA_TYPE));

/** `named` is the request's own word, which counts before `accept`. JSON when neither says. */
export function chooseFormat(named: unknown, accept: string | null): ResultFormat {
  if (named !== undefined) {
    if (typeof named === "string" && FORMATS.has(named)) return named as ResultFormat;
    const expected = [...FORMATS].join(", ");
    const message = `"format" must be one of ${expected}`;
    throw new SluiceError("parameter_invalid", message, { field: "format", expected });
  }
  for (const range of (accept ?? "").split(",")) {
    const [mediaType] = range.split(";");
    const format = FORMAT_OF_MEDIA_TYPE[mediaType!.trim().toLowerCase()];
    if (format !== undefined) return format;
  }
  return "json";
}
