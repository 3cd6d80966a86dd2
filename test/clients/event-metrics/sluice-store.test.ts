// Metrics over Sluice when the server is not what it should be.

import { describe, expect, test } from "vitest";

import { SluiceClient } from "../../../clients/client/client.ts";
import { MetricConnection } from "../../../clients/event-metrics/metric-connection.ts";

function connect(answer: () => Promise<Response>) {
  const client = new SluiceClient({
    url: "http://127.0.0.1:9",
    token: "secret",
    memoryBytesMax: 1_000_000,
    fetch: answer,
    onError: () => {},
  });
  return new MetricConnection(client);
}

describe("over Sluice", () => {
  test("a flush, and a question, tell what the server refused", async () => {
    const refusal = { success: false, error: "column value is text", code: "column_type_conflict" };
    const connection = connect(async () => Response.json(refusal, { status: 422 }));
    connection.observe("latency", 1);
    await expect(connection.flush()).rejects.toThrow(/observations/);
    connection.observe("latency", 1);
    await expect(connection.query("latency").toScalar()).rejects.toThrow(/observations/);
  });

  test("recording is refused, not forgotten, when a server does not keep up", () => {
    const connection = connect(() => new Promise(() => {}));
    let recorded = 0;
    const record = () => {
      for (; recorded < 3_000_000; recorded++) connection.observe("latency", recorded);
    };
    expect(record).toThrow(/points wait for the server/);
    expect(recorded).toBeGreaterThanOrEqual(1_000_000);
    expect(recorded).toBeLessThan(1_200_000);
    expect(() => connection.observe("latency", 1)).toThrow(/points wait for the server/);
  });
});
