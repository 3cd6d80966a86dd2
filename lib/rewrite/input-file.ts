// One input of a merge: a file that is opened and loaded row group by row group when it is needed.
//
// What comes next is fetched before it is asked for, where the merge says so: 1,440 files one after
// the other would be as many waits for the store.

import { LIMITS } from "#lib/base/limits.ts";
import type { FetchRange } from "#lib/base/ports.ts";
import type { DataFile } from "#lib/catalog/types.ts";
import { compareTimes, timeWords } from "#lib/columnar/times.ts";
import { fileCorrupt, reading } from "#lib/parquet/file-corrupt.ts";
import { readRowGroup } from "#lib/parquet/read-file.ts";
import { type FileLayout, readFooter, type RowGroupLayout } from "#lib/parquet/read-footer.ts";
import { type RowFilter, type SourceRows, sourceRows, type TypedColumn } from "./source-rows.ts";

export type MergeFile = Pick<
  DataFile,
  "key" | "rowCount" | "byteLength" | "footerByteLength" | "timeMinMs" | "timeMaxMs"
>;

export interface MergeInput {
  readonly file: MergeFile;
  /** null: all rows stay. */
  readonly filter: RowFilter | null;
}

interface Range {
  readonly offset: number;
  readonly byteLength: number;
}

export class InputFile {
  readonly number: number;
  readonly #input: MergeInput;
  readonly #columns: readonly TypedColumn[];
  readonly #fetchRange: FetchRange;
  #layout: FileLayout | null = null;
  /** Row groups that are still to load, the next one last. */
  #rowGroups: RowGroupLayout[] = [];
  /** The whole file, where it is small. */
  #whole: Uint8Array | null = null;
  #fetched: Promise<Uint8Array> | null = null;
  /** No row that is still to load is earlier. */
  nextTime: Int32Array;

  /** `number`: of the input among all. `columns`: of the table of today. */
  constructor(
    number: number,
    input: MergeInput,
    columns: readonly TypedColumn[],
    fetchRange: FetchRange,
  ) {
    this.number = number;
    this.#input = input;
    this.#columns = columns;
    this.#fetchRange = fetchRange;
    this.nextTime = timeWords(BigInt(input.file.timeMinMs) * 1000n);
  }

  get isAtEnd(): boolean {
    return this.#layout !== null && this.#rowGroups.length === 0;
  }

  /** Begins to fetch what `advance` will need; how many bytes of it are on their way or here. */
  prefetch(): number {
    if (this.#whole !== null) return 0;
    const { offset, byteLength } = this.#nextRange();
    if (this.#fetched === null) {
      this.#fetched = this.#fetchRange(this.#input.file.key, offset, byteLength);
      // Whether it failed is asked by `advance`.
      this.#fetched.catch(() => {});
    }
    return byteLength;
  }

  /** Opens the file (null), or loads its next row group. Refuses `file_corrupt`. */
  async advance(): Promise<SourceRows | null> {
    const bytes = await this.#next();
    const { file, filter } = this.#input;
    return reading(`file ${file.key}`, { key: file.key }, () => {
      if (this.#layout === null) {
        this.#open(bytes);
        return null;
      }
      const rowGroup = this.#rowGroups.pop()!;
      this.#setNextTime();
      const table = readRowGroup(this.#layout, rowGroup, bytes);
      return sourceRows(this.number, table, rowGroup.firstRow, filter, this.#columns);
    });
  }

  async #next(): Promise<Uint8Array> {
    const { offset, byteLength } = this.#nextRange();
    if (this.#whole !== null) return this.#whole.subarray(offset, offset + byteLength);
    this.prefetch();
    const bytes = await this.#fetched!;
    this.#fetched = null;
    return bytes;
  }

  #nextRange(): Range {
    const { byteLength, footerByteLength } = this.#input.file;
    if (this.#layout !== null) return this.#rowGroups.at(-1)!;
    if (byteLength <= LIMITS.rewriteWholeReadBytesMax) return { offset: 0, byteLength };
    return { offset: byteLength - footerByteLength, byteLength: footerByteLength };
  }

  #open(bytes: Uint8Array): void {
    const { file, filter } = this.#input;
    const { byteLength, footerByteLength } = file;
    if (byteLength <= LIMITS.rewriteWholeReadBytesMax) this.#whole = bytes;
    const footer = bytes.subarray(bytes.length - footerByteLength);
    this.#layout = readFooter(footer, byteLength);
    checkCatalog(this.#layout, file);
    this.#rowGroups = this.#layout.rowGroups
      .filter((rowGroup) => hasKeptTimes(rowGroup, filter))
      .reverse();
    this.#setNextTime();
  }

  #setNextTime(): void {
    const next = this.#rowGroups.at(-1);
    if (next !== undefined) this.nextTime = next.timeBounds;
    else this.#whole = null;
  }
}

/** A file under the right name with other content than the catalog knows. */
function checkCatalog({ rowCount }: FileLayout, file: MergeInput["file"]): void {
  if (rowCount === file.rowCount) return;
  throw fileCorrupt("the footer tells of another number of rows than the catalog");
}

function hasKeptTimes({ timeBounds }: RowGroupLayout, filter: RowFilter | null): boolean {
  const { fromUs = null, toUs = null } = filter ?? {};
  const isTooEarly = fromUs !== null && compareTimes(timeBounds, 1, timeWords(fromUs), 0) < 0;
  const isTooLate = toUs !== null && compareTimes(timeBounds, 0, timeWords(toUs), 0) >= 0;
  return !isTooEarly && !isTooLate;
}
