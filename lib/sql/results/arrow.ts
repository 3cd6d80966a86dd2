// An Arrow IPC stream, in types that clients read (lib/sql/plain-columns.ts).

import type { ArrowBatch, ArrowField } from "#lib/sql/arrow-stream.ts";
import { ARROW_END, batchMessage, schemaMessage } from "#lib/sql/arrow-writer.ts";
import { plainBatch, plainField } from "#lib/sql/plain-columns.ts";
import { type AnswerEnd, NO_BYTES, refuseTruncated, type ResultWriter } from "./writer.ts";

export class ArrowResult implements ResultWriter {
  readonly contentType = "application/vnd.apache.arrow.stream";

  begin(fields: readonly ArrowField[]): Uint8Array {
    return schemaMessage(fields.map(plainField));
  }

  rows(batch: ArrowBatch): Uint8Array {
    return batch.rowCount === 0 ? NO_BYTES : batchMessage(plainBatch(batch));
  }

  /** A stream that breaks off before its end marker is not whole, and readers say so. */
  end(end: AnswerEnd): Uint8Array {
    refuseTruncated(end);
    return ARROW_END;
  }
}
