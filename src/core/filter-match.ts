import { changeRank, epochMs, MODIFIED_KEY, modifiedOf } from "./change-time.ts";
import type { Filter, Predicate } from "./filter.ts";
import { parseDateRange } from "./filter-date.ts";
import type { Metadata, MetadataValue } from "./types.ts";

/**
 * True when every predicate holds. This function is the meaning of a filter: a store that evaluates filters itself
 * must agree with it.
 *
 * - A missing key fails every predicate but `!=`. A list satisfies a predicate when one of its members does, `!=` when
 *   none is equal.
 * - `modified` is every document's time of change: where the key itself is missing, the one that its makers use.
 * - A number under a key that names a time is compared with a date as the time that it stands for.
 * - Numbers compare as numbers when both sides are; text is a number when it is a plain decimal of at most 15 digits
 *   without leading zeros (so `007` and long ids stay text).
 * - Dates compare as dates when both sides are ISO dates. A partial date (`2026`, `2026-05`) is a span: `=` means
 *   within it, `<` and `>=` compare with its start, `>` and `<=` with its end.
 * - `true` and `false` in any case equal booleans. Booleans have no order.
 * - All else is text: `=`, `in` and `contains` are exact, case included; order is by code unit. A number or a date is
 *   never ordered against something else: that predicate is false.
 * - `contains` is membership in a list, substring of a text (lists kept as text joined with ", " included).
 */
export function matchesFilter(filter: Filter, metadata: Metadata): boolean {
  return filter.every((predicate) => matchesPredicate(predicate, metadata));
}

function matchesPredicate(predicate: Predicate, metadata: Metadata): boolean {
  const { key } = predicate;
  const held = Object.hasOwn(metadata, key) ? metadata[key] : undefined;
  const actual = held === undefined && key === MODIFIED_KEY ? modifiedOf(metadata) : asDate(held, predicate);
  if (predicate.operator === "!=") return actual === undefined || !someMember(actual, predicate, equals);
  if (actual === undefined) return false;
  switch (predicate.operator) {
    case "=":
    case "in":
      return someMember(actual, predicate, equals);
    case "contains":
      return someMember(actual, predicate, typeof actual === "string" ? (a, e) => String(a).includes(e) : equals);
    case "<":
      return someMember(actual, predicate, (a, e) => before(a, e) === true);
    case ">=":
      return someMember(actual, predicate, (a, e) => before(a, e) === false);
    case ">":
      return someMember(actual, predicate, (a, e) => after(a, e) === true);
    case "<=":
      return someMember(actual, predicate, (a, e) => after(a, e) === false);
  }
}

/** Seconds or milliseconds since the epoch as a date, where it is to be compared with dates. */
function asDate(held: MetadataValue | undefined, { key, values }: Predicate): MetadataValue | undefined {
  const time = changeRank(key) === undefined ? undefined : epochMs(held);
  const isDated = time !== undefined && values.every((value) => parseDateRange(value) !== undefined);
  return isDated ? new Date(time).toISOString() : held;
}

type Scalar = string | number | boolean;

function someMember(
  actual: MetadataValue,
  predicate: Predicate,
  test: (actual: Scalar, expected: string) => boolean,
): boolean {
  const members: readonly Scalar[] = typeof actual === "object" ? actual : [actual];
  return members.some((member) => predicate.values.some((expected) => test(member, expected)));
}

function equals(actual: Scalar, expected: string): boolean {
  if (typeof actual === "boolean") return String(actual) === expected.toLowerCase();
  const numbers = bothNumbers(actual, expected);
  if (numbers !== undefined) return numbers[0] === numbers[1];
  const spans = bothDates(actual, expected);
  if (spans !== undefined) return spans[0].start >= spans[1].start && spans[0].end <= spans[1].end;
  return String(actual) === expected;
}

/** Whether `actual` lies before the start of `expected`; undefined when the two have no common order. */
function before(actual: Scalar, expected: string): boolean | undefined {
  const numbers = bothNumbers(actual, expected);
  if (numbers !== undefined) return numbers[0] < numbers[1];
  const spans = bothDates(actual, expected);
  if (spans !== undefined) return spans[0].start < spans[1].start;
  return bothText(actual, expected) ? String(actual) < expected : undefined;
}

/** Whether `actual` lies after the end of `expected`; undefined when the two have no common order. */
function after(actual: Scalar, expected: string): boolean | undefined {
  const numbers = bothNumbers(actual, expected);
  if (numbers !== undefined) return numbers[0] > numbers[1];
  const spans = bothDates(actual, expected);
  if (spans !== undefined) return spans[0].start >= spans[1].end;
  return bothText(actual, expected) ? String(actual) > expected : undefined;
}

function bothNumbers(actual: Scalar, expected: string): readonly [number, number] | undefined {
  const right = toNumber(expected);
  const left = typeof actual === "number" ? actual : typeof actual === "string" ? toNumber(actual) : undefined;
  return left === undefined || right === undefined ? undefined : [left, right];
}

const PLAIN_DECIMAL = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;
/** As many digits as a double keeps exactly. */
const DIGITS_MAX = 15;

function toNumber(text: string): number | undefined {
  if (text.length > DIGITS_MAX + 2 || !PLAIN_DECIMAL.test(text)) return undefined;
  return text.replace(/[-.]/g, "").length > DIGITS_MAX ? undefined : Number(text);
}

function bothDates(actual: Scalar, expected: string) {
  if (typeof actual !== "string") return undefined;
  const right = parseDateRange(expected);
  const left = right === undefined ? undefined : parseDateRange(actual);
  return left === undefined || right === undefined ? undefined : ([left, right] as const);
}

/** Plain text on both sides: `unknown` is not later than 2026, nor is it greater than 5. */
function bothText(actual: Scalar, expected: string): boolean {
  const plain = (text: string) => toNumber(text) === undefined && parseDateRange(text) === undefined;
  return typeof actual === "string" && plain(expected) && plain(actual);
}
