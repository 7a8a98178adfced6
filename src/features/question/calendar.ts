/** Spans of time as calendars have them, in UTC, as filters do. */

export interface TimeSpan {
  /** Milliseconds since the epoch, inclusive; undefined: since ever. */
  readonly start: number | undefined;
  /** Exclusive; undefined: until now and beyond. */
  readonly end: number | undefined;
}

export interface BoundedSpan extends TimeSpan {
  readonly start: number;
  readonly end: number;
}

export type CalendarUnit = "day" | "week" | "month" | "quarter" | "year";

export const DAY_MS = 86_400_000;
export const MONTHS = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
] as const;

export function daySpan(year: number, month: number, day: number): BoundedSpan {
  const start = Date.UTC(year, month, day);
  return { start, end: start + DAY_MS };
}

/** `months` whole months from the first of `month`, which counts from 0 and may lie beyond its year. */
export function monthSpan(year: number, month: number, months = 1): BoundedSpan {
  return { start: Date.UTC(year, month), end: Date.UTC(year, month + months) };
}

/** The unit that holds `now`, moved by so many of them. Weeks begin on Monday. */
export function unitSpan(unit: CalendarUnit, moved: number, now: number): BoundedSpan {
  const at = new Date(now);
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
  switch (unit) {
    case "day":
      return daySpan(year, month, day + moved);
    case "week": {
      const monday = day - ((at.getUTCDay() + 6) % 7) + 7 * moved;
      return { start: Date.UTC(year, month, monday), end: Date.UTC(year, month, monday + 7) };
    }
    case "month":
      return monthSpan(year, month + moved);
    case "quarter":
      return monthSpan(year, month - (month % 3) + 3 * moved, 3);
    case "year":
      return monthSpan(year + moved, 0, 12);
  }
}

/** The last `count` units up to and including the day of `now`. */
export function lastUnits(unit: CalendarUnit, count: number, now: number): BoundedSpan {
  const { end } = unitSpan("day", 0, now);
  const at = new Date(now);
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
  const months = { month: 1, quarter: 3, year: 12 };
  if (unit === "day" || unit === "week") return { start: end - count * (unit === "week" ? 7 : 1) * DAY_MS, end };
  return { start: Date.UTC(year, month - count * months[unit], day), end };
}

const isoDay = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** `6 July 2026`. */
function dayName(time: number): string {
  const at = new Date(time);
  const month = MONTHS[at.getUTCMonth()] ?? "";
  return `${at.getUTCDate()} ${month.charAt(0).toUpperCase()}${month.slice(1)} ${at.getUTCFullYear()}`;
}

/** A span for people, with its first and last day in ISO form: `6 July 2026 (2026-07-06)`. */
export function spanName({ start, end }: TimeSpan): string {
  if (start === undefined) return end === undefined ? "any time" : `before ${dayName(end)} (until ${isoDay(end - 1)})`;
  if (end === undefined) return `since ${dayName(start)} (from ${isoDay(start)})`;
  const last = end - 1;
  if (isoDay(start) === isoDay(last)) return `${dayName(start)} (${isoDay(start)})`;
  const days = `(${isoDay(start)} to ${isoDay(last)})`;
  const [from, to] = [new Date(start), new Date(end)];
  const isWholeMonths = from.getUTCDate() === 1 && to.getUTCDate() === 1;
  if (isWholeMonths && end === monthSpan(from.getUTCFullYear(), from.getUTCMonth()).end) {
    return `${dayName(start).replace("1 ", "")} ${days}`;
  }
  if (isWholeMonths && from.getUTCMonth() === 0 && end === monthSpan(from.getUTCFullYear(), 0, 12).end) {
    return `${from.getUTCFullYear()} ${days}`;
  }
  return `${dayName(start)} to ${dayName(last)} ${days}`;
}
