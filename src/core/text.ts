/** Pure helpers over text. Offsets are UTF-16 units everywhere. */

/**
 * A chunk's text as it is shown and counted: outer white space removed, a blank line after it. Showing exactly this
 * form is what lets counts be stored: a block that ends in line ends cannot merge with the next one (see blocks.ts).
 */
export function shownText(text: string): string {
  return `${text.trim()}\n\n`;
}

/** Line ends become `\n`. Line numbers are unchanged. */
export function normalizeLineEnds(text: string): string {
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}

/** Cuts at a code point boundary so that the result has at most `unitsMax` UTF-16 units, the ellipsis included. */
export function truncate(text: string, unitsMax: number): string {
  if (text.length <= unitsMax) return text;
  let end = Math.max(0, unitsMax - 1);
  const last = text.charCodeAt(end - 1);
  if (last >= 0xd800 && last <= 0xdbff) end--;
  return `${text.slice(0, end)}…`;
}

/** One line, inner white space collapsed, at most `unitsMax` units. */
export function oneLine(text: string, unitsMax: number): string {
  return truncate(text.replace(/\s+/g, " ").trim(), unitsMax);
}

/**
 * Without the characters at both ends that `isEdge` accepts. A pattern that ends in `+$` does the same in time squared,
 * where a long run of such characters does not stand at the end.
 */
export function trimmedOf(text: string, isEdge: RegExp): string {
  let [start, end] = [0, text.length];
  while (start < end && isEdge.test(text.charAt(start))) start++;
  while (end > start && isEdge.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Without spaces and tabs at the ends of lines, in one pass. */
export function withoutTrailingBlanks(text: string): string {
  return text.split("\n").map(withoutTrailing).join("\n");
}

function withoutTrailing(line: string): string {
  let end = line.length;
  while (line[end - 1] === " " || line[end - 1] === "\t") end--;
  return line.slice(0, end);
}

/** Removes what a terminal would act on (C0, C1, DEL; tab and line end stay) and bidirectional overrides. */
export function stripControl(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the purpose
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "");
}

/** Replaces lone surrogates, which have no UTF-8 form and would change on the way through a file. */
export function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
}

/** 1-based line number of each offset, offsets ascending. */
export function lineNumbers(text: string, offsets: readonly number[]): number[] {
  let line = 1;
  let position = 0;
  return offsets.map((offset) => {
    for (let next = text.indexOf("\n", position); next !== -1 && next < offset; next = text.indexOf("\n", position)) {
      line++;
      position = next + 1;
    }
    return line;
  });
}

/** `1 file`, `2 files`: a count with its noun. */
export function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? noun : many}`;
}
