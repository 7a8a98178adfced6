/**
 * JSON as Python's json.dumps writes it by default: a blank after commas and colons, everything outside printable ASCII
 * escaped. The published harness re-renders calls like this, so its weights have seen calls in no other form.
 */
export function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return `{${entries.map(([key, item]) => `${ascii(key)}: ${pythonJson(item)}`).join(", ")}}`;
  }
  return typeof value === "string" ? ascii(value) : (JSON.stringify(value) ?? "null");
}

function ascii(text: string): string {
  return JSON.stringify(text).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
