import { parseDateRange } from "../../core/filter-date.ts";

/** One version of a changelog file: a contiguous part of its text. */
export interface ChangelogEntry {
  /** As the heading writes it, without brackets and a leading "v"; `Unreleased` likewise. */
  readonly version: string;
  /** ISO date of the heading, where it has one. */
  readonly date?: string;
  /** UTF-16 offsets into the file's text. */
  readonly start: number;
  readonly end: number;
  /** Headings of the kinds of change: `Added`, `Fixed`, … */
  readonly kinds: readonly string[];
  /** The release was withdrawn: keepachangelog.com writes `[YANKED]`. */
  readonly yanked: boolean;
}

/** What a version heading says: `[1.2.0] - 2026-05-14`, `v1.2.0 (2026-05-14)`, `Unreleased`, `1.2.0 / 2026-05-14`. */
const VERSION = /^\[?(v?\d+(?:\.\d+){0,3}(?:[-+][0-9A-Za-z.-]{1,60})?|unreleased)\]?(?:\([^)]{0,300}\))?(.{0,200})$/iu;
const DATE = /(\d{4})[-/.](\d{2})[-/.](\d{2})/u;
const LINE_UNITS_MAX = 600;
const KIND_UNITS_MAX = 60;
const KINDS_MAX = 20;

/**
 * The versions of a changelog in the order of the file, after https://keepachangelog.com/en/1.1.0 and what tools make of
 * it. What stands before the first version belongs to none. Empty for a text that is no such changelog.
 */
export function parseChangelog(text: string): ChangelogEntry[] {
  const headings = headingsOf(text);
  const heads = headings.flatMap(({ line, level, start }, at) => {
    const match = VERSION.exec(line);
    return match === null ? [] : [{ version: match[1] ?? "", rest: match[2] ?? "", level, start, at }];
  });
  // A patch may stand one level below its minor version; anything deeper than that is a part of an entry.
  const top = Math.min(...heads.map(({ level }) => level));
  const versions = heads.filter(({ level }) => level <= top + 1);
  return versions.map(({ version, start, rest, at }, i) => {
    const end = versions[i + 1]?.start ?? text.length;
    const date = dateOf(rest);
    const inside = headings.slice(at + 1, versions[i + 1]?.at);
    return {
      version: version.replace(/^v(?=\d)/iu, ""),
      ...(date === undefined ? {} : { date }),
      ...{ start, end, kinds: kindsOf(inside), yanked: /\[yanked\]/iu.test(rest) },
    };
  });
}

interface Heading {
  /** Without its marks. */
  readonly line: string;
  readonly level: number;
  readonly start: number;
}

/** Headings outside code fences. */
function headingsOf(text: string): Heading[] {
  const headings: Heading[] = [];
  let fenced = false;
  for (let position = 0; position < text.length; ) {
    const newline = text.indexOf("\n", position);
    const end = newline === -1 ? text.length : newline;
    const line = text.slice(position, Math.min(end, position + LINE_UNITS_MAX)).trimEnd();
    if (/^ {0,3}(?:```|~~~)/u.test(line)) fenced = !fenced;
    const [, marks = "", rest = ""] = (fenced ? null : /^(#{1,4})[ \t]+(.+)$/u.exec(line)) ?? [];
    if (marks !== "") headings.push({ line: rest, level: marks.length, start: position });
    position = end + 1;
  }
  return headings;
}

function dateOf(rest: string): string | undefined {
  const match = DATE.exec(rest);
  if (match === null) return undefined;
  const date = match.slice(1).join("-");
  return parseDateRange(date) === undefined ? undefined : date;
}

function kindsOf(headings: readonly Heading[]): string[] {
  const kinds = headings.map(({ line }) => line).filter((line) => line.length <= KIND_UNITS_MAX && !VERSION.test(line));
  return [...new Set(kinds)].slice(0, KINDS_MAX);
}
