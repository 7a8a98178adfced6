import type { RepairCode } from "./repairs.ts";

export interface LooseJson {
  readonly value: unknown;
  /** What had to be overlooked; empty for JSON as it should be. */
  readonly repairs: readonly RepairCode[];
}

/** Nesting that is followed; deeper text is no JSON of ours. */
const DEPTH_MAX = 64;
/** JSON within a JSON text, within a JSON text. */
const UNWRAPS_MAX = 2;

/**
 * Reads JSON as models write it: with text around it, raw line ends, invalid escapes, single quotes, bare keys, Python's
 * literals, stray commas, and without its end. Plain JSON is read by JSON.parse. Undefined when nothing of the kind is
 * there. Never throws; time linear in the text.
 */
export function readLooseJson(text: string, unwraps = UNWRAPS_MAX): LooseJson | undefined {
  const strict = parseStrict(text);
  if (strict === undefined) {
    const reader = new LooseReader(text);
    const value = reader.read();
    return value === undefined ? undefined : { value, repairs: [...reader.repairs] };
  }
  if (typeof strict.value === "string" && unwraps > 0 && /^\s*[{[]/.test(strict.value)) {
    const inner = readLooseJson(strict.value, unwraps - 1);
    if (inner !== undefined) return { value: inner.value, repairs: ["json_in_text", ...inner.repairs] };
  }
  return { value: strict.value, repairs: [] };
}

function parseStrict(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};
const LITERALS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["true", true],
  ["false", false],
  ["null", null],
  ["True", true],
  ["False", false],
  ["None", null],
]);
const STRICT_LITERALS = new Set(["true", "false", "null"]);
/** Signals that no value stands where one is needed, or that the text is nested too deeply. */
const NOTHING = Symbol("nothing");

class LooseReader {
  readonly repairs = new Set<RepairCode>();
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The first object or list of the text, or undefined. */
  read(): unknown {
    const start = this.#text.search(/[{[]/);
    if (start < 0) return undefined;
    this.#at = start;
    const value = this.#value(0);
    if (value === NOTHING) return undefined;
    const around = this.#text.slice(0, start) + this.#text.slice(this.#at);
    if (around.trim() !== "") this.repairs.add("json_surrounded");
    return value;
  }

  #skipSpace(): void {
    while (this.#at < this.#text.length && this.#text.charAt(this.#at).trim() === "") this.#at++;
  }

  #value(depth: number): unknown {
    if (depth > DEPTH_MAX) return NOTHING;
    this.#skipSpace();
    const char = this.#text.charAt(this.#at);
    if (char === "{") return this.#object(depth);
    if (char === "[") return this.#list(depth);
    if (char === '"' || char === "'") return this.#string(char);
    return this.#bare();
  }

  #object(depth: number): unknown {
    this.#at++;
    const entries: [string, unknown][] = [];
    while (this.#more("}")) {
      const char = this.#text.charAt(this.#at);
      const key = char === '"' || char === "'" ? this.#string(char) : this.#bareKey();
      if (key === undefined) return NOTHING;
      this.#skipSpace();
      if (this.#text.charAt(this.#at) !== ":") {
        // A key at the very end is the beginning of an entry that was never written.
        if (this.#at < this.#text.length) return NOTHING;
        this.repairs.add("json_closed");
        break;
      }
      this.#at++;
      this.#skipSpace();
      if (this.#at >= this.#text.length) continue;
      const value = this.#value(depth + 1);
      if (value === NOTHING) return NOTHING;
      entries.push([key, value]);
    }
    return Object.fromEntries(entries);
  }

  #list(depth: number): unknown {
    this.#at++;
    const items: unknown[] = [];
    while (this.#more("]")) {
      const value = this.#value(depth + 1);
      if (value === NOTHING) return NOTHING;
      items.push(value);
    }
    return items;
  }

  /** Skips to the next entry; false past the closing sign or at the end of the text. */
  #more(close: "}" | "]"): boolean {
    let commas = 0;
    for (;;) {
      this.#skipSpace();
      const char = this.#text.charAt(this.#at);
      if (char === ",") commas++;
      else {
        if (char === close) {
          this.#at++;
          if (commas > 0) this.repairs.add("json_loose");
          return false;
        }
        // The other sign closes as well: `{"a": [1}`.
        if (char === "}" || char === "]" || char === "") {
          this.repairs.add("json_closed");
          return false;
        }
        if (commas > 1) this.repairs.add("json_loose");
        return true;
      }
      this.#at++;
    }
  }

  #string(quote: string): string {
    if (quote === "'") this.repairs.add("json_loose");
    this.#at++;
    let value = "";
    for (;;) {
      const char = this.#text.charAt(this.#at);
      if (char === "") {
        this.repairs.add("json_closed");
        return value;
      }
      this.#at++;
      if (char === quote) return value;
      if (char === "\\") value += this.#escape();
      else {
        if (char < " ") this.repairs.add("json_escapes");
        value += char;
      }
    }
  }

  /** A backslash that begins no escape stands for itself: patterns are full of them. */
  #escape(): string {
    const char = this.#text.charAt(this.#at);
    const unicode = /^u([0-9a-fA-F]{4})/.exec(this.#text.slice(this.#at, this.#at + 5))?.[1];
    if (unicode !== undefined) {
      this.#at += 5;
      return String.fromCharCode(Number.parseInt(unicode, 16));
    }
    const known = ESCAPES[char];
    if (known !== undefined) {
      this.#at++;
      if (char === "'") this.repairs.add("json_loose");
      return known;
    }
    this.repairs.add("json_escapes");
    return "\\";
  }

  #bareKey(): string | undefined {
    const key = this.#run(/[\w$-]/);
    if (key === "") return undefined;
    this.repairs.add("json_loose");
    return key;
  }

  /** A number or a literal. */
  #bare(): unknown {
    const word = this.#run(/[\w+.-]/);
    if (LITERALS.has(word)) {
      if (!STRICT_LITERALS.has(word)) this.repairs.add("json_loose");
      return LITERALS.get(word);
    }
    const number = parseStrict(word)?.value ?? (/^[+]?\d/.test(word) ? Number(word) : undefined);
    if (typeof number !== "number" || !Number.isFinite(number)) return NOTHING;
    return number;
  }

  #run(unit: RegExp): string {
    const start = this.#at;
    while (this.#at < this.#text.length && unit.test(this.#text.charAt(this.#at))) this.#at++;
    return this.#text.slice(start, this.#at);
  }
}
