import { randomBytes } from "node:crypto";
import { styleText } from "node:util";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan" | "strikethrough";

/** Marks the colours that are ours on their way to the terminal: nobody who wrote a document can have known it. */
const MARK = randomBytes(12).toString("hex");
const MARKED = new RegExp(`\u001b\\[(\\d{1,2});${MARK}m`, "g");
// biome-ignore lint/suspicious/noControlCharactersInRegex: what a colour begins with
const PLAIN_COLOUR = /\u001b\[(\d{1,2})m/g;

/** Every control but tab and line end, and what turns the direction of text around. */
const HARMFUL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the purpose
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Text in a colour of ours, for `harmless` to let through. */
export function coloured(style: Style, text: string): string {
  const [before = "", after = ""] = styleText(style, "\u0000", { validateStream: false }).split("\u0000");
  const marked = (code: string): string => code.replace(PLAIN_COLOUR, `\u001b[$1;${MARK}m`);
  return `${marked(before)}${text}${marked(after)}`;
}

/**
 * The last gate before a terminal: whatever a document, a name, a record or a model wrote, no control gets through but
 * line ends, tabs and the colours of `coloured`.
 */
export function harmless(text: string): string {
  if (!text.includes("\u001b")) return text.replace(HARMFUL, "");
  // What stands between two colours of ours is cleaned; the numbers of the colours are every second part.
  const parts = text.split(MARKED);
  return parts.map((part, i) => (i % 2 === 0 ? part.replace(HARMFUL, "") : `\u001b[${part}m`)).join("");
}

/** Text as a part of one line: a name may hold line ends, and would begin a line of its own. */
export function inLine(text: string): string {
  return text.replace(/[\n\r\u2028\u2029]+/g, " ");
}
