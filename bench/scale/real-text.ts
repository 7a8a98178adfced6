// Real text from folders of documentation: Markdown, reStructuredText, HTML, POD, manual pages, plain text, any of them
// compressed with gzip. Markup is only taken off roughly: what the words are matters here, not where they stand.
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { gunzipSync } from "node:zlib";

const TEXT = /\.(md|markdown|rst|txt|text|html?|xhtml|pod|[1-8][a-z]{0,4})$/i;
const FILE_BYTES_MAX = 4_000_000;
const PARAGRAPH_WORDS_MIN = 5;

/** Pieces of about so many words from all files below the folders, in the order of their names; no piece twice. */
export async function* realPieces(folders: readonly string[], words: number): AsyncGenerator<string> {
  const known = new Set<string>();
  for (const folder of folders) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.sort()) {
      for (const piece of pieces((await textOf(file)) ?? "", words)) {
        const start = piece.slice(0, 200);
        if (known.has(start)) continue;
        known.add(start);
        yield piece;
      }
    }
  }
}

async function textOf(file: string): Promise<string | undefined> {
  const name = file.replace(/\.gz$/, "");
  if (!TEXT.test(name)) return undefined;
  const raw = await readFile(file);
  if (raw.length > FILE_BYTES_MAX) return undefined;
  const text = (name === file ? raw : gunzipSync(raw)).toString("utf8");
  const extension = extname(name).toLowerCase();
  if (/^\.x?html?$/.test(extension)) return plainHtml(text);
  return /^\.[1-8]/.test(extension) ? plainRoff(text) : text;
}

function plainHtml(html: string): string {
  return html
    .replace(/<(script|style|head|nav)\b[\s\S]*?<\/\1>/gi, " ")
    .replace(/<\/?(p|div|li|h[1-6]|pre|tr|dt|dd|br|section|table|ul|ol)\b[^>]*>/gi, "\n\n")
    .replace(/<[^>]*>/g, "")
    .replace(/&(lt|gt|amp|quot|nbsp|#\d+);/g, " ");
}

function plainRoff(roff: string): string {
  return roff
    .replace(/^[.']\\".*$/gm, "")
    .replace(/^\.(PP|P|TP|SH|SS|IP|HP|LP)\b/gm, "\n\n")
    .replace(/^\.[A-Za-z]+ ?/gm, "")
    .replace(/\\f[A-Z]|\\[-&e|^]/g, "");
}

/** Paragraphs gathered up to so many words; one that is longer is cut. */
function* pieces(text: string, words: number): Generator<string> {
  let held: string[] = [];
  for (const paragraph of text.split(/\n\s*\n/)) {
    const found = paragraph.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
    if (found.length < PARAGRAPH_WORDS_MIN) continue;
    held = held.concat(found);
    while (held.length >= words) {
      yield held.slice(0, words).join(" ");
      held = held.slice(words);
    }
  }
  if (held.length >= words / 2) yield held.join(" ");
}
