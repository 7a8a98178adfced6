import { parseDateRange } from "../../core/filter-date.ts";
import { wellFormed } from "../../core/text.ts";
import type { Metadata, MetadataValue } from "../../core/types.ts";

/** Metadata is stored with every chunk, so it is bounded; what is too long for it stays in the text. */
export const METADATA_VALUE_UNITS_MAX = 500;
export const METADATA_LIST_MAX = 100;
export const METADATA_KEYS_MAX = 64;
const METADATA_KEY_UNITS_MAX = 100;

/** A field of a row or of front matter as metadata; undefined for nested values, null, and what is too long. */
export function metadataValue(value: unknown): MetadataValue | undefined {
  if (typeof value === "string") return value.length <= METADATA_VALUE_UNITS_MAX ? wellFormed(value) : undefined;
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
  if (!Array.isArray(value) || value.length === 0 || value.length > METADATA_LIST_MAX) return undefined;
  const members = value.map(metadataValue);
  if (members.some((member) => member === undefined || typeof member === "object")) return undefined;
  return members.map(String);
}

/** The fields that can be metadata, in their order. Entries, not assignment: a field may be called `__proto__`. */
export function metadataFrom(fields: Iterable<readonly [string, unknown]>): Metadata {
  const entries: [string, MetadataValue][] = [];
  for (const [key, field] of fields) {
    if (entries.length >= METADATA_KEYS_MAX) break;
    const value = metadataValue(field);
    if (value === undefined || value === "" || key === "" || key.length > METADATA_KEY_UNITS_MAX) continue;
    entries.push([wellFormed(key), value]);
  }
  return Object.fromEntries(entries);
}

/**
 * What front matter calls the last change, best first; truer than the time of the file's last copy, which in a fresh clone
 * is the same for all. A plain `date` is what dated entries carry (decisions, posts, changelogs).
 */
const STATED_CHANGE_KEYS = ["modified", "date_modified", "updated", "last_updated", "lastmod", "date"] as const;

/** What every document of a file carries. `modified` is what the file itself says of its last change, else its mtime. */
export function fileMetadata(own: Metadata, key: string, mtimeMs: number, language?: string): Metadata {
  const stated = STATED_CHANGE_KEYS.map((name) => (Object.hasOwn(own, name) ? own[name] : undefined)).find(isDate);
  const date = new Date(mtimeMs);
  const modified = stated ?? (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString();
  return { ...(language === undefined ? {} : { language }), ...own, modified, path: key };
}

function isDate(value: MetadataValue | undefined): value is string {
  return typeof value === "string" && parseDateRange(value.trim()) !== undefined;
}
