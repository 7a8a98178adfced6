import { createHash } from "node:crypto";
import { changeRank, timeOf } from "../../core/change-time.ts";
import { parseDateRange } from "../../core/filter-date.ts";
import { normalizeLineEnds, oneLine, stripControl, truncate, wellFormed } from "../../core/text.ts";
import type { Metadata, MetadataValue, SourceDocument, TextFormat } from "../../core/types.ts";
import type { ChromaRecord } from "../../retrieval/chroma/collection.ts";
import { isPlace } from "../../retrieval/chroma/shape/key-facts.ts";
import { KEY_HINTS } from "../../retrieval/chroma/shape/key-hints.ts";
import { metadataFrom } from "../../sources/files/metadata.ts";
import { type CollectionShape, documentNameOf } from "./collection-shape.ts";

/** Between the records of a document: the records themselves stay apart as chunks. */
const SEPARATOR = "\n\n";
/** Characters of one record that are taken: what is longer is no part of a document, and would fill the memory. */
export const RECORD_TEXT_UNITS_MAX = 1_000_000;
const ID_UNITS_MAX = 500;
const TITLE_UNITS_MAX = 300;
/** Different values of one key that a document of several records keeps. */
const MERGED_VALUES_MAX = 20;
const HASH_UNITS = 12;
const TURN_KEYS: readonly string[] = KEY_HINTS.turn;
/** Keys that say what a part of a document is about. Who speaks is worth a filter over whole conversations. */
const SECTION_KEYS: readonly string[] = KEY_HINTS.heading.filter((key) => !TURN_KEYS.includes(key));

/** Where a record lies in the text of its document, what follows it up to the next one included. */
export interface RecordSpan {
  readonly recordId: string;
  readonly start: number;
  readonly end: number;
  /** What the record itself is called, e.g. its section or who speaks. */
  readonly heading: string | undefined;
}

export interface RecordDocument {
  readonly document: SourceDocument;
  readonly spans: readonly RecordSpan[];
  /** Records that were left out because they hold no text. */
  readonly withoutText: number;
  /** Records whose text was cut at `RECORD_TEXT_UNITS_MAX`. */
  readonly cut: number;
}

export type TextRecord = Pick<ChromaRecord, "id" | "document" | "metadata">;

/**
 * The document that these records make: their texts in order, their metadata merged. Undefined where none has a text.
 * `collection` stands in the address of documents that have no place of their own. Pure.
 */
export function recordDocument(
  records: readonly TextRecord[],
  shape: CollectionShape,
  collection: string,
): RecordDocument | undefined {
  const ordered = inOrder(records, shape.orderKey);
  const spans: RecordSpan[] = [];
  let text = "";
  let cut = 0;
  for (const record of ordered) {
    const whole = record.document ?? "";
    const own = normalizeLineEnds(wellFormed(truncate(whole, RECORD_TEXT_UNITS_MAX))).replaceAll("\0", "\ufffd");
    if (whole.length > RECORD_TEXT_UNITS_MAX) cut++;
    if (own.trim() === "") continue;
    if (text !== "") text += SEPARATOR;
    const start = spans.length === 0 ? 0 : text.length;
    text += own;
    spans.push({ recordId: record.id, start, end: text.length, heading: headingOf(record) });
  }
  const [first] = ordered;
  if (first === undefined || spans.length === 0) return undefined;
  const tiled = spans.map((span, at) => ({ ...span, end: spans[at + 1]?.start ?? text.length }));
  const name = documentNameOf(first, shape);
  const id = documentIdOf(name);
  const document: SourceDocument = {
    id,
    uri: uriOf(ordered, shape, collection, name),
    title: titleOf(ordered, shape, name),
    format: formatOf(shape),
    text,
    metadata: mergedMetadata(ordered, shape),
  };
  return { document, spans: tiled, withoutText: ordered.length - spans.length, cut };
}

/** A name as the id of a document: without control characters and of bounded length, and still one of its own. */
export function documentIdOf(name: string): string {
  const clean = stripControl(wellFormed(name)).replace(/[\t\n]/g, " ");
  if (clean === name && name.length <= ID_UNITS_MAX) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, HASH_UNITS);
  return `${truncate(clean, ID_UNITS_MAX - HASH_UNITS - 1)}~${hash}`;
}

