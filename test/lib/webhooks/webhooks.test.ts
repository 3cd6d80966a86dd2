import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { judgeAnswer } from "#lib/webhooks/answers.ts";
import { isGivenUp, retryDelayMs } from "#lib/webhooks/retry-plan.ts";
import { formatWebhookSecret, webhookKey } from "#lib/webhooks/secret.ts";
import { signedHeaders } from "#lib/webhooks/sign.ts";

const NOW = 1_750_000_000_999;
const SECRET = formatWebhookSecret(new Uint8Array(32).fill(3));

describe("a signature", () => {
  test("is the HMAC of id, seconds and body, under the decoded secret", () => {
    const headers = signedHeaders({ webhookId: "msg_1", body: '{"a":1}' }, SECRET, NOW);
    const signed = 'msg_1.1750000000.{"a":1}';
    const hmac = createHmac("sha256", Buffer.alloc(32, 3)).update(signed).digest("base64");
    expect(headers).toMatchObject({
      "webhook-id": "msg_1",
      "webhook-timestamp": "1750000000",
      "webhook-signature": `v1,${hmac}`,
    });
  });

  test("is that of the example in the Standard Webhooks specification's libraries", () => {
    const webhook = { webhookId: "msg_p5jXN8AQM9LWM0D4loKWxJek", body: '{"test": 2432232314}' };
    const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const headers = signedHeaders(webhook, secret, 1_614_265_330_000);
    const signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    expect(headers["webhook-signature"]).toBe(signature);
  });
});

describe("a secret", () => {
  test.each([24, 32, 64])("may have %d bytes", (length) => {
    const bytes = new Uint8Array(length).fill(9);
    expect(new Uint8Array(webhookKey(formatWebhookSecret(bytes)))).toEqual(bytes);
  });

  const long = (length: number) => formatWebhookSecret(new Uint8Array(length));
  test.each([
    "",
    "whsec_",
    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_no-base64!",
    long(23),
    long(65),
  ])("may not be %j, and the refusal does not repeat it", (secret) => {
    const attempt = () => webhookKey(secret);
    expect(attempt).toThrow(SluiceError);
    expect(attempt).toThrow(/^"secret" must be whsec_ and the base64 of 24 to 64 bytes$/);
  });
});

describe("an answer", () => {
  test.each([200, 202, 204, 299])("of %d is a yes", (status) => {
    expect(judgeAnswer(status, null, NOW)).toEqual({ kind: "delivered", status });
  });

  test("of 410 ends it", () => {
    expect(judgeAnswer(410, "5", NOW)).toEqual({ kind: "gone", status: 410 });
  });

  test.each([100, 301, 307, 400, 404, 429, 500, 503])("of %d is a failure", (status) => {
    const outcome = judgeAnswer(status, null, NOW);
    expect(outcome).toMatchObject({ kind: "failed", status, retryAfterMs: null });
  });

  const day = LIMITS.webhookRetryAfterMsMax;
  test.each([
    ["7", 7_000],
    [" 7 ", 7_000],
    ["0", 0],
    [new Date(NOW + 90_000).toUTCString(), 89_001],
    [new Date(NOW - 90_000).toUTCString(), 0],
    ["999999999", day],
    ["soon", null],
    ["", null],
  ])("with Retry-After %j asks for %j ms", (text, expected) => {
    const outcome = judgeAnswer(503, text, NOW);
    expect(outcome).toMatchObject({ retryAfterMs: expected });
  });
});

describe("the plan of retries", () => {
  test("doubles up to an hour, less up to a half by chance", () => {
    const waits = [1, 2, 3, 12, 13, 14, 1_000].map((count) => retryDelayMs(count, null, 0) / 1_000);
    expect(waits).toEqual([1, 2, 4, 2_048, 3_600, 3_600, 3_600]);
    expect(retryDelayMs(4, null, 0.5)).toBe(6_000);
    expect(retryDelayMs(4, null, 0.999_999)).toBeGreaterThan(4_000);
  });

  test("never asks sooner than the receiver said", () => {
    expect(retryDelayMs(1, 30_000, 0)).toBe(30_000);
    expect(retryDelayMs(10, 30_000, 0)).toBe(512_000);
  });

  test("ends after a day, if it was tried often enough", () => {
    const { webhookGiveUpAfterMs: dayMs, webhookGiveUpFailuresMin: count } = LIMITS;
    expect(isGivenUp({ count, sinceMs: NOW - dayMs }, NOW)).toBe(true);
    expect(isGivenUp({ count, sinceMs: NOW - dayMs + 1 }, NOW)).toBe(false);
    expect(isGivenUp({ count: count - 1, sinceMs: NOW - 30 * dayMs }, NOW)).toBe(false);
  });
});
