import { plural } from "../../core/text.ts";
import type { FilesLimits } from "./limits.ts";
import { EMPTY, type Parsed, tooManyRows } from "./parse-result.ts";
import { type Row, type RowFile, rowDocuments } from "./row-document.ts";

const DELIMITERS = [",", ";", "\t", "|"];
/** Columns of one row; cells behind them are joined into the last. */
const COLUMNS_MAX = 1_000;

/**
 * A document a row of CSV or TSV; the first row names the columns. Ragged rows are kept: missing cells are absent,
 * cells beyond the header are named by their position. When a quote is never closed, quotes are taken literally, so
 * that one stray sign cannot swallow the rest of the file.
 */
export async function parseDelimited(file: RowFile, text: string, tabs: boolean, limits: FilesLimits): Promise<Parsed> {
  const delimiter = tabs ? "\t" : guessDelimiter(text);
  const notes: string[] = [];
  const records = await parseRecords(text, delimiter, limits.fileRowsMax, notes);
  if (records === undefined) return { reason: "malformed", detail: "It cannot be parsed as a table." };
  const [header, ...body] = records;
  if (header === undefined || body.length === 0) return EMPTY;
  if (body.length > limits.fileRowsMax) return tooManyRows(limits.fileRowsMax);
  const columns = columnNames(header);
  let ragged = 0;
  const rows = body.map((cells, index): Row => {
    if (cells.length !== header.length) ragged++;
    return { number: index + 1, fields: cellFields(columns, cells) };
  });
  if (ragged > 0) notes.push(`${plural(ragged, "row")} of another length than the header.`);
  const documents = rowDocuments(file, rows);
  return documents.length === 0 ? EMPTY : { documents, notes };
}

/** The sign that occurs most often in the first line outside quotes; a comma when there is none. */
function guessDelimiter(text: string): string {
  const end = text.indexOf("\n");
  const line = text.slice(0, Math.min(end === -1 ? text.length : end, 10_000)).replace(/"[^"]*"/g, "");
  const count = (sign: string) => line.split(sign).length - 1;
  return DELIMITERS.reduce((best, sign) => (count(sign) > count(best) ? sign : best));
}

async function parseRecords(
  text: string,
  delimiter: string,
  rowsMax: number,
  notes: string[],
): Promise<string[][] | undefined> {
  const { parse } = await import("csv-parse/sync");
  const options = {
    delimiter,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    // The header and one row too many, by which the caller sees that there are more.
    to: rowsMax + 2,
  };
  try {
    return parse(text, options);
  } catch {
    notes.push("A quote is not closed; quotes were taken literally.");
  }
  try {
    return parse(text, { ...options, quote: false });
  } catch {
    return undefined;
  }
}

function columnNames(header: readonly string[]): string[] {
  const taken = new Set<string>();
  return header.slice(0, COLUMNS_MAX).map((cell, index) => {
    const wanted = cell.trim() === "" ? `column ${index + 1}` : cell.trim();
    const name = taken.has(wanted) ? `${wanted} ${index + 1}` : wanted;
    taken.add(name);
    return name;
  });
}

function cellFields(columns: readonly string[], cells: readonly string[]): [string, string][] {
  const kept = cells.slice(0, COLUMNS_MAX);
  const rest = cells.slice(COLUMNS_MAX);
  if (rest.length > 0) kept.push(rest.join(" "));
  return kept.map((cell, index): [string, string] => [columns[index] ?? `column ${index + 1}`, cell]);
}
