import { WinnowError } from "../../core/errors.ts";

/** Which engine a pattern is written for: Rust's regex crate or RE2. */
export type PatternDialect = "rust" | "re2";

/** An `invalid_pattern` error. `what` is a sentence without its full stop, `hint` says what to write instead. */
export function refuse(what: string, hint: string): WinnowError {
  return new WinnowError("invalid_pattern", `${what}.`, { hint });
}

/** A character that stands for itself, outside a class. */
export function literal(character: string): string {
  if (character === "\0") throw refuse("A pattern cannot contain NUL", "Leave it out; documents hold no NUL.");
  if (character === "\n") return "\\n";
  // A lone surrogate has no UTF-8 form; documents hold U+FFFD in its place.
  if (/^[\ud800-\udfff]$/.test(character)) return "\ufffd";
  return /[\\.+*?()|[\]{}^$]/.test(character) ? `\\${character}` : character;
}

/** A character that stands for itself inside a class, where Rust reads `&&`, `--`, `~~` and `[` as set operations. */
export function classLiteral(character: string): string {
  return /[&~-]/.test(character) ? `\\${character}` : literal(character);
}
