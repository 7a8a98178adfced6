/** The span of time that a date names: `start` inclusive, `end` exclusive, milliseconds since the epoch. */
export interface DateRange {
  readonly start: number;
  readonly end: number;
}

/** What to write where `parseDateRange` reads nothing. */
export const DATE_HINT = "Write an ISO date, whole or in part: 2026, 2026-05 or 2026-05-14.";

const ISO_DATE =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?)?)?$/i;

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * Reads an ISO 8601 date, whole or cut off at any part: `2026` is that year, `2026-05` that month, `2026-05-03` that
 * day, `2026-05-03T10:00` that minute. Without an offset it is UTC, so that the same corpus answers alike everywhere.
 * Undefined for anything else and for dates that do not exist (`2026-02-30`).
 */
export function parseDateRange(text: string): DateRange | undefined {
  const match = ISO_DATE.exec(text);
  if (match === null) return undefined;
  const [, year = "", month, day, hour, minute, second, fraction, zone] = match;
  const y = Number(year);
  const m = month === undefined ? 0 : Number(month) - 1;
  const d = day === undefined ? 1 : Number(day);
  const start = utc(y, m, d);
  const date = new Date(start);
  if (m > 11 || date.getUTCMonth() !== m || date.getUTCDate() !== d) return undefined;
  if (month === undefined) return { start, end: utc(y + 1, 0, 1) };
  if (day === undefined) return { start, end: utc(y, m + 1, 1) };
  if (hour === undefined || minute === undefined) return { start, end: start + DAY_MS };
  return timeRange(start, Number(hour), Number(minute), second, fraction, offsetMs(zone));
}

function timeRange(
  dayStart: number,
  hour: number,
  minute: number,
  second: string | undefined,
  fraction: string | undefined,
  offset: number | undefined,
): DateRange | undefined {
  const seconds = Number(second ?? 0);
  if (hour > 23 || minute > 59 || seconds > 59 || offset === undefined) return undefined;
  const milliseconds = fraction === undefined ? 0 : Number(fraction.padEnd(3, "0").slice(0, 3));
  const start = dayStart + (hour * 60 + minute) * MINUTE_MS + seconds * SECOND_MS + milliseconds - offset;
  const span = second === undefined ? MINUTE_MS : fraction === undefined ? SECOND_MS : 1;
  return { start, end: start + span };
}

function offsetMs(zone: string | undefined): number | undefined {
  if (zone === undefined || zone.toUpperCase() === "Z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * MINUTE_MS;
}

/** `Date.UTC` without its reading of years below 100 as 19xx. */
function utc(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  return date.getTime();
}
