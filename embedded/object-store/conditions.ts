// Whether a conditional request holds, and which bytes a ranged one means. After RFC 9110, sections
// 13 and 14, with R2's extras (dates compared to the millisecond unless asked otherwise).

import { R2Error } from "./protocol.ts";
import type {
  ByteRange,
  Conditions,
  ETagCondition,
  GetRequest,
  ObjectRecord,
  RequestedRange,
} from "./protocol.ts";

/** `object` is undefined where nothing is stored under the key. */
export function conditionsHold(
  conditions: Conditions | undefined,
  object: ObjectRecord | undefined,
): boolean {
  if (conditions === undefined) return true;
  const { etagMatches, etagDoesNotMatch, uploadedBefore, uploadedAfter } = conditions;
  if (object === undefined) return etagMatches === undefined && uploadedAfter === undefined;

  const stepMs = conditions.secondsGranularity === true ? 1000 : 1;
  const step = (ms: number | string) => Math.floor(Number(ms) / stepMs);
  const uploaded = step(object.uploadedMs);

  const isMatch = etagMatches === undefined || matches(etagMatches, object.etag, false);
  const isOther = etagDoesNotMatch === undefined || !matches(etagDoesNotMatch, object.etag, true);
  // A date is not looked at when the etag condition beside it was given and held.
  const isBefore =
    uploadedBefore === undefined || etagMatches !== undefined || uploaded < step(uploadedBefore);
  const isAfter =
    uploadedAfter === undefined || etagDoesNotMatch !== undefined || step(uploadedAfter) < uploaded;
  return isMatch && isOther && isBefore && isAfter;
}

function matches(conditions: readonly ETagCondition[], etag: string, weakToo: boolean): boolean {
  return conditions.some(
    ({ type, value }) => type === "wildcard" || (value === etag && (type === "strong" || weakToo)),
  );
}

/**
 * The whole object where no range, or an unusable Range header, was sent. Throws beyond the end.
 */
export function rangeOf(request: GetRequest, byteLength: number): ByteRange {
  const whole = { offset: 0, length: byteLength };
  if (request.rangeHeader !== undefined) {
    return rangeOfHeader(request.rangeHeader, byteLength) ?? whole;
  }
  return request.range === undefined ? whole : rangeOfOption(request.range, byteLength);
}

function rangeOfHeader(header: string, byteLength: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (match === null) return undefined;
  const [, first, last] = match;
  if (first === "" && last === "") return undefined;
  if (first === "") return suffixOf(Number(last), byteLength);
  const offset = Number(first);
  const end = last === "" ? byteLength : Math.min(Number(last) + 1, byteLength);
  return offset < end ? { offset, length: end - offset } : undefined;
}

function rangeOfOption(range: RequestedRange, byteLength: number): ByteRange {
  if (range.suffix !== undefined) return suffixOf(Number(range.suffix), byteLength);
  const offset = Number(range.offset ?? 0);
  const length = Math.min(Number(range.length ?? byteLength), byteLength - offset);
  if (offset < 0 || length < 0 || (length === 0 && byteLength > 0)) {
    throw new R2Error("range_invalid");
  }
  return { offset, length };
}

function suffixOf(suffix: number, byteLength: number): ByteRange {
  if (suffix <= 0) throw new R2Error("range_invalid");
  const length = Math.min(suffix, byteLength);
  return { offset: byteLength - length, length };
}
