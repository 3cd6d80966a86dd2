import fc from "fast-check";
import { expect, test } from "vitest";
import { parseExactJson, surveyJson } from "#lib/events/exact-json.ts";
import { propertyRuns } from "../../helpers/property.ts";

/** Numbers as JSON may have them, most of them with more digits than a double holds. */
const digits = (maxLength: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength }).map((all) => all.join(""));
const numberText = fc
  .tuple(
    fc.constantFrom("", "-"),
    digits(25).map((text) => text.replace(/^0+(?=\d)/, "")),
    fc.option(digits(25), { nil: null }),
    fc.option(fc.tuple(fc.constantFrom("e", "E", "e+", "E-"), digits(3)), { nil: null }),
  )
  .map(([sign, whole, part, power]) =>
    [sign, whole, part === null ? "" : `.${part}`, ...(power ?? [])].join(""),
  );
/** Texts that look like the numbers and brackets that are looked for outside of them. */
const textText = fc
  .oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[-"\\[\]{},.0-9eE]*$/))
  .map((text) => JSON.stringify(text));

const { value: jsonText } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    fc.constantFrom("null", "true", "false"),
    numberText,
    textText,
    fc.array(tie("value"), { maxLength: 5 }).map((items) => `[${items.join(",")}]`),
    fc
      // V8 13.6, of Node 24, takes a key of one escaped character for another such key; workerd's
      // does not.
      .dictionary(fc.stringMatching(/^[a-z][a-z"\\[{]{0,3}$/), tie("value"), { maxKeys: 4 })
      .map((fields) => {
        const all = Object.entries(fields).map(([name, text]) => `${JSON.stringify(name)}:${text}`);
        return `{${all.join(",")}}`;
      }),
  ),
}));

test("whatever JSON is parsed is written again as it was", () => {
  const property = fc.property(jsonText, (text) => {
    expect(JSON.stringify(parseExactJson(text, surveyJson(text)))).toBe(text);
  });
  fc.assert(property, propertyRuns(1_000));
});

test("space around numbers and brackets changes nothing", () => {
  const text = ' [ 1.10 , { "a" : [ -0\n] , "b" : "]\\"[" } ,\t123456789.123456789 ] ';
  const survey = surveyJson(text);
  expect(survey).toEqual({ depth: 3, item: 1, isPlain: false });
  expect(JSON.stringify(parseExactJson(text, survey))).toBe(
    '[1.10,{"a":[-0],"b":"]\\"["},123456789.123456789]',
  );
});

test("the depth of any JSON is found, and whether its numbers are plain", () => {
  const property = fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
    const survey = surveyJson(JSON.stringify(value, null, 1));
    expect([survey.depth, survey.isPlain]).toEqual([depthOf(value), true]);
  });
  fc.assert(property, propertyRuns(500));
});

test.each(["[1,2", '"a', "{]", "--1", "1 2", "[01]", "1.e5", ""])("%s is refused", (text) => {
  expect(() => parseExactJson(text, surveyJson(text))).toThrow(SyntaxError);
});

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
