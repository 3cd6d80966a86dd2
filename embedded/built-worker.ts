// What the build leaves behind and the server starts from: every Worker as `wrangler deploy` would
// upload it, plus the few facts that only its wrangler.toml knows.

/** A binding as the upload form names it; which fields there are depends on `type`. */
export interface UploadedBinding {
  readonly name: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface BuiltModule {
  readonly name: string;
  /** Media type, e.g. "application/javascript+module". */
  readonly type: string;
  /** Absolute path of a file named by the SHA-256 of its content. */
  readonly path: string;
}

export interface QueueConsumer {
  readonly queue: string;
  readonly max_batch_size?: number;
  readonly max_batch_timeout?: number;
  readonly max_retries?: number;
  readonly max_concurrency?: number | null;
  readonly retry_delay?: number;
  readonly dead_letter_queue?: string;
}

export interface BuiltWorker {
  readonly name: string;
  /** The main module first. */
  readonly modules: readonly BuiltModule[];
  readonly bindings: readonly UploadedBinding[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly sqliteClasses: readonly string[];
  readonly queueConsumers: readonly QueueConsumer[];
  readonly crons: readonly string[];
}
