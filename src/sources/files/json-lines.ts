import { plural } from "../../core/text.ts";
import { isObject } from "./json-document.ts";
import { measureJson } from "./json-nesting.ts";
import type { FilesLimits } from "./limits.ts";
import { EMPTY, type Parsed, tooManyRows } from "./parse-result.ts";
import { type Row, type RowFile, rowDocuments } from "./row-document.ts";

/** Line numbers named in a note; of further ones only the count. */
const LINES_NAMED_MAX = 10;

/** A document a line. Lines that are not JSON objects (or plain strings) are left out and named in a note. */
export function parseJsonLines(file: RowFile, text: string, limits: FilesLimits): Parsed {
  const rows: Row[] = [];
  const broken: number[] = [];
  let line = 0;
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf("\n", start);
    const end = found === -1 ? text.length : found;
    line++;
    const source = text.slice(start, end).trim();
    start = end + 1;
    if (source === "") continue;
    if (rows.length >= limits.fileRowsMax) return tooManyRows(limits.fileRowsMax);
    const row = parseRow(source, line, limits.jsonDepthMax);
    if (row === undefined) broken.push(line);
    else rows.push(row);
  }
  if (rows.length === 0 && broken.length > 0) {
    return { reason: "malformed", detail: "No line of it is a JSON object." };
  }
  const documents = rowDocuments(file, rows);
  if (documents.length === 0) return EMPTY;
  return { documents, notes: broken.length === 0 ? [] : [brokenNote(broken)] };
}

function parseRow(source: string, number: number, depthMax: number): Row | undefined {
  if (measureJson(source).depth > depthMax) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    return undefined;
  }
  if (typeof value === "string") return { number, fields: [["text", value]] };
  return isObject(value) ? { number, fields: Object.entries(value) } : undefined;
}

function brokenNote(broken: readonly number[]): string {
  const named = broken.slice(0, LINES_NAMED_MAX).join(", ");
  const more = broken.length > LINES_NAMED_MAX ? ", …" : "";
  return `Left out ${plural(broken.length, "line")} not holding a readable JSON object: ${named}${more}.`;
}
