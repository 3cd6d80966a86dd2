import { expect, test } from "vitest";
import { quoteDefaultDatabase } from "#lib/sql/default-database.ts";

test.each([
  ["FROM default.cpu", 'FROM "default".cpu'],
  ["SELECT * FROM Default . cpu, default.mem", 'SELECT * FROM "Default" . cpu, "default".mem'],
  ['FROM "default".cpu', 'FROM "default".cpu'],
  ["SELECT 'default.cpu', '''default.x' FROM t", "SELECT 'default.cpu', '''default.x' FROM t"],
  ["SELECT $$default.cpu$$, $a$default.x$a$", "SELECT $$default.cpu$$, $a$default.x$a$"],
  ["SELECT 'a\\' AS p, 'default.x'", "SELECT 'a\\' AS p, 'default.x'"],
  ["SELECT E'a\\' default.x', 1", "SELECT E'a\\' default.x', 1"],
  ["-- default.cpu\nFROM t /* default.x */", "-- default.cpu\nFROM t /* default.x */"],
  ["FROM my_default.cpu, defaults.x", "FROM my_default.cpu, defaults.x"],
  ["SELECT default, 1.5 FROM t", "SELECT default, 1.5 FROM t"],
  ["SELECT 'open default.cpu", 'SELECT \'open "default".cpu'],
])("%s", (sql, quoted) => {
  expect(quoteDefaultDatabase(sql)).toBe(quoted);
});
