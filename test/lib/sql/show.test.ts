// SHOW by its words: in every spelling, and nothing that only looks like it.

import { describe, expect, test } from "vitest";
import { parseShow } from "#lib/sql/show.ts";

describe("SHOW", () => {
  test.each([
    "SHOW DATABASES",
    "show databases;",
    "  Show\n\tDatabases ; ; ",
    "-- what is there?\nSHOW /* all */ DATABASES -- please",
  ])("databases: %j", (sql) => expect(parseShow(sql)).toEqual({ kind: "databases" }));

  test.each([
    ["SHOW TABLES", null],
    ["SHOW MEASUREMENTS;", null],
    ["SHOW TABLES FROM events", "events"],
    ["show measurements from my-db", "my-db"],
    ['SHOW TABLES FROM "events";', "events"],
    ["SHOW TABLES FROM 'events'", "events"],
    ["SHOW TABLES FROM `events`", "events"],
  ])("tables: %j", (sql, database) => expect(parseShow(sql)).toEqual({ kind: "tables", database }));

  test.each([
    "",
    "SELECT 1",
    "SHOW",
    "SHOW ALL",
    "SHOW TABLES events",
    "SHOW TABLES FROM",
    "SHOW TABLES FROM a b",
    "SHOW TABLES FROM a.b",
    "SHOW TABLES; SELECT 1",
    "SHOW DATABASES FROM x",
    "SHOW TABLES WHERE 1 = 1",
    "/* SHOW TABLES",
    "SELECT 'SHOW TABLES'",
  ])("is not %j", (sql) => expect(parseShow(sql)).toBeNull());
});
