import type { WinnowError } from "../../core/errors.ts";
import { readEscape } from "./pattern-escape.ts";
import { classLiteral, literal, type PatternDialect, refuse } from "./pattern-literal.ts";

/** RE2's limit; larger counts are data, not patterns. */
export const REPEAT_MAX = 1_000;
/** Deeper nesting is refused, so that no engine recurses deeply. */
export const GROUP_DEPTH_MAX = 100;

const GROUP_OPENING = /\(\?(?:P?<([A-Za-z_][A-Za-z0-9_]*)>|([imsU]*(?:-[imsU]+)?)([:)]))/y;
const COUNT = /\{(\d{0,4})(,?)(\d{0,4})\}/y;
const NAMED_CLASS = /\[:\^?[a-z]+:\]/y;

/** Reads one pattern from left to right and writes its portable form (see `portablePattern`). */
export class PatternScanner {
  readonly #pattern: string;
  readonly #dialect: PatternDialect;
  #position = 0;
  #depth = 0;
  #output = "";
  /** What stands before the position: nothing that can be repeated, an atom, or an atom with its quantifier. */
  #before: "nothing" | "atom" | "quantifier" = "nothing";

  constructor(pattern: string, dialect: PatternDialect) {
    this.#pattern = pattern;
    this.#dialect = dialect;
  }

  translate(): string {
    while (this.#position < this.#pattern.length) this.#readToken();
    if (this.#depth > 0)
      throw refuse("A group is not closed", "Close it with ), or write \\( for a literal parenthesis.");
    return this.#output;
  }

  #readToken(): void {
    const character = this.#peek();
    if (character === "(") this.#openGroup();
    else if (character === ")") this.#closeGroup();
    else if (character === "[") this.#readClass();
    else if (character === "{") this.#readBrace();
    else if (character === "|") this.#write("|", 1, "nothing");
    else if (character === "\\") this.#readEscape();
    else if (/^[*+?]$/.test(character)) this.#writeQuantifier(character, 1);
    else if (/^[$^.]$/.test(character)) this.#write(character, 1, "atom");
    else this.#write(literal(character), character.length, "atom");
  }

  #readEscape(): void {
    const escaped = readEscape(this.#pattern, this.#position, this.#dialect, false);
    this.#write(escaped.output, escaped.length, "atom");
  }

  #closeGroup(): void {
    if (this.#depth === 0) throw refuse("A ) has no opening", "Write \\) for a literal parenthesis.");
    this.#depth--;
    this.#write(")", 1, "atom");
  }

  #openGroup(): void {
    let opening = "(";
    let length = 1;
    let opens = true;
    if (this.#pattern.startsWith("(?", this.#position)) {
      GROUP_OPENING.lastIndex = this.#position;
      const match = GROUP_OPENING.exec(this.#pattern);
      if (match === null) throw this.#refuseGroup();
      const [whole, name, flags = "", close] = match;
      if (flags.includes("-") && flags.split("-")[1]?.includes("m")) {
        throw refuse("The flag -m is not supported", "^ and $ always match at lines.");
      }
      if (whole === "(?)") throw this.#refuseGroup();
      opening = name === undefined ? whole : `(?P<${name}>`;
      length = whole.length;
      opens = close !== ")";
    }
    if (opens && ++this.#depth > GROUP_DEPTH_MAX)
      throw refuse("Groups are nested too deeply", "Write a flatter pattern.");
    this.#write(opening, length, "nothing");
  }

  #refuseGroup(): WinnowError {
    const rest = this.#pattern.slice(this.#position, this.#position + 4);
    if (/^\(\?<?[=!]/.test(rest)) {
      return refuse(
        "Look-around is not supported",
        "Match the text around as well, or grep twice with simpler patterns.",
      );
    }
    return refuse(`The group ${rest}… is not supported`, "Use (…), (?:…), (?P<name>…) or the flags (?i), (?s).");
  }

  #readBrace(): void {
    COUNT.lastIndex = this.#position;
    const match = COUNT.exec(this.#pattern);
    const [whole = "", low = "", comma = "", high = ""] = match ?? [];
    if (match === null || (low === "" && high === "")) {
      this.#write("\\{", 1, "atom");
      return;
    }
    if (Math.max(Number(low), Number(high)) > REPEAT_MAX || (high !== "" && Number(low) > Number(high))) {
      throw refuse(`The repetition ${whole} is not possible`, `Counts go up to ${REPEAT_MAX}, the smaller one first.`);
    }
    this.#writeQuantifier(`{${low === "" ? "0" : low}${comma}${high}}`, whole.length);
  }

  #writeQuantifier(quantifier: string, length: number): void {
    if (this.#before === "nothing") {
      throw refuse(
        `There is nothing to repeat before ${quantifier}`,
        `Write \\${quantifier} for the literal character.`,
      );
    }
    if (this.#before === "quantifier") {
      throw refuse(
        "A quantifier follows a quantifier",
        "Possessive quantifiers are not supported; put a group around the first.",
      );
    }
    const lazy = this.#pattern.charAt(this.#position + length) === "?" ? "?" : "";
    this.#write(quantifier + lazy, length + lazy.length, "quantifier");
  }

  #readClass(): void {
    const start = this.#position;
    const negated = this.#pattern.charAt(start + 1) === "^";
    this.#write(negated ? "[^" : "[", negated ? 2 : 1, "nothing");
    const first = this.#position;
    let range: "none" | "start" | "end" = "none";
    while (this.#peek() !== "]" || this.#position === first) {
      if (this.#position >= this.#pattern.length) {
        throw refuse("A character class is not closed", "Close it with ], or write \\[ for a literal bracket.");
      }
      range = this.#readClassItem(range, this.#position === first);
    }
    this.#write("]", 1, "atom");
  }

  /** Reads one item. `range` says whether the item before can start a range, or has just been given its end to come. */
  #readClassItem(range: "none" | "start" | "end", first: boolean): "none" | "start" | "end" {
    const character = this.#peek();
    if (character === "-" && range !== "end") {
      const next = this.#pattern.charAt(this.#position + 1);
      const nextIsSet = /^\\[dDwWsSpP]/.test(this.#pattern.slice(this.#position + 1, this.#position + 3));
      const hyphen = first || range !== "start" || next === "]" || nextIsSet;
      this.#write(hyphen ? "\\-" : "-", 1, "nothing");
      return hyphen ? "none" : "end";
    }
    if (character === "\\") {
      const escaped = readEscape(this.#pattern, this.#position, this.#dialect, true);
      this.#write(escaped.output, escaped.length, "nothing");
      return escaped.isSet || range === "end" ? "none" : "start";
    }
    NAMED_CLASS.lastIndex = this.#position;
    const named = NAMED_CLASS.exec(this.#pattern)?.[0];
    if (named !== undefined) {
      this.#write(named, named.length, "nothing");
      return "none";
    }
    this.#write(classLiteral(character), character.length, "nothing");
    return range === "end" ? "none" : "start";
  }

  #peek(): string {
    const codePoint = this.#pattern.codePointAt(this.#position);
    return codePoint === undefined ? "" : String.fromCodePoint(codePoint);
  }

  #write(output: string, length: number, before: "nothing" | "atom" | "quantifier"): void {
    this.#output += output;
    this.#position += length;
    this.#before = before;
  }
}
