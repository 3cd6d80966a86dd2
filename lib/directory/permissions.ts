// Permission × database: what a principal may do. Deny unless something allows.

import { SluiceError } from "#lib/base/errors.ts";
import type { Permission, Principal } from "./types.ts";

/**
 * `admin` includes every permission. `database` null: the action is not about one database. What an
 * admin does then, like making a token, reaches all databases, so it takes a token for all: else an
 * admin of a few could make itself a token for the rest.
 */
export function mayDo(
  principal: Principal,
  permission: Permission,
  database: string | null,
): boolean {
  const { permissions, databases } = principal;
  if (!permissions.includes(permission) && !permissions.includes("admin")) return false;
  if (database !== null) return matchesAny(databases, database);
  return permission !== "admin" || databases.includes("*");
}

/** For what finds out later which database is meant, and demands the permission there. */
export function demandSomewhere({ permissions }: Principal, permission: Permission): void {
  if (!permissions.includes(permission) && !permissions.includes("admin")) {
    throw denied(permission, null);
  }
}

/** Throws `permission_denied` unless the principal may. */
export function demand(
  principal: Principal,
  permission: Permission,
  database: string | null,
): void {
  if (!mayDo(principal, permission, database)) throw denied(permission, database);
}

function denied(required: Permission, database: string | null): SluiceError {
  const where = database === null ? "" : ` on database "${database}"`;
  const message = `Permission denied: ${required} required${where}`;
  return new SluiceError("permission_denied", message, { required, database });
}

/** Compared without regular expressions: a pattern is a user's text. */
export function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => matches(pattern, name));
}

function matches(pattern: string, name: string): boolean {
  const [head = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return pattern === name;
  if (!name.startsWith(head)) return false;
  const tail = rest.pop()!;
  let at = head.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return name.length - tail.length >= at && name.endsWith(tail);
}
