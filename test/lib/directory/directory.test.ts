import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { isRefusal } from "#lib/base/errors.ts";
import { DatabaseDrops } from "#lib/directory/database-drops.ts";
import { DirectoryCore } from "#lib/directory/directory.ts";
import { checkDatabaseName } from "#lib/directory/names.ts";
import { matchesAny, mayDo } from "#lib/directory/permissions.ts";
import { digestOf, isSameDigest, parseToken } from "#lib/directory/token.ts";
import type { NewToken } from "#lib/directory/types.ts";
import { ManualAlarm, ManualClock, MemorySqlStore } from "../../helpers/memory-world.ts";

let directory: DirectoryCore;

beforeEach(() => {
  const ports = { store: new MemorySqlStore(), clock: new ManualClock(), randomBytes };
  const work = async () => {};
  const steps = { closeBuffer: work, emptyBuffer: work, eraseRecords: work, removeObjects: work };
  const alarm = new ManualAlarm();
  const told = { archive: () => {}, report: () => {} };
  const drops = new DatabaseDrops({ ...ports, ...steps, ...told, alarm });
  directory = new DirectoryCore(ports, drops);
});

function create(overrides: Partial<NewToken> = {}) {
  const answer = directory.createToken({
    name: "n",
    description: "",
    permissions: ["read"],
    databases: ["*"],
    expiresMs: null,
    ...overrides,
  });
  if (isRefusal(answer)) throw new Error(answer.message);
  return answer;
}

describe("databases", () => {
  test("are made once, however often", () => {
    const first = directory.ensureDatabase("events", 1);
    expect(directory.ensureDatabase("events", 4)).toEqual(first);
    expect(directory.listDatabases()).toEqual([first]);
  });

  test.each(["", "1a", "a b", "a/b", "..", "a".repeat(65), "é", "a\0", "system", "internal"])(
    "may not be named %j",
    (name) => expect(() => checkDatabaseName(name)).toThrow(/database name/),
  );

  test.each(["a", "A", "a_b-c", "a".repeat(64)])("may be named %j", (name) => {
    expect(checkDatabaseName(name)).toBe(name);
  });
});

describe("tokens", () => {
  test("prove themselves by a secret that is stored only as a digest", () => {
    const { text, token } = create();
    const { tokenId, secret } = parseToken(text)!;
    expect(tokenId).toBe(token.tokenId);
    const stored = directory.findToken(tokenId)!;
    expect(isSameDigest(digestOf(secret), stored.digest)).toBe(true);
    expect(JSON.stringify([stored, directory.listTokens()])).not.toContain(secret);
    expect(JSON.stringify(directory.listTokens())).not.toContain(stored.digest);
  });

  test("lose their old secret when rotated", () => {
    const { text, token } = create();
    const rotated = directory.rotateToken(token.tokenId);
    if (isRefusal(rotated)) throw new Error(rotated.message);
    const { digest } = directory.findToken(token.tokenId)!;
    expect(isSameDigest(digestOf(parseToken(text)!.secret), digest)).toBe(false);
    expect(isSameDigest(digestOf(parseToken(rotated.text)!.secret), digest)).toBe(true);
  });

  test("are disabled when revoked, and gone when deleted; ids are not used again", () => {
    const { token } = create();
    expect(directory.revokeToken(token.tokenId)).toBeNull();
    expect(directory.findToken(token.tokenId)).toMatchObject({ isEnabled: false });
    expect(directory.deleteToken(token.tokenId)).toBeNull();
    expect(directory.findToken(token.tokenId)).toBeNull();
    expect(directory.deleteToken(token.tokenId)).toMatchObject({ refused: "token_id_unknown" });
    expect(create().token.tokenId).toBeGreaterThan(token.tokenId);
  });

  test("have names of their own", () => {
    create({ name: "twice" });
    expect(() => create({ name: "twice" })).toThrow("exists already");
  });

  test.each([
    "",
    "sluice_1_",
    "sluice_x_" + "a".repeat(43),
    "Bearer x",
    "sluice_1_" + "a".repeat(44),
  ])("are not texts like %j", (text) => expect(parseToken(text)).toBeNull());
});

describe("permissions", () => {
  test("are denied unless the token has them for that database", () => {
    const reader = { tokenId: 1, name: "r", permissions: ["read"], databases: ["prod_*"] } as const;
    expect(mayDo(reader, "read", "prod_eu")).toBe(true);
    expect(mayDo(reader, "read", "staging")).toBe(false);
    expect(mayDo(reader, "write", "prod_eu")).toBe(false);
    expect(mayDo(reader, "admin", null)).toBe(false);
  });

  test("include everything for admin, within its databases", () => {
    const admin = { tokenId: 1, name: "a", permissions: ["admin"], databases: ["prod"] } as const;
    expect(mayDo(admin, "delete", "prod")).toBe(true);
    expect(mayDo(admin, "read", "other")).toBe(false);
    expect(mayDo(admin, "admin", null)).toBe(false);
    expect(mayDo({ ...admin, databases: ["prod", "*"] }, "admin", null)).toBe(true);
  });

  test.each([
    ["*", "anything", true],
    ["a*", "a", true],
    ["a*", "ba", false],
    ["*a", "ba", true],
    ["a*a", "a", false],
    ["a*a", "aa", true],
    ["a*b*c", "a-b-c", true],
    ["a*b*c", "a-c-b", false],
    ["a.c", "abc", false],
    ["abc", "abcd", false],
    ["", "a", false],
  ])("pattern %j for %j: %s", (pattern, name, expected) => {
    expect(matchesAny([pattern], name)).toBe(expected);
  });
});
