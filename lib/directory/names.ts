// Names that users choose. They appear in SQL and in answers, never in an object's key.

import { SluiceError } from "#lib/base/errors.ts";

const DATABASE = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const RESERVED = new Set(["system", "internal", "_internal", "information_schema", "pg_catalog"]);

export const DEFAULT_DATABASE = "default";

/** Returns the name, or throws `name_invalid`. */
export function checkDatabaseName(name: string): string {
  if (!DATABASE.test(name)) {
    const message =
      "invalid database name: must start with a letter and contain only alphanumeric characters, " +
      "underscores, or hyphens (max 64 characters)";
    throw new SluiceError("name_invalid", message, { database: name.slice(0, 100) });
  }
  if (RESERVED.has(name.toLowerCase())) {
    throw new SluiceError("name_invalid", `database name "${name}" is reserved`, {
      database: name,
    });
  }
  return name;
}

export function unknownDatabase(name: string): SluiceError {
  return new SluiceError("database_unknown", `Database '${name}' not found`, { database: name });
}
