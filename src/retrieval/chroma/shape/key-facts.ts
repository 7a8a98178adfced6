import { epochMs } from "../../../core/change-time.ts";
import { parseDateRange } from "../../../core/filter-date.ts";
import type { ChromaMetadata } from "../collection.ts";

/** What a sample of records shows about one metadata key. */
export interface KeyFact {
  readonly key: string;
  /** Share of the records that carry it with a value, 0 to 1. */
  readonly present: number;
  readonly type: "text" | "whole" | "number" | "boolean" | "list" | "mixed";
  /** Different values, counted as text. */
  readonly distinct: number;
  /** Every value is a date. */
  readonly dates: boolean;
  /** Every value can be a time in seconds or milliseconds since the epoch. */
  readonly epochs: boolean;
  /** Every value is an absolute path or an address. */
  readonly places: boolean;
  /** Some value is a list joined with ", ". */
  readonly joined: boolean;
}

/** Values that look at is enough to tell a joined list from a sentence. */
const JOINED_MEMBER_UNITS_MAX = 40;
const JOINED_MEMBERS_MIN = 2;
const ADDRESS = /^[a-z][a-z0-9+.-]*:\/\/\S/i;
const ABSOLUTE = /^(\/|~\/|[A-Za-z]:[\\/])\S?/;

/** Facts about every key of the records, by key. Pure: the order of the records changes nothing. */
export function keyFacts(records: readonly (ChromaMetadata | null)[]): readonly KeyFact[] {
  const values = new Map<string, unknown[]>();
  for (const metadata of records) {
    for (const [key, value] of Object.entries(metadata ?? {})) {
      if (value === null || value === undefined || value === "") continue;
      const held = values.get(key) ?? [];
      held.push(value);
      values.set(key, held);
    }
  }
  return [...values].map(([key, held]) => factOf(key, held, records.length)).sort((a, b) => (a.key < b.key ? -1 : 1));
}

function factOf(key: string, values: readonly unknown[], records: number): KeyFact {
  const types = new Set(values.map(typeOf));
  const [only = "mixed"] = types;
  const type =
    types.size === 1 ? only : [...types].every((one) => one === "whole" || one === "number") ? "number" : "mixed";
  const texts = values.map(String);
  return {
    key,
    present: values.length / records,
    type,
    distinct: new Set(texts).size,
    dates: type === "text" && texts.every((text) => isFullDate(text)),
    epochs: texts.every((text) => epochMs(text) !== undefined),
    places: type === "text" && texts.every((text) => isPlace(text)),
    joined: type === "text" && texts.some(isJoined),
  };
}

/** True for what a person can open as it is: an absolute path or an address. */
export function isPlace(text: string): boolean {
  return ABSOLUTE.test(text) || ADDRESS.test(text);
}

/** A year alone may be any number. */
function isFullDate(text: string): boolean {
  return text.length >= "2026-05".length && parseDateRange(text.trim()) !== undefined;
}

function isJoined(text: string): boolean {
  const members = text.split(", ");
  return members.length >= JOINED_MEMBERS_MIN && members.every((member) => member.length <= JOINED_MEMBER_UNITS_MAX);
}

function typeOf(value: unknown): KeyFact["type"] {
  if (typeof value === "string") return "text";
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "number") return Number.isInteger(value) ? "whole" : "number";
  return Array.isArray(value) ? "list" : "mixed";
}
