import type { Hit } from "../../core/types.ts";

/** Names of files that programs make for looking things up, whatever stands in them. */
const INDEX_NAME =
  /^(?:(?:search|lunr)[-_.]?(?:index|data)|(?:gen|mod|py-mod)index|general-?index|sitemap(?:[-_.]?\w{1,20})?)$/iu;
/** Names of pages that list other pages, where the text is nothing but a list. */
const CONTENTS_NAME = /^(?:_?toc|(?:table-?of-?)?contents|summary|_?sidebar|_?navbar)$/iu;
const INDEX_NAME_NOISE = 0.9;

/** Fewer links than this make no list of links. */
const LINKS_MIN = 6;
/** Lines from which entries of a table of contents, or of a list, are one. */
const ENTRIES_MIN = 6;
/** Length from which a token may be encoded data: identifiers, hashes of commits and most paths are shorter. */
const OPAQUE_UNITS_MIN = 44;
/** Length from which a line without white space is no line that a person wrote. */
const PACKED_UNITS_MIN = 400;
/** Tokens from which digits in base 16 are a dump. */
const DUMP_TOKENS_MIN = 40;
/** Words of an entry in a list of titles. */
const TITLE_WORDS_MAX = 8;

/**
 * How much of a text is made for machines or only points elsewhere, 0 to 1: lists of links, tables of contents, search
 * indexes, minified programs, encoded data. 0 for what a person may want to read: prose, code, tables, logs, lists with
 * something to say. `uri` adds what the name of a file tells. Linear in the length of the text.
 */
export function noiseShare(text: string, uri = ""): number {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return Math.max(byName(uri, lines), linkNoise(text), entryNoise(lines), encodedNoise(text), packedNoise(lines));
}

/**
 * Hits with those of noise demoted by its share, best first, for a query of plain words; any other query (an identifier, a
 * path, a quoted string) leaves them as they are, and so does a chunk that holds the query as it stands: it may be what
 * was looked for.
 */
export function demoteNoise(hits: readonly Hit[], query: string): readonly Hit[] {
  if (!isPlainQuestion(query)) return hits;
  const wanted = folded(query);
  let isChanged = false;
  const weighed = hits.map((hit): Hit => {
    const noise = hit.score > 0 ? noiseShare(hit.chunk.text, hit.chunk.uri) : 0;
    if (noise === 0 || folded(hit.chunk.text).includes(wanted)) return hit;
    isChanged = true;
    return { ...hit, score: hit.score * (1 - noise) };
  });
  // Equal scores stay in their order.
  return isChanged ? weighed.sort((a, b) => b.score - a.score) : hits;
}

/** Three words at least, most of them plain ones, and not quoted as a whole. */
export function isPlainQuestion(query: string): boolean {
  const trimmed = query.trim();
  if (/^["'`“].*["'`”]$/su.test(trimmed)) return false;
  const tokens = trimmed.split(/\s+/u);
  const plain = tokens.filter((token) => /^[("'“‘]?\p{L}[\p{Ll}\p{Lo}\p{M}'’-]*[)"'”’.,!?:;]{0,3}$/u.test(token));
  return tokens.length >= 3 && plain.length >= 0.6 * tokens.length;
}

const folded = (text: string): string => text.replace(/\s+/gu, " ").trim().toLowerCase();

/** 0 up to `from`, 1 from `to` on. */
function ramp(value: number, from: number, to: number): number {
  return Math.max(0, Math.min(1, (value - from) / (to - from)));
}

function byName(uri: string, lines: readonly string[]): number {
  const [path = ""] = uri.split(/[#?]/u);
  const file = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  const stem = file.replace(/(?:\.[A-Za-z]\w{0,9}){1,2}$/u, "");
  if (INDEX_NAME.test(stem)) return INDEX_NAME_NOISE;
  return CONTENTS_NAME.test(stem) ? INDEX_NAME_NOISE * ramp(titleShare(lines), 0.75, 0.95) : 0;
}

/** Share of lines that may be titles: a few words, and no end of a sentence. */
function titleShare(lines: readonly string[]): number {
  if (lines.length < ENTRIES_MIN) return 0;
  const titles = lines.filter((line) => {
    const bare = line.trim().replace(/\]\([^)]{0,500}\)/gu, "]");
    return !/[.!?:;,|]$/u.test(bare) && bare.split(/\s+/u).length <= TITLE_WORDS_MAX + 1;
  });
  return titles.length / lines.length;
}

const LINK =
  /!?\[([^\]\n]{0,300})\](?:\([^)\n]{0,800}\)|\[[^\]\n]{0,200}\]|:[ \t]*\S{1,800})|\[\[([^\]\n]{1,300})\]\]|<?https?:\/\/[^\s<>]{1,800}>?/gu;

/**
 * What stands outside of links, headings aside, against what stands in them. An address by itself is one word. Rows of a
 * table say something by where they stand, links and all.
 */
function linkNoise(text: string): number {
  let links = 0;
  let inside = 0;
  const rest = text
    .replace(/^[ \t]{0,8}\|.*$/gmu, (row) => row.replace(/\]\([^)\n]{0,800}\)/gu, " ").replaceAll("[", " "))
    .replace(LINK, (_, label: string | undefined, page: string | undefined) => {
      links++;
      inside += Math.max(1, wordsIn(label ?? page ?? ""));
      return " ";
    })
    .replace(/^ {0,3}#{1,6} .*$/gmu, "");
  return links < LINKS_MIN ? 0 : ramp(inside / (inside + wordsIn(rest)), 0.7, 0.9);
}

