import { lineNumbers } from "../../core/text.ts";

export interface FrontMatter {
  readonly fields: readonly (readonly [string, unknown])[];
  /** The author marked the document as not to be indexed. */
  readonly isPrivate: boolean;
  /** Offset of the first unit after the closing fence; 0 without front matter. */
  readonly end: number;
  readonly note?: string;
}

export const FRONT_MATTER_UNITS_MAX = 64 * 1024;
/** Nesting beyond which front matter is not parsed; a recursive parser would meet the end of its stack. */
const NESTING_MAX = 32;

const NONE: FrontMatter = { fields: [], isPrivate: false, end: 0 };

/**
 * Reads the YAML block at the start of a Markdown document. Never throws: a broken block gives no fields and a note,
 * and still counts as private when a line of it says so, because a typing error must not publish a document. Dates stay
 * the ISO text that they are written in.
 */
export async function readFrontMatter(text: string): Promise<FrontMatter> {
  const block = findBlock(text);
  if (block === undefined) return NONE;
  const says = /^["']?private["']?[ \t]*:[ \t]*["']?(?:true|yes|on)\b/im.test(block.yaml);
  const broken = (reason: string): FrontMatter => ({
    fields: [],
    isPrivate: says,
    end: block.end,
    note: `The front matter was not read: ${reason}.`,
  });
  if (nestsTooDeep(block.yaml)) return broken("it is nested too deeply");
  let value: unknown;
  try {
    const { parse } = await import("yaml");
    // Without pretty errors: they cost the length of the text for each error, and the last of thousands is never shown.
    value = parse(block.yaml, { schema: "core", maxAliasCount: 20, logLevel: "error", prettyErrors: false });
  } catch (error) {
    return broken(reasonOf(error, block.yaml));
  }
  if (value === null || value === undefined) return { ...NONE, end: block.end };
  if (typeof value !== "object" || Array.isArray(value)) return broken("it is not a list of keys and values");
  const fields = Object.entries(value);
  const marked = fields.some(([key, field]) => key.toLowerCase() === "private" && field === true);
  return { fields, isPrivate: says || marked, end: block.end };
}

function reasonOf(error: unknown, yaml: string): string {
  if (!(error instanceof Error)) return "it is not YAML";
  const [start] = "pos" in error && Array.isArray(error.pos) ? (error.pos as readonly unknown[]) : [];
  const [line] = typeof start === "number" ? lineNumbers(yaml, [start]) : [];
  const reason = (error.message.split("\n")[0] ?? "").replace(/[.:]$/, "");
  // The fence is the first line of the file.
  return line === undefined ? reason : `${reason} at line ${line + 1}`;
}

function findBlock(text: string): { readonly yaml: string; readonly end: number } | undefined {
  if (!/^---[ \t]*\n/.test(text)) return undefined;
  const close = /\n(?:---|\.\.\.)[ \t]*(?:\n|$)/g;
  close.lastIndex = text.indexOf("\n");
  // The closing fence may follow the opening one at once, so the search starts on its line end.
  const match = close.exec(text.slice(0, FRONT_MATTER_UNITS_MAX));
  if (match === null) return undefined;
  const start = text.indexOf("\n") + 1;
  return { yaml: text.slice(start, Math.max(start, match.index)), end: match.index + match[0].length };
}

function nestsTooDeep(yaml: string): boolean {
  let flow = 0;
  for (const character of yaml) {
    if (character === "[" || character === "{") flow++;
    else if ((character === "]" || character === "}") && flow > 0) flow--;
    if (flow > NESTING_MAX) return true;
  }
  const indent = new RegExp(`^(?:[ \\t]|[-?:][ \\t]){${4 * NESTING_MAX},}|(?:[-?:][ \\t]+){${NESTING_MAX},}`, "m");
  return indent.test(yaml);
}
