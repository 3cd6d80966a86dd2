// Durations as people write them: `90s`, `15m`, `24h`, `7d`, `2w`; and as Go does: `1h30m`.

import { SluiceError } from "#lib/base/errors.ts";

const UNIT_MS: Record<string, number> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** Longer ones would end past the last moment that a date can say. */
const DURATION_MS_MAX = 1_000 * 365 * UNIT_MS["d"]!;

/** Above zero, up to 1,000 years. Throws `parameter_invalid` naming the field. */
export function durationMs(field: string, text: string): number {
  const match = /^(\d{1,9})([smhdw])$/.exec(text);
  const ms = match === null ? 0 : Number(match[1]) * UNIT_MS[match[2]!]!;
  if (ms > 0 && ms <= DURATION_MS_MAX) return ms;
  const message = `"${field}" must be a duration like 24h or 7d, not "${text}"`;
  throw new SluiceError("parameter_invalid", message, { field });
}

/** Whole seconds, above zero, of parts one after the other. Throws `parameter_invalid`. */
export function goDurationMs(field: string, text: string, msMax: number): number {
  const parts = [...text.matchAll(/(\d{1,9})([smhdw])/g)];
  const isWhole = parts.map(([part]) => part).join("") === text;
  const ms = parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNIT_MS[unit!]!, 0);
  if (isWhole && ms > 0 && ms <= msMax) return ms;
  const message = `"${field}" must be a duration like 1m, 1h or 1d, not "${text}"`;
  throw new SluiceError("parameter_invalid", message, { field });
}
