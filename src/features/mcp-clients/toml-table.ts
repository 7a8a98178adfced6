type TomlValue = string | readonly string[];

/** A table of strings and lists of strings, as TOML 1.0 writes them. */
export function tomlTable(path: readonly string[], entry: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(entry).map(([key, value]) => `${key} = ${tomlValue(value as TomlValue)}`);
  return [`[${path.join(".")}]`, ...lines].join("\n");
}

/**
 * The text with that table in place of the one of its name, or behind everything else. Other lines stay as they are
 * written. Tables of the same name in another form (inline, or with quoted keys) are not recognised.
 */
export function withTomlTable(text: string, path: readonly string[], entry: Readonly<Record<string, unknown>>): string {
  const table = tomlTable(path, entry);
  const lines = text.split("\n");
  const isOurs = (line: string): boolean => line.replace(/#.*$/, "").replace(/\s/g, "") === `[${path.join(".")}]`;
  const start = lines.findIndex(isOurs);
  if (start < 0) {
    const before = text.trimEnd();
    return `${before === "" ? "" : `${before}\n\n`}${table}\n`;
  }
  const next = lines.findIndex((line, i) => i > start && /^\s*\[/.test(line));
  const end = next < 0 ? lines.length : next;
  // White space before the next table belongs to it.
  let last = end;
  while (last > start + 1 && (lines[last - 1] ?? "").trim() === "") last--;
  return [...lines.slice(0, start), ...table.split("\n"), ...lines.slice(last)].join("\n");
}

/** TOML's basic strings escape as JSON's do. */
function tomlValue(value: TomlValue): string {
  return typeof value === "string"
    ? JSON.stringify(value)
    : `[${value.map((item) => JSON.stringify(item)).join(", ")}]`;
}
