import type { SourceDocument } from "../../core/types.ts";
import { measureJson } from "./json-nesting.ts";
import type { FilesLimits } from "./limits.ts";
import { fileMetadata } from "./metadata.ts";
import { EMPTY, type Parsed, tooDeep, tooManyRows } from "./parse-result.ts";
import { type Row, type RowFile, rowDocuments } from "./row-document.ts";

/** Indentation that pretty-printing may add; beyond it the file's own text is kept. */
const INDENT_UNITS_MAX = 32 * 1024 * 1024;

/** A list of objects gives a document a row; anything else one document, pretty-printed so that it can be split. */
export function parseJson(file: RowFile, text: string, limits: FilesLimits): Parsed {
  const size = measureJson(text);
  if (size.depth > limits.jsonDepthMax) return tooDeep(size.depth, limits.jsonDepthMax);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const notes = ["Not valid JSON; read as plain text."];
    return { documents: [jsonDocument(file, text)], notes };
  }
  if (Array.isArray(value) && value.length === 0) return EMPTY;
  if (Array.isArray(value) && value.every(isObject)) {
    if (value.length > limits.fileRowsMax) return tooManyRows(limits.fileRowsMax);
    const documents = rowDocuments(file, value.map(toRow));
    return documents.length === 0 ? EMPTY : { documents, notes: [] };
  }
  if (isObject(value) && Object.keys(value).length === 0) return EMPTY;
  const printed = size.indentUnits > INDENT_UNITS_MAX ? text : JSON.stringify(value, null, 2);
  return { documents: [jsonDocument(file, printed)], notes: [] };
}

export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toRow(value: object, index: number): Row {
  return { number: index + 1, fields: Object.entries(value) };
}

function jsonDocument(file: RowFile, text: string): SourceDocument {
  return {
    id: file.key,
    uri: file.key,
    title: file.name,
    format: "code",
    text,
    metadata: fileMetadata({}, file.key, file.mtimeMs, "json"),
  };
}
