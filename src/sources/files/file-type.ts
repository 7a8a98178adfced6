import { languageOf } from "./languages.ts";

export type FileType =
  | { readonly kind: "markdown" | "text" | "html" | "json" | "json-lines" }
  | { readonly kind: "delimited"; readonly tabs: boolean }
  | { readonly kind: "code"; readonly language: string };

const TEXT_EXTENSIONS = new Set(["txt", "text", "rst", "adoc", "asciidoc", "org", "log", "textile", "srt", "vtt"]);

const KIND_BY_EXTENSION: ReadonlyMap<string, FileType> = new Map<string, FileType>([
  ["md", { kind: "markdown" }],
  ["mdx", { kind: "markdown" }],
  ["markdown", { kind: "markdown" }],
  ["html", { kind: "html" }],
  ["htm", { kind: "html" }],
  ["xhtml", { kind: "html" }],
  ["json", { kind: "json" }],
  ["jsonl", { kind: "json-lines" }],
  ["ndjson", { kind: "json-lines" }],
  ["csv", { kind: "delimited", tabs: false }],
  ["tsv", { kind: "delimited", tabs: true }],
]);

/** `README`, `LICENSE`, `TODO`, `NOTICE`, `AUTHORS`, …: names in capitals without an extension are prose by custom. */
const CAPITALS = /^[A-Z][A-Z0-9_-]*$/;

/** The last part of a name after a dot, in lower case; empty when there is none or the name only starts with a dot. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot <= 0 ? "" : name.slice(dot + 1).toLowerCase();
}

/** How a file of this name is read, or undefined where the name says nothing that we can read. */
export function fileTypeOf(name: string): FileType | undefined {
  const extension = extensionOf(name);
  const language = languageOf(name.toLowerCase(), extension);
  if (language !== undefined) return { kind: "code", language };
  const known = KIND_BY_EXTENSION.get(extension);
  if (known !== undefined) return known;
  return TEXT_EXTENSIONS.has(extension) || CAPITALS.test(name) ? { kind: "text" } : undefined;
}
