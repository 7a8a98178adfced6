import { parseDateRange } from "./filter-date.ts";
import type { Metadata, MetadataValue } from "./types.ts";

/** What a filter calls the time of the last change, under whatever key a document has it. */
export const MODIFIED_KEY = "modified";

/** Names of the last change, best first. */
const CHANGE_NAMES = [
  MODIFIED_KEY,
  "date_modified",
  "modified_at",
  "modified_date",
  "modified_time",
  "modified_on",
  "last_modified",
  "last_modified_at",
  "last_modified_date",
  "last_modified_time",
  "updated",
  "updated_at",
  "updated_date",
  "updated_time",
  "updated_on",
  "update_time",
  "update_date",
  "date_updated",
  "last_updated",
  "last_updated_at",
  "last_update",
  "last_mod",
  "last_edited",
  "last_edited_at",
  "last_edited_time",
  "edited_at",
  "last_changed",
  "changed_at",
  "revised_at",
];
/** Names of the time of what the document itself is: a turn, a post, an entry. */
const EVENT_NAMES = ["timestamp", "ts", "date", "date_time", "datetime", "time", "event_time", "sent_at"];
/** Of the file, which in a fresh clone is as old as the clone. */
const FILE_NAMES = ["mtime", "mtime_ms", "file_mtime", "file_modified", "file_modified_at"];
const CREATION_NAMES = [
  "date_created",
  "created",
  "created_at",
  "created_date",
  "created_time",
  "created_on",
  "creation_date",
  "creation_time",
  "create_time",
  "create_date",
  "date_published",
  "published",
  "published_at",
  "published_date",
  "published_on",
  "publish_date",
  "publication_date",
  "pub_date",
  "posted_at",
  "ctime",
  "ctime_ms",
  "file_ctime",
  "file_created",
];
/** They say only that the document was there. */
const INDEXING_NAMES = ["added_at", "ingested_at", "indexed_at"];

/** Front matter as some tools write it into metadata. */
const FRONT_MATTER_PREFIX = "fm_";

/** Places of all keys, best first, in the spellings that makers of metadata use: `updated_at`, `updatedAt`, … */
const RANKS: ReadonlyMap<string, number> = new Map(
  [...CHANGE_NAMES, ...EVENT_NAMES, ...FILE_NAMES, ...CREATION_NAMES, ...INDEXING_NAMES]
    .flatMap((name) => [...spellings(name), ...spellings(name).map((spelled) => FRONT_MATTER_PREFIX + spelled)])
    .map((key, rank) => [key, rank] as const)
    // The first place of a key that two names share.
    .reverse(),
);

/** Numbers are times only within these years: others are counts, ranks, years. */
const EPOCH_FIRST_MS = Date.UTC(1990, 0);
const EPOCH_END_MS = Date.UTC(2100, 0);
/** Milliseconds since 1990 are above it, seconds up to 2100 below. */
const EPOCH_SECONDS_MAX = 1e11;
const EPOCH_TEXT = /^\d{9,13}(?:\.\d{1,9})?$/;

/** How well a key says when a document last changed, smaller is better; undefined for a key that names no time. */
export function changeRank(key: string): number | undefined {
  return RANKS.get(key);
}

/** The best key of a last change that holds a time, and that time in milliseconds since the epoch. */
export function lastChange(metadata: Metadata): readonly [key: string, time: number] | undefined {
  let best: readonly [key: string, time: number] | undefined;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const [key, value] of Object.entries(metadata)) {
    const rank = RANKS.get(key);
    if (rank === undefined || rank >= bestRank) continue;
    const time = timeOf(value);
    if (time === undefined) continue;
    best = [key, time];
    bestRank = rank;
  }
  return best;
}

/** Milliseconds since the epoch of a value that is a time: an ISO date, or seconds or milliseconds since the epoch. */
export function timeOf(value: MetadataValue | undefined): number | undefined {
  const text = typeof value === "string" ? value.trim() : undefined;
  return text === undefined ? epochMs(value) : (parseDateRange(text)?.start ?? epochMs(text));
}

/** A number, or text that is one, as a time; undefined for a date and for anything else. */
export function epochMs(value: MetadataValue | undefined): number | undefined {
  const number = typeof value === "string" && EPOCH_TEXT.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isFinite(number)) return undefined;
  const milliseconds = Math.round(number < EPOCH_SECONDS_MAX ? number * 1_000 : number);
  return milliseconds >= EPOCH_FIRST_MS && milliseconds < EPOCH_END_MS ? milliseconds : undefined;
}

/**
 * When a document last changed, under whatever key its metadata says so: what a filter on `modified` means where that
 * key is missing. An ISO date as it stands, so that a day stays a day; a number as one.
 */
export function modifiedOf(metadata: Metadata): string | undefined {
  const [key, time] = lastChange(metadata) ?? [];
  if (key === undefined || time === undefined) return undefined;
  const value = metadata[key];
  const isDate = typeof value === "string" && parseDateRange(value.trim()) !== undefined;
  return isDate ? value.trim() : new Date(time).toISOString();
}

function spellings(name: string): readonly string[] {
  const words = name.split("_");
  const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
  const [first = "", ...rest] = words;
  return [...new Set([name, first + rest.map(capital).join(""), words.join("-"), words.join("")])];
}
