import { describe, expect, test } from "vitest";
import type { BuiltWorker, UploadedBinding } from "../../embedded/built-worker.ts";
import { Embed, toCapnpText } from "../../embedded/capnp-text.ts";
import { bucketNames, secretNames, workerdConfig } from "../../embedded/workerd-config.ts";

function worker(name: string, bindings: UploadedBinding[] = []): BuiltWorker {
  return {
    name,
    modules: [{ name: "index.js", type: "application/javascript+module", path: "/m/index" }],
    bindings,
    compatibilityDate: "2026-11-01",
    compatibilityFlags: [],
    sqliteClasses: [],
    queueConsumers: [],
    crons: [],
  };
}

const NONE = new Map<string, string>();

describe("workerd's configuration", () => {
  test("a binding that the local server lacks is an error, not a missing binding", () => {
    const workers = [worker("front", [{ name: "INDEX", type: "vectorize", index_name: "i" }])];
    expect(() => workerdConfig(workers, NONE)).toThrow("front: binding INDEX is of type vectorize");
  });

  test("a module of an unknown type is an error", () => {
    const front = worker("front");
    const modules = [{ name: "a.py", type: "text/x-python", path: "/m/a" }];
    expect(() => workerdConfig([{ ...front, modules }], NONE)).toThrow("text/x-python");
  });

  test("variables can be overridden, secrets are left to the environment", () => {
    const bindings = [
      { name: "SEAL_BYTES", type: "plain_text", text: "8000000" },
      { name: "LOG_LEVEL", type: "plain_text", text: "info" },
      { name: "ADMIN_TOKEN", type: "inherit" },
    ];
    const values = new Map([
      ["SEAL_BYTES", "1"],
      ["ADMIN_TOKEN", "not-in-any-file"],
    ]);
    const config = workerdConfig([worker("front", bindings)], values);
    expect(config).toContain('(name = "SEAL_BYTES", text = "1")');
    expect(config).toContain('(name = "LOG_LEVEL", text = "info")');
    expect(config).toContain('(name = "ADMIN_TOKEN", fromEnvironment = "ADMIN_TOKEN")');
    expect(config).not.toContain("not-in-any-file");
  });

  test("buckets and secrets that several Workers share are named once", () => {
    const bindings = [
      { name: "LAKE", type: "r2_bucket", bucket_name: "lake" },
      { name: "ADMIN_TOKEN", type: "inherit" },
    ];
    const workers = [worker("front", bindings), worker("query", bindings)];
    expect(bucketNames(workers)).toEqual(["lake"]);
    expect(secretNames(workers)).toEqual(["ADMIN_TOKEN"]);
  });

  test("the front door alone reaches the network", () => {
    const config = workerdConfig([worker("front"), worker("query")], NONE);
    const [, front, query] = /name = "front"(.*)name = "query"(.*)/s.exec(config)!;
    expect(front).toContain('globalOutbound = "open-network"');
    expect(query).not.toContain("globalOutbound");
    expect(config).toContain('name = "internet", network = (allow = [])');
  });

  test("the supervisor's line leads to an entrypoint of its own, over a socket and no port", () => {
    const config = workerdConfig([worker("front"), worker("query")], NONE);
    const line = 'service = (name = "front", entrypoint = "HostLine")';
    expect(config).toContain(`address = "unix:host.sock", http = (), ${line}`);
    expect(config.match(/HostLine/g)).toHaveLength(1);
  });

  test("each queue is delivered to the Worker that consumes it, with its settings", () => {
    const queueConsumers = [
      { queue: "flush", max_batch_size: 1, max_batch_timeout: 0, dead_letter_queue: "dead" },
    ];
    const config = workerdConfig([worker("front"), { ...worker("w"), queueConsumers }], NONE);
    expect(config).toContain('(name = "CONSUMER_0", service = "w")');
    expect(config).toContain('\\"maxBatchTimeout\\":0');
    expect(config).toContain('\\"deadLetterQueue\\":\\"dead\\"');
  });
});

describe("Cap'n Proto text", () => {
  test("structs, lists, numbers, files, and fields left out", () => {
    const value = { a: 1, b: [true, "x"], c: { d: undefined, e: new Embed("/f") }, g: {} };
    expect(toCapnpText(value)).toBe('(a = 1, b = [true, "x"], c = (e = embed "/f"), g = ())');
  });

  test("strings are escaped", () => {
    expect(toCapnpText('say "\\" \n é')).toBe('"say \\"\\\\\\" \\012 é"');
  });
});
