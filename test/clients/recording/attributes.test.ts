// What of a JavaScript value is kept as an attribute.

import fc from "fast-check";
import { expect, test } from "vitest";
import { attributesText, plainText } from "../../../clients/recording/attributes.ts";
import { propertyRuns } from "../../helpers/property.ts";

function kept(attributes: Record<string, unknown>): unknown {
  return JSON.parse(attributesText(attributes));
}

test("what JSON can say is kept as it is", () => {
  const value = { a: 1, b: [true, null, "ü 🚀"], c: { d: -0.5 }, "e.f": "" };
  expect(kept(value)).toEqual(value);
});

test("what it cannot say still says something", () => {
  const loop: Record<string, unknown> = {};
  loop["self"] = loop;
  expect(
    kept({
      error: new TypeError("no such column"),
      at: new Date(0),
      big: 2n ** 70n,
      nested: { deep: [1n, new Error("x")] },
      infinite: Infinity,
      missing: undefined,
      call: () => 1,
      loop,
      after: 1,
    }),
  ).toEqual({
    error: "TypeError: no such column",
    at: "1970-01-01T00:00:00.000Z",
    big: "1180591620717411303424",
    nested: { deep: ["1", "Error: x"] },
    infinite: null,
    call: "() => 1",
    loop: "[object Object]",
    after: 1,
  });
});

test("zero bytes and halves of surrogate pairs are replaced, in keys and values, at any depth", () => {
  const bad = "a\0b\uD800c";
  const good = "a\uFFFDb\uFFFDc";
  expect(plainText(bad)).toBe(good);
  expect(kept({ [bad]: { [bad]: [bad] }, "\\u0000": "\\ud800" })).toEqual({
    [good]: { [good]: [good] },
    "\\u0000": "\\ud800",
  });
});

test("the text is valid and well-formed JSON of an object, whatever the values are", () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string({ unit: "binary" }),
        fc.anything({ withBigInt: true, withDate: true }),
      ),
      (attributes) => {
        const text = attributesText(attributes);
        expect(text.isWellFormed()).toBe(true);
        expect(text.startsWith("{")).toBe(true);
        expect(JSON.stringify(JSON.parse(text))).not.toMatch(
          /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/,
        );
      },
    ),
    propertyRuns(300),
  );
});
