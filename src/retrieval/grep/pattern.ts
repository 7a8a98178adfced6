import { PATTERN_UNITS_MAX } from "./grep.ts";
import { type PatternDialect, refuse } from "./pattern-literal.ts";
import { PatternScanner } from "./pattern-scanner.ts";

/**
 * Rewrites a pattern so that the engine of `dialect` reads it as the other one does: what only one of them knows is
 * translated or refused here, groups are known to be balanced, and literal `{` and `[` that people write for other
 * engines are escaped. Throws `invalid_pattern`, with a hint that a model can act on. What is left to the engines are
 * unknown Unicode classes, reversed ranges and the size of the compiled pattern.
 */
export function portablePattern(pattern: string, dialect: PatternDialect): string {
  if (pattern === "") throw refuse("The pattern is empty", "Give at least one character to look for.");
  if (pattern.length > PATTERN_UNITS_MAX) {
    throw refuse(`The pattern is longer than ${PATTERN_UNITS_MAX} characters`, "Look for a shorter part of it.");
  }
  return new PatternScanner(pattern, dialect).translate();
}
