import { describe, expect, test } from "vitest";
import { formatWebhookSecret } from "#lib/webhooks/secret.ts";
import { signedHeaders } from "#lib/webhooks/sign.ts";
import { verifyWebhook } from "../../clients/client/verify-webhook.ts";

const NOW = 1_750_000_000_000;
const SECRET = formatWebhookSecret(new Uint8Array(32).fill(5));
const BODY = '{"type":"events","data":{"events":["é"]}}';
const HEADERS = signedHeaders({ webhookId: "msg_1", body: BODY }, SECRET, NOW);

describe("a receiver", () => {
  test("takes what was signed with its secret, as text or bytes, from headers of any kind", async () => {
    const expected = { id: "msg_1", body: JSON.parse(BODY) as unknown };
    expect(await verifyWebhook(HEADERS, BODY, SECRET, NOW)).toEqual(expected);
    const bytes = new TextEncoder().encode(BODY);
    expect(await verifyWebhook(new Headers(HEADERS), bytes, SECRET, NOW)).toEqual(expected);
  });

  test("takes one good signature among several", async () => {
    const signature = `v1a,x v1,AAAA ${HEADERS["webhook-signature"]}`;
    const headers = { ...HEADERS, "webhook-signature": signature };
    expect((await verifyWebhook(headers, BODY, SECRET, NOW)).id).toBe("msg_1");
  });

  const other = formatWebhookSecret(new Uint8Array(32).fill(6));
  test.each([
    ["another body", HEADERS, `${BODY} `, SECRET, "no webhook-signature is right"],
    ["another secret", HEADERS, BODY, other, "no webhook-signature is right"],
    ["another id", { ...HEADERS, "webhook-id": "msg_2" }, BODY, SECRET, "no webhook-signature"],
    ["another time", { ...HEADERS, "webhook-timestamp": "1750000001" }, BODY, SECRET, "no webhook"],
    ["no time", { ...HEADERS, "webhook-timestamp": "now" }, BODY, SECRET, "not of now"],
    ["no id", { ...HEADERS, "webhook-id": "" }, BODY, SECRET, "webhook-id is missing"],
    ["a secret that is none", HEADERS, BODY, "secret", "the secret is not"],
    [
      "a signature that is no base64",
      { ...HEADERS, "webhook-signature": "v1,!" },
      BODY,
      SECRET,
      "no",
    ],
  ])("refuses %s", async (_, headers, body, secret, reason) => {
    await expect(verifyWebhook(headers, body, secret, NOW)).rejects.toThrow(reason);
  });

  test("refuses what is more than five minutes old or young", async () => {
    for (const offMs of [-300_000, 300_000]) {
      await verifyWebhook(HEADERS, BODY, SECRET, NOW + offMs);
      const late = verifyWebhook(HEADERS, BODY, SECRET, NOW + offMs + Math.sign(offMs) * 1_000);
      await expect(late).rejects.toThrow("not of now");
    }
  });
});