function wordsIn(text: string): number {
  return text.match(/\p{L}{2,}/gu)?.length ?? 0;
}

/** `Title ......... 12`, and `name() (module.class method)` as documentation tools index names. */
function entryNoise(lines: readonly string[]): number {
  const entries = lines.filter(
    (line) =>
      /(?:\.[ \t]?){4}[ \t]*(?:\d{1,4}|[ivxl]{1,6})[ \t]*$/u.test(line) ||
      /\((?:in module [\w.]{1,80}|[\w.]{1,80} (?:method|attribute|property|member|enumerator|module)|class in [\w.]{1,80}|built-in function|module)\)(?:,? ?\[\d{1,3}\])*[ \t]*$/u.test(
        line,
      ),
  );
  return entries.length < ENTRIES_MIN ? 0 : ramp(entries.length / lines.length, 0.5, 0.8);
}

/** Base 64 and long digits in base 16, and dumps of bytes. */
function encodedNoise(text: string): number {
  const tokens = text.split(/\s+/u).filter((token) => token !== "");
  const units = tokens.reduce((sum, { length }) => sum + length, 0);
  const opaque = tokens.reduce((sum, token) => sum + opaqueUnits(token), 0);
  return Math.max(ramp(opaque / Math.max(1, units), 0.55, 0.85), dumpNoise(tokens));
}

function opaqueUnits(token: string): number {
  if (token.length < OPAQUE_UNITS_MIN) return 0;
  const runs = token.match(/[A-Za-z0-9+/=_-]+/gu) ?? [];
  return runs.reduce((sum, run) => sum + (isOpaque(run) ? run.length : 0), 0);
}

/** Letters and digits by turns, as no word, identifier or path has them over such a length. */
function isOpaque(run: string): boolean {
  if (run.length < OPAQUE_UNITS_MIN) return false;
  const joints = run.match(/[/_-]/gu)?.length ?? 0;
  const digits = run.match(/\d/gu)?.length ?? 0;
  let changes = 0;
  for (let i = 1; i < run.length; i++) if (kindOf(run.charCodeAt(i)) !== kindOf(run.charCodeAt(i - 1))) changes++;
  return joints < 0.1 * run.length && digits >= 0.05 * run.length && changes >= 0.3 * run.length;
}

function kindOf(code: number): number {
  if (code >= 48 && code <= 57) return 0;
  if (code >= 65 && code <= 90) return 1;
  return code >= 97 && code <= 122 ? 2 : 3;
}

function dumpNoise(tokens: readonly string[]): number {
  if (tokens.length < DUMP_TOKENS_MIN) return 0;
  const digits = tokens.filter((token) => /^(?:0x)?[0-9a-f]{2,8}[:,]?$/iu.test(token));
  const lettered = digits.filter((token) => /[a-f]/iu.test(token.replace("0x", "")) && /^[^g-z]*$/iu.test(token));
  return lettered.length < 0.3 * digits.length ? 0 : ramp(digits.length / tokens.length, 0.5, 0.8);
}

/** Long lines of brackets and quotes without white space: minified programs, serialized data. */
function packedNoise(lines: readonly string[]): number {
  const units = lines.reduce((sum, { length }) => sum + length, 0);
  const packed = lines.reduce((sum, line) => sum + (isPacked(line) ? line.length : 0), 0);
  return ramp(packed / Math.max(1, units), 0.4, 0.8);
}

function isPacked(line: string): boolean {
  if (line.length < PACKED_UNITS_MIN) return false;
  const blanks = line.match(/\s/gu)?.length ?? 0;
  const signs = line.match(/[{}()[\]"'`;=]/gu)?.length ?? 0;
  return blanks <= 0.06 * line.length && signs >= 0.04 * line.length;
}
