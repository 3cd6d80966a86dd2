// What the writing of a segment says of itself: the only place where it becomes metrics and spans.
//
// The trace of a flush is that of the first recorded request whose rows the segment holds; the
// others are its links.

import type { BatchRun } from "#lib/buffer/types.ts";
import type { WrittenSegment } from "#lib/flush/write-segment.ts";
import { FILE_COSTS, FLUSH_COSTS, SHARED } from "#lib/telemetry/costs.ts";
import { databaseLabel } from "#lib/telemetry/database-label.ts";
import * as metrics from "#lib/telemetry/metrics/flush.ts";
import { costOperations } from "#lib/telemetry/metrics/runtime.ts";
import type { CostOperation } from "#lib/telemetry/prices.ts";
import { UNRECORDED, type Span } from "#lib/telemetry/span.ts";
import { parseTraceparent } from "#lib/telemetry/trace-context.ts";
import { createTracer, meter } from "./telemetry.ts";

const LINKS_MAX = 32;

interface Stage extends Disposable {
  readonly span: Span;
}

export class FlushTelemetry {
  span: Span = UNRECORDED;
  readonly #component: string;
  readonly #database: string;
  readonly #startMs = Date.now();
  #receivedMs = Infinity;

  constructor(databaseId: number, component: string) {
    this.#database = databaseLabel(databaseId);
    this.#component = component;
  }

  /** The segment is here: whose rows it holds says which trace this is. */
  read({ headers }: BatchRun, segmentId: string): void {
    const nowMs = Date.now();
    this.#observe("read", nowMs - this.#startMs);
    const byteLength = headers.reduce((sum, header) => sum + header.byteLength, 0);
    meter.add(metrics.bytesRead, byteLength);
    this.#receivedMs = Math.min(...headers.map(({ receivedUs }) => receivedUs / 1_000));
    const texts = new Set(headers.flatMap(({ traceparent }) => traceparent ?? []));
    const [parent = null, ...links] = [...texts].slice(0, LINKS_MAX).flatMap((text) => {
      return parseTraceparent(text) ?? [];
    });
    // Of traces that begin elsewhere; none begins here.
    this.span = createTracer(this.#component, "0").start("flush segment", parent, {
      kind: "consumer",
      attributes: { "sluice.segment": segmentId, "sluice.batches": headers.length },
      links,
      startUs: this.#startMs * 1_000,
    });
    this.span.childBetween("read segment", this.#startMs * 1_000, nowMs * 1_000);
  }

  /** Times a part of the work up to the end of the block. */
  stage(name: "write" | "commit" | "release", parent = this.span): Stage {
    const span = parent.child(name);
    const startMs = Date.now();
    return {
      span,
      [Symbol.dispose]: () => {
        span.end();
        this.#observe(name, Date.now() - startMs);
      },
    };
  }

  gone(): void {
    meter.add(metrics.segments, 1, "gone");
  }

  written({ files, isRepeat }: WrittenSegment): void {
    const nowMs = Date.now();
    meter.add(metrics.segments, 1, isRepeat ? "repeated" : "written");
    meter.observe(metrics.seconds, (nowMs - this.#startMs) / 1_000);
    const rowCount = files.reduce((sum, file) => sum + file.rowCount, 0);
    this.span.note({ "sluice.files": files.length, "sluice.rows": rowCount });
    this.span.end();
    if (isRepeat) return;
    this.#countCosts(files.length);
    meter.observe(metrics.freshnessSeconds, (nowMs - this.#receivedMs) / 1_000);
    meter.add(metrics.rows, rowCount);
    meter.add(metrics.files, files.length);
    for (const { byteLength } of files) {
      meter.add(metrics.bytesWritten, byteLength);
      meter.observe(metrics.fileBytes, byteLength);
    }
  }

  /** The rows of many tokens are written together. */
  #countCosts(fileCount: number): void {
    const count = (operation: CostOperation, by: number) =>
      meter.add(costOperations, by, this.#database, SHARED, operation);
    count("do_requests", FLUSH_COSTS.do_requests);
    count("do_rows_written", FLUSH_COSTS.do_rows_written + fileCount * FILE_COSTS.do_rows_written);
    count("queue_operations", FLUSH_COSTS.queue_operations);
    count("r2_class_a", fileCount * FILE_COSTS.r2_class_a);
  }

  failed(error: unknown): void {
    meter.add(metrics.segments, 1, "failed");
    this.span.end(error);
  }

  #observe(stage: string, ms: number): void {
    meter.observe(metrics.stageSeconds, ms / 1_000, stage);
  }
}
