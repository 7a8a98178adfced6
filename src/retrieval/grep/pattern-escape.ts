import { classLiteral, literal, type PatternDialect, refuse } from "./pattern-literal.ts";

interface Escape {
  readonly output: string;
  /** Units that the escape takes in the pattern. */
  readonly length: number;
  /** Whether it stands for a set of characters, so that it cannot bound a range. */
  readonly isSet: boolean;
}

/** What `\d`, `\w` and `\s` are to Rust, in terms that RE2 knows: its own are ASCII. */
const UNICODE_SETS = new Map([
  ["d", "\\p{Nd}"],
  ["w", "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}"],
  ["s", "\\t-\\r \\x{85}\\p{Z}"],
]);

const UNICODE_CLASS = /\\[pP](?:[A-Za-z]|\{[A-Za-z_]+\})/y;
const CODE_POINT =
  /\\(?:x([0-9A-Fa-f]{2})|[xu]\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})(?:\\u([Dd][C-Fc-f][0-9A-Fa-f]{2}))?)/y;

const ESCAPE_HINT = "Write the character itself, or escape only punctuation.";

const HINTS = new Map([
  ["A", "Use ^, which matches at the start of every line."],
  ["z", "Use $, which matches at the end of every line."],
  ["Z", "Use $, which matches at the end of every line."],
  ["Q", "Escape each special character with a backslash."],
  ["h", "Use [ \\t]."],
  ["R", "Use \\n."],
]);

/** Reads the escape at `position`, which holds a backslash. */
export function readEscape(pattern: string, position: number, dialect: PatternDialect, inClass: boolean): Escape {
  const codePoint = pattern.codePointAt(position + 1);
  if (codePoint === undefined) throw refuse("The pattern ends with a backslash", "Write \\\\ for a literal backslash.");
  const next = String.fromCodePoint(codePoint);
  if (/^[dDwWsS]$/.test(next)) return { output: setEscape(next, dialect, inClass), length: 2, isSet: true };
  if (/^[nrtfva]$/.test(next)) return { output: `\\${next}`, length: 2, isSet: false };
  if (/^[bB]$/.test(next) && !inClass) return { output: `\\${next}`, length: 2, isSet: true };
  if (/^[pP]$/.test(next)) return unicodeClass(pattern, position);
  if (/^[xu]$/.test(next)) return codePointEscape(pattern, position, inClass);
  if (/^[1-9k]$/.test(next)) {
    throw refuse(
      "Back-references are not supported",
      "Grep for the repeated part itself, or for both parts separately.",
    );
  }
  if (/^[0-9A-Za-z]$/.test(next)) throw refuse(`\\${next} is not supported`, HINTS.get(next) ?? ESCAPE_HINT);
  return { output: inClass ? classLiteral(next) : literal(next), length: 1 + next.length, isSet: false };
}

function setEscape(letter: string, dialect: PatternDialect, inClass: boolean): string {
  const set = UNICODE_SETS.get(letter.toLowerCase());
  if (dialect === "rust" || set === undefined) return `\\${letter}`;
  if (letter === "D") return "\\P{Nd}";
  const negated = letter !== letter.toLowerCase();
  // RE2 has no nested classes; `[\s\S]` is what negated sets in a class are used for, and that still is everything.
  if (inClass) return negated ? `\\${letter}` : set;
  return negated ? `[^${set}]` : `[${set}]`;
}

function unicodeClass(pattern: string, position: number): Escape {
  UNICODE_CLASS.lastIndex = position;
  const output = UNICODE_CLASS.exec(pattern)?.[0];
  if (output === undefined) throw refuse("A Unicode class is malformed", "Write \\p{L}, \\p{Lu} or \\p{Greek}.");
  return { output, length: output.length, isSet: true };
}

function codePointEscape(pattern: string, position: number, inClass: boolean): Escape {
  CODE_POINT.lastIndex = position;
  const match = CODE_POINT.exec(pattern);
  if (match === null) throw refuse("A code point escape is malformed", "Write \\x41 or \\x{1F600}.");
  const [whole, two, braced, four, low] = match;
  let codePoint = Number.parseInt(two ?? braced ?? four ?? "", 16);
  const high = codePoint >= 0xd800 && codePoint <= 0xdbff;
  if (high && low !== undefined) codePoint = 0x10000 + (codePoint - 0xd800) * 0x400 + Number.parseInt(low, 16) - 0xdc00;
  // A low surrogate after something else is an escape of its own, and lone.
  const length = low !== undefined && !high ? whole.length - 6 : whole.length;
  if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) {
    throw refuse(`${whole.slice(0, length)} is not a character`, "Write \\x41 or \\x{1F600}.");
  }
  const character = String.fromCodePoint(codePoint);
  return { output: inClass ? classLiteral(character) : literal(character), length, isSet: false };
}