/** By the order key, as numbers or dates where they are; then by id, digits as numbers. Records without it come last. */
export function inOrder<Record extends TextRecord>(
  records: readonly Record[],
  orderKey: string | undefined,
): readonly Record[] {
  const keyed = records.map((record) => ({
    record,
    place: orderKey === undefined ? Number.POSITIVE_INFINITY : placeOf(record.metadata?.[orderKey]),
  }));
  return keyed
    .sort((a, b) => (a.place === b.place ? byId(a.record, b.record) : a.place < b.place ? -1 : 1))
    .map(({ record }) => record);
}

function placeOf(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || value.trim() === "") return Number.POSITIVE_INFINITY;
  const number = Number(value);
  if (Number.isFinite(number)) return number;
  return parseDateRange(value.trim())?.start ?? Number.POSITIVE_INFINITY;
}

const numeric = new Intl.Collator("en", { numeric: true });

function byId(a: TextRecord, b: TextRecord): number {
  return numeric.compare(a.id, b.id) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function formatOf({ role }: CollectionShape): TextFormat {
  return role === "sessions" || role === "traces" ? "text" : "markdown";
}

function titleOf(records: readonly TextRecord[], { titleKey }: CollectionShape, name: string): string {
  for (const { metadata } of titleKey === undefined ? [] : records) {
    const value = metadata?.[titleKey ?? ""];
    if (typeof value === "string" && value.trim() !== "")
      return oneLine(stripControl(wellFormed(value)), TITLE_UNITS_MAX);
  }
  const last = isPlace(name) || name.includes("/") ? (name.split(/[\\/]/).filter(Boolean).at(-1) ?? name) : name;
  return oneLine(stripControl(wellFormed(last)), TITLE_UNITS_MAX);
}

function uriOf(records: readonly TextRecord[], { uriKey }: CollectionShape, collection: string, name: string): string {
  const value = uriKey === undefined ? undefined : records[0]?.metadata?.[uriKey];
  if (typeof value === "string" && isPlace(value)) return stripControl(wellFormed(value));
  return `chroma://${encodeURIComponent(collection)}/${encodeURIComponent(wellFormed(name))}`;
}

function headingOf({ metadata }: TextRecord): string | undefined {
  for (const key of KEY_HINTS.heading) {
    const value = metadata?.[key];
    if (typeof value === "string" && value.trim() !== "")
      return oneLine(stripControl(wellFormed(value)), TITLE_UNITS_MAX);
  }
  return undefined;
}

/**
 * One value for each key: the value that all records share; of dates the latest, since it says when the document was
 * last touched; of a few different texts or truths the list of them. Other keys that differ say nothing of the whole.
 */
function mergedMetadata(records: readonly TextRecord[], { orderKey }: CollectionShape): Metadata {
  const values = new Map<string, MetadataValue[]>();
  for (const { metadata } of records) {
    for (const [key, value] of Object.entries(metadataFrom(Object.entries(metadata ?? {})))) {
      const held = values.get(key) ?? [];
      held.push(value);
      values.set(key, held);
    }
  }
  const merged: [string, MetadataValue][] = [];
  for (const [key, held] of [...values].sort(([a], [b]) => (a < b ? -1 : 1))) {
    // A section's heading stands above its own chunk.
    if (records.length > 1 && SECTION_KEYS.includes(key)) continue;
    const value = merge(held, records.length > 1 && key === orderKey, changeRank(key) !== undefined);
    if (value !== undefined) merged.push([key, value]);
  }
  return Object.fromEntries(merged);
}

function merge(values: readonly MetadataValue[], isOrder: boolean, isTime: boolean): MetadataValue | undefined {
  const distinct = [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
  const [first] = distinct;
  if (distinct.length === 1 && !isOrder) return first;
  if (distinct.every(isTime ? (value) => timeOf(value) !== undefined : isDate)) return latest(distinct);
  if (isOrder || distinct.length > MERGED_VALUES_MAX || distinct.some((value) => typeof value === "number")) {
    return undefined;
  }
  return [...new Set(distinct.flatMap((value) => (typeof value === "object" ? value : [String(value)])))];
}

const isDate = (value: MetadataValue): boolean =>
  typeof value === "string" && parseDateRange(value.trim()) !== undefined;

function latest(times: readonly MetadataValue[]): MetadataValue | undefined {
  return [...times].sort((a, b) => (timeOf(b) ?? 0) - (timeOf(a) ?? 0) || (String(a) < String(b) ? 1 : -1))[0];
}
