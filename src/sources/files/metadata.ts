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

/** What every document of a file carries. A file's own `modified` is truer than the time of its last copy. */
export function fileMetadata(own: Metadata, key: string, mtimeMs: number, language?: string): Metadata {
  const date = new Date(mtimeMs);
  const modified = (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString();
  return { ...(language === undefined ? {} : { language }), modified, ...own, path: key };
}
