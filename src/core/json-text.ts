/**
 * JSON on one line, by whatever a reader takes for its end, and with nothing in it that a terminal acts on: C1 controls,
 * separators of lines and bidirectional overrides are escapes, as C0 controls always are. Parsed, it is `value` to the
 * character.
 */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
