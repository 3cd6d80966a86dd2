// One file of a form: as fetch and browsers send it, and forms that are none.

import { describe, expect, test } from "vitest";
import { multipartFile, multipartFileChunks } from "#lib/http/multipart.ts";
import { chunksOf, joined } from "../../helpers/chunks.ts";
import { refusalOf } from "../../helpers/refusal.ts";

const TYPE = "multipart/form-data; boundary=b";
const bytesOf = (text: string) => new TextEncoder().encode(text);
const SIZES = [1, 2, 3, 5, 7, 11, 64, 1e9];
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
    for (const size of SIZES) {
      const chunks = multipartFileChunks(chunksOf(body, [size]), type, "file");
      expect(Buffer.compare(await joined(chunks), content)).toBe(0);
    }
  });

  test("may quote its boundary, begin with an empty line, and hold dashes", async () => {
    const body = bytesOf(`\r\n${part("file", "a\r\n--c\r\n--")}--b--\r\n`);
    const type = 'multipart/form-data; boundary="b"; x=y';
    const file = multipartFile(body, type, "file");
    expect(new TextDecoder().decode(file)).toBe("a\r\n--c\r\n--");
    for (const size of SIZES) {
      const chunks = multipartFileChunks(chunksOf(body, [size]), type, "file");
      expect(await joined(chunks)).toEqual(file);
    }
  });

  test("may have an empty file, or one in front", async () => {
    const body = bytesOf(`${part("other", "")}${part("file", "")}--b--`);
    expect(multipartFile(body, TYPE, "file")).toHaveLength(0);
    for (const size of SIZES) {
      const chunks = multipartFileChunks(chunksOf(body, [size]), TYPE, "file");
      expect(await joined(chunks)).toHaveLength(0);
    }
  });

  test.each<[what: string, body: string, type: string]>([
    ["no boundary", part("file", "x"), "multipart/form-data"],
    ["another boundary", part("file", "x"), "multipart/form-data; boundary=other"],
    ["something in front", `x${part("file", "x")}`, TYPE],
    ["no end", part("file", "x").slice(0, -2), TYPE],
    ["no headers", "--b\r\nfile\r\n", TYPE],
    ["another name", `${part("files", "x")}--b--`, TYPE],
    ["nothing", "", TYPE],
  ])("with %s is refused", async (_, body, type) => {
    const refused = refusalOf(() => multipartFile(bytesOf(body), type, "file"));
    expect(refused.code).toBe("parameter_invalid");
    for (const size of SIZES) {
      const chunks = multipartFileChunks(chunksOf(bytesOf(body), [size]), type, "file");
      await expect(joined(chunks)).rejects.toMatchObject({ code: "parameter_invalid" });
    }
  });
});
