// Every limit of the system, with its unit in its name and the reason beside it.
// docs/limits.md is generated from here; each limit is tested just inside and just outside.

const KB = 1_000;
const MB = 1_000_000;
const MIB = 1 << 20;

export const LIMITS = {
  /** Compressed request body. An isolate has 128 MB and holds the body whole. */
  bodyBytesMax: 32 * MB,
  /** Body after decompression. */
  bodyDecodedBytesMax: 100 * MB,
  /** A body may grow by this factor once it is past `bodyRatioGraceBytes`: stops gzip bombs. */
  bodyRatioMax: 200,
  bodyRatioGraceBytes: 1 * MB,

  /** Rows that are gathered into columns, plain: body and columns are in memory at once. */
  rowFormBytesMax: 20 * MB,
  /** Memory for the columns that they become: arrays that grow by doubling. */
  gatheredBytesMax: 40 * MB,
  measurementsPerRequestMax: 500,
  /** Items or lines that a partial write may leave out; beyond it nothing is stored. */
  rejectionsMax: 1_000,

  rowsPerBatchMax: 1_000_000,
  columnsPerBatchMax: 1_024,
  columnsPerTableMax: 4_096,
  columnNameBytesMax: 128,
  /** Nesting of a cell: a map or array inside a cell is 1 deep. Deeper cells are refused. */
  cellDepthMax: 4,
  measurementNameCharsMax: 128,
  idempotencyKeyBytesMax: 128,
  /** Event times from 0001-01-01 up to, not including, 10000-01-01. Microseconds, UTC. */
  timeUsMin: -62_135_596_800_000_000n,
  timeUsMax: 253_402_300_799_999_999n,

  sqlBytesMax: 100 * KB,
  /** Rows of one answer; beyond it `truncated` is true. */
  queryRowsMax: 1_000_000,
  queryTimeoutMs: 60_000,
  /** Answers up to here are built whole, so that a late failure still gets its status. */
  queryBufferBytesMax: 1 * MB,
  /** An answer that is told column by column is held whole, up to here. */
  queryHeldBytesMax: 16 * MB,
  /** What the engine may plan with; beyond it a query ends with advice. */
  engineSoftBytesMax: 40 * MB,
  /** Hard cap of the engine's linear memory, out of the 128 MB that an isolate has for all. */
  engineBytesMax: 64 * MIB,
  /** Linear memory never shrinks: an engine beyond this is replaced before the next query. */
  engineKeepBytesMax: 40 * MIB,
  /** CTEs of up to so many rows are computed once; a million rows stream past them in seconds. */
  smallCteRowsMax: 1_000,
  /** A query gives way to the isolate's other work this often. */
  engineSliceMs: 20,
  /** A query that does not give way for so long is ended: a join of very many pairs. */
  engineSliceMsMax: 10_000,
  /** The same where clocks stand still: looks at the clock, a few for every 2,048 rows. */
  engineSliceLooksMax: 1_000_000,
  /** Bytes of files held for the running query: fetched ahead, or read and perhaps read again. */
  readAheadBytesMax: 24 * MB,
  /** Two wanted ranges with a smaller gap between them are fetched as one. */
  readGapBytesMax: 64 * KB,
  /** A wanted range is cut into pieces of this size, so that the window can move in steps. */
  readRangeBytesMax: 4 * MB,
  /** Reads that nobody planned and that follow each other grow up to this. */
  readMissBytesMax: 1 * MIB,

  /**
   * Cloudflare documents 2 MB for a Durable Object row; stay below it with the row's other columns.
   */
  logRowBytesMax: 1_900_000,
  /** Cloudflare's cap on the serialised arguments or result of one RPC call. */
  rpcValueBytesMax: 32 * MIB,
  /** Simultaneous connections of one Worker invocation. */
  connectionsMax: 6,

  /** More batches than this are not put into one segment, whatever their size. */
  segmentBatchesMax: 10_000,
  segmentRowsMax: 1_000_000,
  bufferSoftBytesMax: 256 * MB,
  bufferHardBytesMax: 1_000 * MB,
  idempotencyWindowMs: 24 * 3_600_000,
  /** Hints sent for a segment before the buffer flushes it by itself. */
  hintsBeforeInlineFlush: 3,
  hintIntervalMs: 10_000,
  /** How long an explicit flush waits for the last commit. */
  flushTimeoutMs: 60_000,
  /** Failed flushes before a segment is put aside (quarantined) so that later ones go on. */
  flushAttemptsMax: 8,

  rowGroupRows: 100_000,
  dataPageRows: 20_000,
  /** A data page of long texts ends sooner, once it has this many bytes. */
  dataPageBytes: 1 * MB,
  /** Days that one segment splits a measurement into; beyond it neighbouring days share a file. */
  partitionsPerSegmentMax: 32,
  filesPerQueryMax: 10_000,
  /** Un-flushed bytes that one query decodes; above it the buffer is asked to flush first. */
  tailBytesPerQueryMax: 16 * MB,
  tailRowsPerQueryMax: 500_000,

  /** An object not in the catalog is removed this long after it was put. */
  orphanGraceMs: 24 * 3_600_000,
  orphanSweepEveryMs: 3_600_000,
  tombstoneKeepMs: 30 * 24 * 3_600_000,

  tokenCacheMs: 5_000,
} as const;
