/** Cells of a table, the first row its head. Columns that hold numbers only stand to the right. */
export type Table = readonly (readonly string[])[];

const NUMBER_LIKE = /^[[+−<]*\d/;

/** A table in Markdown. Cells may hold anything; what Markdown would act on is escaped. */
export function markdownTable(table: Table): string {
  const [head = [], ...rows] = table;
  const line = (cells: readonly string[]) => `| ${cells.map(markdownText).join(" | ")} |`;
  const rule = numbersIn(table).map((isNumber) => (isNumber ? "---:|" : "---|"));
  return [line(head), `|${rule.join("")}`, ...rows.map(line)].join("\n");
}

/** For each column, whether every cell that is not empty begins like a number, and one does. The first names its row. */
function numbersIn([head = [], ...rows]: Table): boolean[] {
  return head.map((_, i) => {
    const cells = rows.map((row) => row[i] ?? "").filter((cell) => cell !== "");
    return i > 0 && cells.length > 0 && cells.every((cell) => NUMBER_LIKE.test(cell));
  });
}

/** Lines of a table with columns under each other. */
export function textTable(table: Table): string[] {
  const widths = (table[0] ?? []).map((_, i) => Math.max(...table.map((row) => row[i]?.length ?? 0)));
  const numbers = numbersIn(table);
  return table.map((row) =>
    row
      .map((cell, i) => (numbers[i] === true ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

/** One line of plain text that Markdown shows as it is. */
export function markdownText(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\`*_<|]|\[(?=[^\]]*\]\()/g, "\\$&");
}

/** As many digits as the size of a number deserves: ratios three, seconds two, counts one or none. */
export function formatValue(value: number, sizeOf: number = value): string {
  const size = Math.abs(sizeOf);
  const digits = size <= 1 ? 3 : size < 10 ? 2 : size < 1_000 ? 1 : 0;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function formatSigned(value: number, sizeOf: number): string {
  const text = formatValue(Math.abs(value), sizeOf);
  if (/^[0.,]*$/.test(text)) return text;
  return value < 0 ? `−${text}` : `+${text}`;
}

export function formatP(p: number): string {
  return p < 0.001 ? "<0.001" : p.toFixed(3);
}
