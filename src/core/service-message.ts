import { truncate } from "./text.ts";

const MESSAGE_UNITS_MAX = 300;
const KEY_STAND_IN = "…";

/** What a service says in the body of a refusal, on one line, cut, and without the key, which some services repeat. */
export function messageOf(text: string, key: string | undefined): string {
  return cleanMessage(spoken(text), key);
}

/** One line of foreign text that is safe to print: no key, no control characters, at most 300 units. */
export function cleanMessage(text: string, key: string | undefined): string {
  const hidden = withoutKey(text, key);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal would act on them
  const clean = hidden.replace(/[\u0000-\u001f\u007f-\u009f\s]+/g, " ").trim();
  return truncate(clean, MESSAGE_UNITS_MAX + 1);
}

/** The text with every occurrence of the key replaced. */
export function withoutKey(text: string, key: string | undefined): string {
  return key === undefined || key === "" ? text : text.replaceAll(key, KEY_STAND_IN);
}

/** `{"error":{"message":…}}`, `{"error":…}`, `{"message":…}`, or the text itself. */
function spoken(text: string): string {
  try {
    const parsed: unknown = JSON.parse(text);
    const error = field(parsed, "error") ?? field(parsed, "message");
    const inner = field(error, "message") ?? error;
    return typeof inner === "string" ? inner : text;
  } catch {
    return text;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
