// One file of a form: as fetch and browsers send it, and forms that are none.

import { describe, expect, test } from "vitest";
import { multipartFile } from "#lib/http/multipart.ts";
import { refusalOf } from "../../helpers/refusal.ts";

const TYPE = "multipart/form-data; boundary=b";
const bytesOf = (text: string) => new TextEncoder().encode(text);
const part = (name: string, content: string) =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;

describe("a form", () => {
  test("of fetch gives its file, byte by byte, among other parts", async () => {
    const content = Uint8Array.from({ length: 5_000 }, (_, i) => i % 256);
    const form = new FormData();
    form.append("other", "x");
    form.append("file", new Blob([content]), 'a "quoted" name.csv');
    form.append("last", "y");
    const request = new Request("http://x/", { method: "POST", body: form });
    const body = await request.bytes();
    const type = request.headers.get("content-type")!;
    expect(multipartFile(body, type, "file")).toEqual(content);
  });

  test("may quote its boundary, begin with an empty line, and hold dashes", () => {
    const body = bytesOf(`\r\n${part("file", "a\r\n--c\r\n--")}--b--\r\n`);
    const file = multipartFile(body, 'multipart/form-data; boundary="b"; x=y', "file");
    expect(new TextDecoder().decode(file)).toBe("a\r\n--c\r\n--");
  });

  test("may have an empty file", () => {
    expect(multipartFile(bytesOf(`${part("file", "")}--b--`), TYPE, "file")).toHaveLength(0);
  });

  test.each<[what: string, body: string, type: string]>([
    ["no boundary", part("file", "x"), "multipart/form-data"],
    ["another boundary", part("file", "x"), "multipart/form-data; boundary=other"],
    ["something in front", `x${part("file", "x")}`, TYPE],
    ["no end", part("file", "x").slice(0, -2), TYPE],
    ["no headers", "--b\r\nfile\r\n", TYPE],
    ["another name", `${part("files", "x")}--b--`, TYPE],
    ["nothing", "", TYPE],
  ])("with %s is refused", (_, body, type) => {
    const refused = refusalOf(() => multipartFile(bytesOf(body), type, "file"));
    expect(refused.code).toBe("parameter_invalid");
  });
});
