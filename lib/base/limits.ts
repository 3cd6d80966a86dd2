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

  /** Request body of an import of text, which is read as a stream: Cloudflare's smaller plans. */
  importBodyBytesMax: 100 * MB,
  /** The same after decompression. */
  importTextBytesMax: 500 * MB,
  /** Such a file is stored in parts: each ends with the first record that makes it this large. */
  importPartBytes: 4 * MB,
  /** Of a zstd frame that is read as a stream; what zstd takes up to level 19. */
  importZstdWindowLogMax: 23,

  /** Parquet that is imported. Its footer becomes objects of many times its size. */
  importFooterBytesMax: 1 * MB,
  /** Rows times columns: what can be read twice within the seconds of a request. */
  importCellsMax: 50_000_000,
  /** One page at a time is in memory, decompressed, and its values. */
  importPageBytesMax: 16 * MB,
  importPageValuesMax: 1_000_000,
  /** All pages together. */
  importDecodedBytesMax: 1_000 * MB,
  /** Values of one nested column in a row group, which are assembled in memory. */
  importNestedValuesMax: 200_000,
  /** Cells of one batch that is cut from the file. */
  importSliceBytesMax: 8 * MB,

  rowsPerBatchMax: 1_000_000,
  columnsPerBatchMax: 1_024,
  columnsPerTableMax: 4_096,
  columnNameBytesMax: 128,
  /**
   * A text. The engine holds a cell several times over, as a page, a value and an answer: one of 6
   * MB can still be sorted by in its memory, one of 8 MB no longer.
   */
  cellBytesMax: 4 * MB,
  /** A map or array as it comes. Its text may be six times as long. */
  nestedCellBytesMax: 1 * MB,
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
  /** Queries that last longer are listed and can be cancelled. */
  queryListedAfterMs: 250,
  queryReportEveryMs: 1_000,
  /** A listed query that says nothing for so long has lost its isolate. */
  queryLostAfterMs: 5_000,
  /** Ended queries that are remembered. */
  queriesKept: 500,
  querySqlShownChars: 1_000,
  /** Answers up to here are built whole, so that a late failure still gets its status. */
  queryBufferBytesMax: 1 * MB,
  /** An answer that is told column by column is held whole, up to here. */
  queryHeldBytesMax: 16 * MB,
  /** A row group of an answer in Parquet ends sooner, once it has this many bytes. */
  resultRowGroupBytes: 8 * MB,
  /** What the engine may plan with; beyond it a query ends with advice. */
  engineSoftBytesMax: 40 * MB,
  /** Hard cap of the engine's linear memory, out of the 128 MB that an isolate has for all. */
  engineBytesMax: 64 * MIB,
  /** The same for all engines of an isolate. */
  enginesBytesMax: 72 * MIB,
  /** What an engine has before its first query. */
  engineNewBytes: 18 * MIB,
  /** While a query lasts longer than this, others get the isolate's second engine. */
  engineSecondAfterMs: 100,
  /** Linear memory never shrinks: an engine beyond this is replaced before the next query. */
  engineKeepBytesMax: 40 * MIB,
  /** A list of IN that is longer leaves out no file. */
  prunedListMax: 200,
  /** CTEs of up to so many rows are computed once; a million rows stream past them in seconds. */
  smallCteRowsMax: 1_000,
  /** A query gives way to the isolate's other work this often. */
  engineSliceMs: 20,
  /** The same where clocks stand still: looks at the clock, a few for every 2,048 rows. */
  engineSliceLooksMax: 1_000,
  /** Bytes of files held for the running query: fetched ahead, or read and perhaps read again. */
  readAheadBytesMax: 24 * MB,
  /** The same for a query on the isolate's second engine. */
  readAheadSecondBytesMax: 8 * MB,
  /** Two wanted ranges with a smaller gap between them are fetched as one. */
  readGapBytesMax: 64 * KB,
  /** A wanted range is cut into pieces of this size, so that the window can move in steps. */
  readRangeBytesMax: 4 * MB,
  /** Footers and other small ranges that the isolate keeps from query to query. */
  rangeMemoryBytesMax: 4 * MB,
  /** A larger range is not kept in memory. */
  rangeInMemoryBytesMax: 128 * KB,
  /** A larger range is not kept in the Cache API: R2 is as fast for it. */
  rangeInCacheBytesMax: 1 * MIB,
  /** Calls of the Cache API; each is one of the subrequests of an invocation. */
  cacheCallsPerQueryMax: 200,
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
  /** Files that the engine has open at once; each takes it some 35 kB. */
  filesPerScanMax: 100,
  /** Of a list of files: about 10 MB of RPC. */
  filesPerPageMax: 50_000,
  /** Un-flushed bytes that one query decodes; above it the buffer is asked to flush first. */
  tailBytesPerQueryMax: 16 * MB,
  tailRowsPerQueryMax: 500_000,

  /** A file that was replaced stays so long for those who read an older version. */
  replacedGraceMs: 15 * 60_000,
  /** A day of a table that nothing came to for so long is compacted with what it has. */
  compactionQuietMs: 3_600_000,
  /** And after so long, however little came to a large file. */
  compactionCloseMs: 24 * 3_600_000,
  /** Files that rewriting makes, and the size from which on one is left alone. */
  rewriteFileBytesTarget: 64 * MB,
  rewriteFileBytesMin: 32 * MB,
  rewriteFileBytesMax: 128 * MB,
  /** Of all files that one rewrite reads: what a run of a few ten seconds gets through. */
  rewriteInputBytesMax: 192 * MB,
  /** Small files take one request each, and one run may ask R2 10,000 times at most. */
  rewriteInputFilesMax: 2_000,
  /** Decoded rows that one rewrite holds; uploads, encoder and program take as much again. */
  rewriteMemoryBytesMax: 64 * MB,
  /** A row group of wide rows ends sooner, once it has this many decoded bytes. */
  rewriteRowGroupBytes: 12 * MB,
  /** Files up to here are read in one go instead of footer first. */
  rewriteWholeReadBytesMax: 512 * KB,
  /** Fetched before it is wanted, so that the store's answers are not waited for one by one. */
  rewriteReadAheadBytesMax: 8 * MB,
  /** Parts of an object: all but the last are of this size, R2's smallest. */
  uploadPartBytes: 5 * MIB,

  /** An object not in the catalog is removed this long after it was put. */
  orphanGraceMs: 24 * 3_600_000,
  garbageEveryMs: 3_600_000,
  tombstoneKeepMs: 30 * 24 * 3_600_000,

  /** How often files are looked at when no commit brought new ones. */
  compactionEveryMs: 3_600_000,
  /** A rollup is looked after once per bucket, and no more often than this. */
  rollupEveryMsMin: 10_000,
  rollupIntervalMsMax: 366 * 24 * 3_600_000,
  /** Slots that one query of a rollup computes; fewer after it was too much for the engine. */
  rollupSlotsMax: 24,
  /** What such a query answers: it is in memory as it comes, as columns, and as a file. */
  rollupAnswerBytesMax: 12 * MB,
  /** A task of the scheduler that failed is tried again after this. */
  taskRetryMs: 60_000,
  /** Jobs of one database that run at once. */
  jobsRunningMax: 2,
  /** A runner that says nothing for so long is taken for dead, and its job waits again. */
  jobLeaseMs: 15_000,
  /** How often a runner says that it lives. */
  jobProgressEveryMs: 3_000,
  jobHintIntervalMs: 10_000,
  /** Wait before a failed job is tried again; twice as long each time. */
  jobRetryMs: 5_000,
  jobAttemptsMax: 5,
  /** Starts of one job, most of them after runners that died without a word. */
  jobStartsMax: 50,
  /** Merging waits while more segments than this wait to be written. */
  compactionLagSegmentsMax: 4,
  /** Files that a compaction failed over are left alone for so long. */
  jobFailedRestMs: 6 * 3_600_000,
  /** Ended jobs of each kind that are remembered. */
  jobsKept: 1_000,
  /** A delete of more rows has to be confirmed. */
  deleteUnconfirmedRowsMax: 10_000,
  /** How often a delete plans again because others replaced files under it. */
  deletePlansMax: 20,
  deleteWhereCharsMax: 4_096,
  /** How long a request waits for its job before it is told its number alone. */
  jobWaitMs: 50_000,

  retentionDaysMax: 36_500,
  retentionEveryMs: 3_600_000,
  /** From the making of a policy to its first run. */
  retentionFirstRunMs: 60_000,
  /** Of each policy. */
  retentionRunsKept: 500,
  retentionPoliciesMax: 1_000,
  /** Files that one run has rewritten; the next run takes the others. */
  retentionRewritesPerRunMax: 100,

  /** A drop or a rename that stopped in the middle goes on after this. */
  tableChangeResumeMs: 5_000,

  /** Events of one request to store some, and its body. */
  eventsPerRequestMax: 10_000,
  eventsBodyBytesMax: 8 * MB,
  eventTagsMax: 64,
  eventTagBytesMax: 256,
  /** As JSON. It goes to every listener as one piece. */
  eventValueBytesMax: 256 * KB,
  /** Lists and objects inside each other; where the strictest of the usual JSON readers stops. */
  eventValueDepthMax: 64,
  /** Events that are stored by one append; more wait for the next. */
  eventGroupBytesMax: 8 * MB,
  /** Events that wait for their append; beyond it posts are refused. */
  eventsWaitingBytesMax: 24 * MB,
  /** How long a poster waits for an append whose outcome is not known. */
  eventOutcomeWaitMs: 10_000,
  /** The latest events of a stream, in memory: who falls further behind reads them with SQL. */
  eventRingBytesMax: 16 * MB,
  /** Listeners of one stream. */
  eventListenersMax: 5_000,
  /** Heartbeats that a listener may let pass without taking anything of what is there for it. */
  eventStalledBeatsMax: 4,
  /** Places of the stream that one query of a late listener covers, and its answer's size. */
  eventsCaughtUpPerQuery: 5_000,
  eventsCaughtUpBytesMax: 16 * MB,

  /** Events on a page of an answer. */
  eventPageRowsDefault: 30,
  eventPageRowsMax: 1_000,
  /** Events before a page that is asked for by its number; a cursor leads further. */
  eventOffsetMax: 10_000,
  /** Rows of an aggregation. */
  eventGroupsMax: 10_000,
  eventFieldCharsMax: 256,
  /** An answer about events, or a correlation, while it is put together. */
  eventAnswerBytesMax: 16 * MB,
  /** Rows of each pillar in a correlation. */
  correlateRowsDefault: 1_000,
  correlateRowsMax: 10_000,
  /** Measurements that one correlation looks into: each is a query. */
  correlateMeasurementsMax: 50,

  /** The log of a released segment stays so long for those who follow it and come again. */
  releasedLogKeptMs: 30_000,
  /** And no more than so many bytes, and logs, of them. */
  releasedLogBytesMax: 32 * MB,
  /** Of so many it is known whose rows they had, also when their logs are gone. */
  releasedLogsKept: 100,
  /** How long a buffer is asked to wait for rows that somebody follows. */
  tailWaitMs: 20_000,
  /** Bytes of stored batches in one answer to a follower, but for a single one that is larger. */
  tailAnswerBytesMax: 1 * MB,
  /** A larger batch, decompressed, is announced to followers and not shown. */
  tailBatchBytesMax: 16 * MB,
  /** What a follower holds decoded: larger batches are decoded again for every piece. */
  tailPieceBytes: 1 * MB,
  /** Rows that a tail may start with. */
  tailRowsMax: 10_000,
  /** Rest between two questions of a follower that is up to date. */
  tailRestMs: 100,
  /** Between the questions of any two, as far as `tailRestMsMax` goes: a buffer has others. */
  tailTurnMs: 10,
  tailRestMsMax: 2_000,
  /** Calls of one tail, then its client comes again: they are subrequests of one invocation. */
  tailCallsMax: 5_000,
  /** Calls in a row that a buffer may leave unanswered before the tail ends. */
  tailTriesMax: 20,

  /** How long a change waits for its archived event to be in the stream, before it is answered. */
  archiveWaitMs: 1_000,
  /** An attempt to post one event, after which it is tried again. */
  archivePostTimeoutMs: 15_000,
  /** An archived event that nobody delivered by then is taken up by the object's alarm. */
  archiveResumeMs: 5_000,
  /** Wait after a failed attempt; twice as long each time. */
  archiveRetryMs: 1_000,
  archiveRetryMsMax: 60_000,

  triggersPerDatabaseMax: 100,
  triggerTagsMax: 16,
  triggerUrlCharsMax: 2_048,
  /** Events of one request to a trigger's URL; fewer if they are large. */
  triggerEventsPerRequestMax: 100,
  triggerRequestBytesMax: 1 * MB,
  /** Events that are looked through at a time for those that a trigger is about. */
  triggerScanEventsMax: 1_000,
  /** The latest events of a stream that has triggers, in memory. */
  triggerRecentBytesMax: 4 * MB,
  /** A request to a receiver, from its connection to the end of its answer. */
  webhookTimeoutMs: 10_000,
  /** Wait after a first failure; twice as long each time, less a random part. */
  webhookRetryMs: 1_000,
  webhookRetryMsMax: 3_600_000,
  /** What a receiver may ask for with Retry-After. */
  webhookRetryAfterMsMax: 24 * 3_600_000,
  /** A trigger whose requests have all failed for so long, so many of them, is disabled. */
  webhookGiveUpAfterMs: 24 * 3_600_000,
  webhookGiveUpFailuresMin: 10,

  alertsPerDatabaseMax: 100,
  alertEveryMsMin: 10_000,
  alertDurationMsMax: 366 * 24 * 3_600_000,
  alertSqlBytesMax: 20 * KB,
  /** Labels of a rule, and annotations; columns of a row that are labels, and their texts. */
  alertLabelsMax: 10,
  alertLabelCharsMax: 200,
  /** Buckets of an anomaly's season: a week of minutes. */
  alertSlotsMax: 10_080,
  /** What a rule's query may answer: it is judged in memory. */
  alertRowsMax: 100_000,
  alertAnswerBytesMax: 16 * MB,
  /** Longer than any query lasts: who does not answer by then is gone. */
  alertRunTimeoutMs: 65_000,
  /** Rules of one database that run at once. */
  alertRunsAtOnce: 2,
  /** Label sets that a rule watches. */
  alertInstancesMax: 100,
  /** Series of a rule that makes metrics. */
  alertSeriesMax: 200,
  /** Failed runs in a row before that is told. */
  alertFailuresMin: 3,
  alertErrorCharsMax: 1_000,
  /** Webhooks of one rule that wait; beyond it the oldest is given up. */
  alertNoticesMax: 1_000,
  /** Events of a rule's history in one answer. */
  alertHistoryMax: 1_000,

  tokenCacheMs: 5_000,

  /** Series of one metric. What comes after them is counted together, under `_other`. */
  metricSeriesMax: 1_000,
  /** Counts of the past are kept in steps of this length, for so long, of so many series each. */
  metricSampleEveryMs: 10_000,
  metricHistoryMs: 3_600_000,
  metricSampleSeriesMax: 100,
  /** Jobs that are looked through to count those that wait; the newest. */
  jobsInGaugesMax: 1_000,
  /** Databases whose state is asked for at each scrape; each costs a request per object. */
  databasesInGaugesMax: 100,
  /** What an isolate holds between two reports; beyond it spans and log records are let go. */
  spansPerReportMax: 2_000,
  logsPerReportMax: 2_000,
  /** Spans, and as many log records, that wait for each of the places they are sent on to. */
  exportQueueMax: 8_192,
  exportBatchMax: 512,
  /** A batch that is not full is sent so long after its first span. */
  exportAfterMs: 1_000,
  /** First pause after a try that failed; twice as long each time. */
  exportRetryMs: 1_000,
  exportRetryMsMax: 30_000,
  /** A batch that nobody took for so long is let go. */
  exportRetryForMs: 300_000,
  exportTimeoutMs: 10_000,
} as const;
