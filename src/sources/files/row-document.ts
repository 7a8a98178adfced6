import { normalizeLineEnds, oneLine, wellFormed } from "../../core/text.ts";
import type { Metadata, SourceDocument } from "../../core/types.ts";
import { TITLE_UNITS_MAX } from "./markdown-document.ts";
import { fileMetadata, METADATA_VALUE_UNITS_MAX, metadataFrom } from "./metadata.ts";

/** A row of a table or one object of a list: its 1-based number and its fields in order. */
export interface Row {
  readonly number: number;
  readonly fields: readonly (readonly [string, unknown])[];
}

/** The file that rows come from. */
export interface RowFile {
  readonly key: string;
  readonly mtimeMs: number;
  readonly name: string;
}

const ROW_ID_UNITS_MAX = 200;
const TEXT_FIELDS = ["text", "content", "body"];
const TITLE_FIELDS = ["title", "name"];
const ID_FIELDS = ["_id", "id"];

/**
 * One document a row, with ids unique within the file: `key#<_id or id>`, else `key#<row number>`; a repeated id gets
 * the row number added. With a text field, the text is that field, and other fields that cannot be metadata because
 * they are long follow it as `field: value`. Without one, the text is all fields. Rows without any text give nothing.
 */
export function rowDocuments(file: RowFile, rows: Iterable<Row>): SourceDocument[] {
  const taken = new Set<string>();
  const documents: SourceDocument[] = [];
  for (const row of rows) {
    const document = rowDocument(file, row, taken);
    if (document !== undefined) documents.push(document);
  }
  return documents;
}

function rowDocument(file: RowFile, row: Row, taken: Set<string>): SourceDocument | undefined {
  const textField = firstField(row, TEXT_FIELDS, (value) => typeof value === "string" && value.trim() !== "");
  const titleField = firstField(row, TITLE_FIELDS, isTitle);
  const others = row.fields.filter(([key]) => key !== textField?.[0]);
  const text =
    textField === undefined ? lines(others) : textWithLongFields(String(textField[1]), others, titleField?.[0]);
  if (text.trim() === "") return undefined;
  const id = uniqueRowId(row, taken);
  const title = titleField === undefined ? `${file.name}#${id}` : oneLine(String(titleField[1]), TITLE_UNITS_MAX);
  return {
    id: `${file.key}#${id}`,
    uri: file.key,
    title: wellFormed(title),
    format: "row",
    text: wellFormed(normalizeLineEnds(text)),
    metadata: rowMetadata(file, others, titleField?.[0]),
  };
}

function isTitle(value: unknown): boolean {
  return (typeof value === "string" && value.trim() !== "") || typeof value === "number";
}

function firstField(
  row: Row,
  names: readonly string[],
  accepts: (value: unknown) => boolean,
): readonly [string, unknown] | undefined {
  for (const name of names) {
    const field = row.fields.find(([key, value]) => key.toLowerCase() === name && accepts(value));
    if (field !== undefined) return field;
  }
  return undefined;
}

function uniqueRowId(row: Row, taken: Set<string>): string {
  const field = firstField(row, ID_FIELDS, isRowId);
  const wanted = field === undefined ? String(row.number) : wellFormed(String(field[1]).trim());
  let id = wanted;
  // Numbered from the row on, so that which of two equal ids keeps its name does not depend on rows after them.
  for (let number = row.number; taken.has(id); number++) id = `${wanted}-${number}`;
  taken.add(id);
  return id;
}

function isRowId(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  return (
    typeof value === "string" && /^[^\p{Cc}\u2028\u2029]+$/u.test(value.trim()) && value.length <= ROW_ID_UNITS_MAX
  );
}

function rowMetadata(file: RowFile, others: Row["fields"], titleKey: string | undefined): Metadata {
  const own = metadataFrom(others.filter(([key]) => key !== titleKey));
  return fileMetadata(own, file.key, file.mtimeMs);
}

function textWithLongFields(text: string, others: Row["fields"], titleKey: string | undefined): string {
  const long = others.filter(
    ([key, value]) => key !== titleKey && typeof value === "string" && value.length > METADATA_VALUE_UNITS_MAX,
  );
  return long.length === 0 ? text : `${text}\n\n${lines(long)}`;
}

function lines(fields: Row["fields"]): string {
  const written = fields.map(([key, value]) => [key, fieldText(value)] as const).filter(([, value]) => value !== "");
  return written.map(([key, value]) => `${key}: ${value}`).join("\n");
}

function fieldText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value.trim();
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
