import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { parseMoment, type Rounding } from "#lib/events/query/date-math.ts";
import { isoTime } from "#lib/protocol/text-times.ts";
import { propertyRuns } from "../../../helpers/property.ts";
import { refusalOf } from "../../../helpers/refusal.ts";

const US = 1_000n;
const now = us("2001-01-01T12:00:00Z");

function us(iso: string): bigint {
  return BigInt(Date.parse(iso)) * US;
}

function shown(value: unknown, rounding: Rounding = "down", nowUs = now): string {
  return isoTime(parseMoment("lte", value, rounding, nowUs)).replace(".000Z", "Z");
}

describe("date math", () => {
  test.each([
    ["now", "2001-01-01T12:00:00Z"],
    ["now+1h", "2001-01-01T13:00:00Z"],
    ["now-1h", "2001-01-01T11:00:00Z"],
    ["now-1h/d", "2001-01-01T00:00:00Z"],
    ["2001.02.01||+1M/d", "2001-03-01T00:00:00Z"],
    ["2015-04-21||-1d", "2015-04-20T00:00:00Z"],
    ["now+d", "2001-01-02T12:00:00Z"],
    ["now-2y+3M-1w+1d-1H+30m-15s", "1999-03-26T11:29:45Z"],
  ])("reads %s as its reference does", (text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  // From the reference of range queries: what each operator makes of 2014-11-18||/M.
  test.each([
    ["2014-11-18||/M", "down", "2014-11-01T00:00:00Z"],
    ["2014-11-18||/M", "up", "2014-11-30T23:59:59.999999Z"],
    ["2014-11-18||/y", "down", "2014-01-01T00:00:00Z"],
    ["2014-11-18||/y", "up", "2014-12-31T23:59:59.999999Z"],
    ["2014-11-18||/w", "down", "2014-11-17T00:00:00Z"],
    ["2014-11-18||/w", "up", "2014-11-23T23:59:59.999999Z"],
    ["2014-11-18T10:15:30Z||/H", "up", "2014-11-18T10:59:59.999999Z"],
    ["2014-11-18T10:15:30Z||/m", "down", "2014-11-18T10:15:00Z"],
    ["2014-11-18T10:15:30.5Z||/s", "up", "2014-11-18T10:15:30.999999Z"],
    ["1969-12-31T23:59:59Z||/d", "down", "1969-12-31T00:00:00Z"],
  ] as const)("rounds %s %s", (text, rounding, expected) => {
    expect(shown(text, rounding)).toBe(expected);
  });

  test.each([
    ["2099-12", "down", "2099-12-01T00:00:00Z"],
    ["2099-12", "up", "2099-12-01T23:59:59.999999Z"],
    ["2099", "up", "2099-01-01T23:59:59.999999Z"],
    ["2015-04-21T09", "up", "2015-04-21T09:59:59.999999Z"],
    ["2015-04-21T09:15", "up", "2015-04-21T09:15:59.999999Z"],
    ["2015-04-21T09:15:42Z", "up", "2015-04-21T09:15:42Z"],
    ["2015-04-21T09:15:42.001Z", "up", "2015-04-21T09:15:42.001Z"],
    ["2015-04-21T11:15:42+02:00", "down", "2015-04-21T09:15:42Z"],
    ["2015-04-21 09:15:42.0000019", "down", "2015-04-21T09:15:42.000001Z"],
    ["0001-01-01", "down", "0001-01-01T00:00:00Z"],
    ["9999-12-31", "up", "9999-12-31T23:59:59.999999Z"],
    [1_429_607_742_000, "down", "2015-04-21T09:15:42Z"],
    ["1429607742000", "down", "2015-04-21T09:15:42Z"],
    ["1429607742000||/d", "down", "2015-04-21T00:00:00Z"],
    [2015, "down", "1970-01-01T00:00:02.015Z"],
  ] as const)("fills %s %s", (text, rounding, expected) => {
    expect(shown(text, rounding)).toBe(expected);
  });

  test.each([
    ["2024-01-31||+1M", "2024-02-29T00:00:00Z"],
    ["2023-01-31||+1M", "2023-02-28T00:00:00Z"],
    ["2024-02-29||-1y", "2023-02-28T00:00:00Z"],
    ["2024-03-31||-1M", "2024-02-29T00:00:00Z"],
    ["2024-01-15||-13M", "2022-12-15T00:00:00Z"],
  ])("keeps within the month in %s", (text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  test.each([
    "",
    "noww",
    "now-",
    "now 1h",
    "now+1x",
    "now/2d",
    "now-1h/d/",
    "now||-1h",
    "||-1h",
    "2015-02-30",
    "2015-13-01",
    "2015-04-21T24:00:00Z",
    "2015-04-21T09:60:00Z",
    "2015-04-21T09:15:42+25:00",
    "21.04.2015",
    "yesterday",
    "10000-01-01",
    "now+9999y",
    "now-999999999d",
    "now+999999999y",
    "9999-12-31||/d+1d",
    " now",
    "now ",
    1.5,
    1e300,
    null,
    true,
    {},
    [],
  ])("refuses %j, naming the field", (value) => {
    for (const rounding of ["down", "up"] as const) {
      expect(refusalOf(() => parseMoment("timestamp.lte", value, rounding, now))).toMatchObject({
        code: "parameter_invalid",
        detail: { field: "timestamp.lte" },
      });
    }
  });

  const anyTime = fc.bigInt(us("1900-01-01T00:00:00Z"), us("2200-01-01T00:00:00Z"));
  const unit = fc.constantFrom("y", "M", "w", "d", "h", "H", "m", "s");
  const NEXT: Record<string, string> = { y: "+1y", M: "+1M", w: "+1w", d: "+1d" };

  test("rounds to the ends of one unit that holds the moment, and is not changed by it again", () => {
    fc.assert(
      fc.property(anyTime, unit, (nowUs, of) => {
        const first = parseMoment("x", `now/${of}`, "down", nowUs);
        const last = parseMoment("x", `now/${of}`, "up", nowUs);
        expect(first <= nowUs && nowUs <= last).toBe(true);
        expect(parseMoment("x", `now/${of}`, "down", last)).toBe(first);
        expect(parseMoment("x", `now/${of}`, "up", first)).toBe(last);
        const next = parseMoment("x", `now${NEXT[of] ?? `+1${of}`}`, "down", first);
        expect(next).toBe(last + 1n);
      }),
      propertyRuns(500),
    );
  });

  test("adds months and years as a calendar does", () => {
    const count = fc.integer({ min: -2_000, max: 2_000 });
    fc.assert(
      fc.property(anyTime, count, (nowUs, months) => {
        const sign = months < 0 ? "-" : "+";
        const moved = parseMoment("x", `now${sign}${Math.abs(months)}M`, "down", nowUs);
        const [before, after] = [nowUs, moved].map((one) => new Date(isoTime(one)));
        const monthOf = (date: Date) => date.getUTCFullYear() * 12 + date.getUTCMonth();
        expect(monthOf(after!) - monthOf(before!)).toBe(months);
        const daysOfMonth = new Date(0).setUTCFullYear(
          after!.getUTCFullYear(),
          after!.getUTCMonth() + 1,
          0,
        );
        const day = Math.min(before!.getUTCDate(), new Date(daysOfMonth).getUTCDate());
        expect(after!.getUTCDate()).toBe(day);
        expect(isoTime(moved).slice(10)).toBe(isoTime(nowUs).slice(10));
      }),
      propertyRuns(500),
    );
  });

  test("reads back every moment that RFC 3339 can say", () => {
    fc.assert(
      fc.property(fc.bigInt(LIMITS.timeUsMin, LIMITS.timeUsMax), (moment) => {
        for (const rounding of ["down", "up"] as const) {
          expect(parseMoment("x", isoTime(moment), rounding, 0n)).toBe(moment);
        }
      }),
      propertyRuns(500),
    );
  });
});
