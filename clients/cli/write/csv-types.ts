// Fields of CSV to values: a column is what all its fields are, so far.

import type { FileRow } from "./rows.ts";

type FieldType = "integer" | "float" | "bool" | "text";

const INTEGER = /^-?(?:0|[1-9]\d{0,17})$/;
const FLOAT = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const BOOL = /^(?:true|false)$/i;

/**
 * Goes through a file chunk by chunk. Integers become floats when a fraction comes, anything
 * becomes text when text comes; what was text stays text. Numbers with leading zeros are text.
 */
export class CsvTypes {
  readonly #types = new Map<string, FieldType>();

  convert(rows: readonly FileRow[]): FileRow[] {
    for (const row of rows) {
      for (const [name, field] of Object.entries(row)) {
        if (field === null) continue;
        this.#types.set(name, join(this.#types.get(name), typeOf(field as string)));
      }
    }
    return rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, field]) => [
          name,
          this.#value(name, field as string | null),
        ]),
      ),
    );
  }

  #value(name: string, field: string | null): string | number | bigint | boolean | null {
    if (field === null) return null;
    switch (this.#types.get(name)!) {
      case "integer":
        return Number.isSafeInteger(Number(field)) ? Number(field) : BigInt(field);
      case "float":
        return Number(field);
      case "bool":
        return field.toLowerCase() === "true";
      case "text":
        return field;
    }
  }
}

function typeOf(field: string): FieldType {
  if (INTEGER.test(field)) return "integer";
  if (FLOAT.test(field)) return "float";
  return BOOL.test(field) ? "bool" : "text";
}

function join(known: FieldType | undefined, found: FieldType): FieldType {
  if (known === undefined || known === found) return found;
  const areNumbers = known !== "bool" && known !== "text" && found !== "bool" && found !== "text";
  return areNumbers ? "float" : "text";
}
