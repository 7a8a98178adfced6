import type { Finding } from "./finding.ts";

const BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
/** A line of a key's body, with what tools put before lines: numbers, arrows, bars, signs of a difference, quotes. */
const BODY_LINE = /^[\s\d:|>+\-→"'`]{0,24}[A-Za-z0-9+/=]{16,}["'`,\\;]{0,4}\s*$/;
/** Lines between the first one and the body: `Proc-Type: …`, `Version: …`, none. */
const BODY_HEADER = /^[\s\d:|>+\-→"'`]{0,24}(?:[A-Za-z-]{1,24}: .{0,120})?$/;
/** A key on one line, as in JSON: its line ends are escaped. */
const BODY_ON_FIRST_LINE = /^(?:\\+[nr]|[A-Za-z0-9+/=])*/;
/** How far a key can reach. One of 16,384 bits has about 13,000 units. */
const KEY_UNITS_MAX = 16_384;

/**
 * Private keys in PEM and PGP form. A key whose end is missing because an output was cut goes as far as its lines still
 * look like one.
 */
export function findPrivateKeys(text: string): Finding[] {
  const findings: Finding[] = [];
  let ends: readonly number[] | undefined;
  let next = 0;
  let covered = 0;
  for (const match of text.matchAll(BEGIN)) {
    if (match.index < covered) continue;
    ends ??= [...text.matchAll(END)].map(({ index, 0: line }) => index + line.length);
    while ((ends[next] ?? Number.POSITIVE_INFINITY) <= match.index) next++;
    const body = match.index + match[0].length;
    const end = ends[next];
    const closed = end !== undefined && end - body <= KEY_UNITS_MAX;
    covered = closed ? end : body + bodyUnits(text.slice(body, body + KEY_UNITS_MAX));
    findings.push({ start: match.index, end: covered, kind: "private-key" });
  }
  return findings;
}

/** Units after the first line that still look like a key. */
function bodyUnits(text: string): number {
  let end = BODY_ON_FIRST_LINE.exec(text)?.[0].length ?? 0;
  for (let line = text.indexOf("\n") + 1; line > 0 && line < text.length; ) {
    const found = text.indexOf("\n", line);
    const stop = found === -1 ? text.length : found;
    const content = text.slice(line, stop);
    if (BODY_LINE.test(content)) end = stop;
    else if (!BODY_HEADER.test(content)) break;
    line = stop + 1;
  }
  return end;
}
