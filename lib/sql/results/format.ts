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

/**
 * `named` is the request's own word, which counts before `accept`; null is none. JSON when neither
 * says.
 */
export function chooseFormat(named: unknown, accept: string | null): ResultFormat {
  if (named !== undefined && named !== null) {
    if (typeof named === "string" && FORMATS.has(named)) return named as ResultFormat;
    const expected = [...FORMATS].join(", ");
    const message = `"format" must be one of ${expected}`;
    throw new SluiceError("parameter_invalid", message, { field: "format", expected });
  }
  const ranges = (accept ?? "").split(",").map(acceptedOf);
  const liked = ranges.filter(({ format, weight }) => format !== undefined && weight > 0);
  // Sorting is stable: of equal weight, the first.
  const [best] = liked.toSorted((a, b) => b.weight - a.weight);
  return best?.format ?? "json";
}

/** One range of `Accept` (RFC 9110, 12.5.1). A weight that is none counts as 1. */
function acceptedOf(range: string): { format: ResultFormat | undefined; weight: number } {
  const [mediaType, ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  return {
    format: FORMAT_OF_MEDIA_TYPE[mediaType!],
    weight: /^[01](?:\.\d{0,3})?$/.test(weight ?? "") ? Number(weight) : 1,
  };
}
