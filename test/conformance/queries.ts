// The queries as they stand in queries/*.sql. Above each is a comment with its name and, where it
// matters, how to compare: `-- name`, `-- name, in order` (the rows' order is part of the answer),
// `-- name, refused` (both engines must say no).
//
// The documents' own queries (scripts/demo/sql) are among them, with the clock stopped, and for
// the native engine with `time + duration_ms` written out.

import { readdirSync, readFileSync } from "node:fs";
import { CLOCK_MS } from "./data.ts";

export interface Query {
  /** Topic and name: `windows/running-sum`. */
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly sql: string;
  readonly nativeSql: string;
  readonly isOrdered: boolean;
  readonly isRefused: boolean;
}

const FOLDER = "test/conformance/queries";
const DOCUMENTS = "scripts/demo/sql";
/** A line like `-- running-sum, in order` at the beginning of a query. */
const HEAD = /^-- ([a-z0-9-]+)(, in order|, refused)?$/m;

export function readQueries(): Query[] {
  const topics = readdirSync(FOLDER).toSorted();
  return [...topics.flatMap(queriesOfTopic), ...queriesOfDocuments()];
}

function queriesOfTopic(fileName: string): Query[] {
  const file = `${FOLDER}/${fileName}`;
  const parts = readFileSync(file, "utf8").split(HEAD).slice(1);
  return Array.from({ length: parts.length / 3 }, (_, at) => {
    const [name, how, text] = parts.slice(at * 3, at * 3 + 3) as [string, string?, string?];
    const sql = text!.trim();
    return {
      name: `${fileName.replace(".sql", "")}/${name}`,
      file,
      sql,
      nativeSql: sql,
      isOrdered: how === ", in order",
      isRefused: how === ", refused",
    };
  });
}

function queriesOfDocuments(): Query[] {
  const clock = `TIMESTAMP '${new Date(CLOCK_MS).toISOString().slice(0, 19)}'`;
  const files = readdirSync(DOCUMENTS).toSorted();
  return files.map((fileName) => {
    const file = `${DOCUMENTS}/${fileName}`;
    const sql = readFileSync(file, "utf8")
      .replaceAll(/\bnow\(\)/gi, clock)
      .trim();
    return {
      name: `documents/${fileName.replace(".sql", "")}`,
      file,
      sql,
      nativeSql: sql.replaceAll("e.duration_ms", "to_milliseconds(e.duration_ms)"),
      isOrdered: false,
      isRefused: false,
    };
  });
}
