import type { SourceDocument, TextFormat } from "../../core/types.ts";
import { parseDelimited } from "./delimited.ts";
import type { FileType } from "./file-type.ts";
import { readFrontMatter } from "./front-matter.ts";
import { readHtml } from "./html-document.ts";
import { parseJson } from "./json-document.ts";
import { parseJsonLines } from "./json-lines.ts";
import type { FilesLimits } from "./limits.ts";
import { firstHeading } from "./markdown-document.ts";
import { fileMetadata, metadataFrom } from "./metadata.ts";
import { EMPTY, type Parsed } from "./parse-result.ts";
import type { RowFile } from "./row-document.ts";

/** Decoded text to documents, by the type of the file. Never throws for what the text says. */
export async function parseFile(file: RowFile, type: FileType, text: string, limits: FilesLimits): Promise<Parsed> {
  if (text.trim() === "") return EMPTY;
  switch (type.kind) {
    case "markdown":
      return parseMarkdown(file, text);
    case "html":
      return parseHtml(file, text, limits);
    case "json":
      return parseJson(file, text, limits);
    case "json-lines":
      return parseJsonLines(file, text, limits);
    case "delimited":
      return parseDelimited(file, text, type.tabs, limits);
    case "text":
      return { documents: [wholeFile(file, "text", text, {})], notes: [] };
    case "code":
      return { documents: [wholeFile(file, "code", text, { language: type.language })], notes: [] };
  }
}

interface WholeFile {
  readonly title?: string | undefined;
  readonly language?: string;
  readonly metadata?: SourceDocument["metadata"];
}

function wholeFile(file: RowFile, format: TextFormat, text: string, parts: WholeFile): SourceDocument {
  return {
    id: file.key,
    uri: file.key,
    title: parts.title ?? file.name,
    format,
    text,
    metadata: fileMetadata(parts.metadata ?? {}, file.key, file.mtimeMs, parts.language),
  };
}

/** Front matter stays in the text, so that lines and offsets are those of the file that a person opens. */
async function parseMarkdown(file: RowFile, text: string): Promise<Parsed> {
  const front = await readFrontMatter(text);
  if (front.isPrivate) return { reason: "private", detail: "Its front matter says `private: true`." };
  const metadata = metadataFrom(front.fields);
  const named = metadata["title"];
  const title = named === undefined || typeof named === "object" ? firstHeading(text, front.end) : String(named);
  const notes = front.note === undefined ? [] : [front.note];
  return { documents: [wholeFile(file, "markdown", text, { title, metadata })], notes };
}

async function parseHtml(file: RowFile, text: string, limits: FilesLimits): Promise<Parsed> {
  const page = await readHtml(text, limits.htmlDepthMax);
  if (page.text.trim() === "") return EMPTY;
  const title = page.title ?? firstHeading(page.text, 0);
  const notes = page.note === undefined ? [] : [page.note];
  return { documents: [wholeFile(file, "markdown", page.text, { title })], notes };
}
