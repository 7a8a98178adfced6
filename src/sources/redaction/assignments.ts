import type { Finding } from "./finding.ts";
import { isSecretSuffix, SECRET_NAME_SOURCE } from "./secret-names.ts";
import {
  isSaidPassword,
  isSecretValue,
  looksDrawn,
  looksGenerated,
  looksLikePassword,
  type NameStrength,
} from "./secret-value.ts";

/**
 * A name, what follows it, and what joins it to its value: `:`, `=`, `:=`, `=>`, both in an address, "is", white space
 * after a flag, or a tag.
 */
const NAME = new RegExp(
  `${SECRET_NAME_SOURCE}([\\w-]{0,40}?)(?:\\\\{0,3}["'\`]|%22)?\\]?` +
    "(?:[ \\t]{0,8}(?::=|=>|={1,2}|[:：]|%3D|%3A)[ \\t]{0,8}|[ \\t]{1,4}(is|was|lautet|ist|est|es|é)[ \\t:]{1,4}|" +
    "[ \\t]{0,4}(是|为|為|は)[ \\t:：]{0,4}|([ \\t]{1,4})(?![-=:])|(>)(?!=))",
  "gi",
);
const FLAG_BEFORE = /(?:^|[\s"'`[(])--?[\w-]{0,40}$/;
const TAG_BEFORE = /<[\w:-]{0,40}$/;
/** A variable in capitals, at the start of a word. */
const ENVIRONMENT_BEFORE = /(?:^|[^A-Za-z0-9_.-])[A-Z][A-Z0-9_]{0,60}$/;
const QUERY_BEFORE = /[?&][\w-]{0,40}$/;
const OWN_BEFORE = /\b(?:my|our|mein|meine|unser|mi|mon|ma|minha)(?:[ \t]\w{1,20}){0,3}[ \t]$/i;
const PATH_START = /^["'`]?(?:[/~]|[A-Za-z]:)/;
const BEFORE_UNITS = 100;
const WORD_BEFORE_UNITS = 44;
/** Units of a value up to which its closing quote is looked for. */
const VALUE_UNITS_MAX = 4_096;
/** Of a name with more behind it, in prose and code, where much else is called so. */
const SUFFIXED_UNITS_MIN = 12;
const KEY_UNITS_MIN = 20;
const SHORT_UNITS_MIN = 5;

const QUOTE = /\\{0,3}(["'`])|%22/y;
const BARE = /[^\s"'`&;<，。；、！]{1,4096}/y;
const BARE_IN_ENVIRONMENT = /[^\s"'`]{1,4096}/y;
const REST_OF_WORD = /[^\s"'`]*/y;
/** The next line, where it holds one word and nothing else; what YAML puts before a text of several lines may stand before. */
const NEXT_LINE =
  /(?:[|>][+-]?\d?[ \t]{0,4})?\r?\n[ \t\d:>|+→-]{0,24}?["'`]?([^\s"'`:]{1,4096}?)["'`]?[ \t]{0,8}(?=\r?\n|$)/y;

/** Values of what is named like a secret: in environment files, JSON, YAML, code, flags, tags, and plain sentences. */
export function findAssignments(text: string): Finding[] {
  const findings: Finding[] = [];
  const name = new RegExp(NAME);
  for (let match = name.exec(text); match !== null; match = name.exec(text)) {
    const place = placeOf(match, text);
    const found = place && (valueAt(text, name.lastIndex, place) ?? nextLineAt(text, name.lastIndex, place));
    if (found === undefined) {
      // What follows the name may hold another one.
      name.lastIndex = match.index + 1;
      continue;
    }
    findings.push({ ...found, kind: place?.strength === "strong" ? "password" : "secret" });
    name.lastIndex = Math.max(name.lastIndex, found.end);
  }
  return findings;
}

/** What joins a name to its value, as far as it matters for what a value may look like. */
type Joint = "sign" | "equals" | "flag" | "tag" | "sentence";

interface Place {
  readonly strength: NameStrength;
  /** `pass` and `pw`, which mean other things as well. */
  readonly short: boolean;
  /** More stands behind the name: `_PROD`. */
  readonly suffixed: boolean;
  readonly environment: boolean;
  /** The name is one of a variable, in capitals. */
  readonly capitals: boolean;
  readonly query: boolean;
  readonly joint: Joint;
  /** "My password is …". */
  readonly isOwn: boolean;
  /** `PWD` is the working directory more often than a password. */
  readonly mayBePath: boolean;
  /** `KEY` alone stands for anything. */
  readonly bareKey: boolean;
}

const namedBy = (match: RegExpExecArray): string => match[1] ?? match[2] ?? match[3] ?? "";

/** Undefined where the name is not one of a secret, or nothing joins it to what follows. */
function placeOf(match: RegExpExecArray, text: string): Place | undefined {
  const named = namedBy(match);
  const suffix = match[4] ?? "";
  const before = text.slice(Math.max(0, match.index - BEFORE_UNITS), match.index);
  // In lower case this ends the names of all kinds of keys: of maps, of caches, of tables.
  if (/^_?key$/.test(named) || !isSecretSuffix(named, suffix)) return undefined;
  const joint = jointOf(match, before);
  const suffixed = /[A-Za-z]/.test(suffix);
  const capitals = ENVIRONMENT_BEFORE.test(before + named + suffix);
  if (joint === undefined || (suffixed && (joint === "flag" || joint === "tag"))) return undefined;
  return {
    strength: match[3] === undefined ? "strong" : "weak",
    short: match[2] !== undefined,
    suffixed,
    environment: joint === "equals" && capitals,
    capitals,
    query: joint === "equals" && QUERY_BEFORE.test(before),
    joint,
    isOwn: OWN_BEFORE.test(before),
    mayBePath: named.toLowerCase() === "pwd",
    bareKey: named === "KEY",
  };
}

function jointOf(match: RegExpExecArray, before: string): Joint | undefined {
  const [whole, , , , , verb, sign, space, tag] = match;
  if (verb !== undefined || sign !== undefined) return "sentence";
  if (space !== undefined) return FLAG_BEFORE.test(before.slice(-WORD_BEFORE_UNITS)) ? "flag" : undefined;
  if (tag !== undefined) return TAG_BEFORE.test(before.slice(-WORD_BEFORE_UNITS)) ? "tag" : undefined;
  return /(?:=|%3D)$/i.test(whole) ? "equals" : "sign";
}

type Range = Omit<Finding, "kind">;

function valueAt(text: string, at: number, place: Place): Range | undefined {
  if (place.mayBePath && PATH_START.test(text.slice(at, at + 4))) return undefined;
  const quote = stickyMatch(QUOTE, text, at);
  if (quote !== undefined) return quotedAt(text, at + quote.length, quote, place);
  const bare = stickyMatch(place.environment ? BARE_IN_ENVIRONMENT : BARE, text, at);
  if (bare === undefined) return undefined;
  const value = place.environment ? bare : bare.replace(/[,.)}\]>]{1,8}$/, "");
  const alone = place.joint !== "sign" || endsLine(text, at, at + bare.length);
  if (!accepts(value, place, { quoted: false, alone })) return undefined;
  const cut = bare.length === VALUE_UNITS_MAX;
  return { start: at, end: at + (cut ? bare.length + restOfWord(text, at + bare.length) : value.length) };
}

/** Whether a value may stand for a secret where it stands. */
function accepts(value: string, place: Place, { quoted, alone }: { quoted: boolean; alone: boolean }): boolean {
  const { strength, joint } = place;
  // As in the environment of a container, in YAML.
  const environment = place.environment || (place.capitals && joint === "sign" && alone && !quoted);
  if (joint === "sentence") {
    return strength === "strong" ? isSaidPassword(value, place.isOwn) : looksGenerated(value) || looksDrawn(value);
  }
  if (place.isOwn && strength === "strong" && joint === "sign" && isSaidPassword(value, true)) return true;
  if (!isSecretValue({ value, strength, quoted, environment: environment && !place.bareKey, alone })) {
    return place.query && strength === "weak" && /^[A-Za-z0-9]{16,}$/.test(value);
  }
  if (place.bareKey) return value.length >= KEY_UNITS_MIN;
  if (place.short) return isShortValue(value, quoted || alone);
  if (!place.suffixed || environment) return !place.suffixed || !/^[a-z][\w+.-]*:\/\//i.test(value);
  return strength === "strong" ? looksLikePassword(value) : value.length >= SUFFIXED_UNITS_MIN;
}

const isShortValue = (value: string, alone: boolean): boolean =>
  value.length >= SHORT_UNITS_MIN &&
  /[A-Za-z]/.test(value) &&
  (looksLikePassword(value) || (alone && /^\D+$/.test(value)));

function quotedAt(text: string, start: number, quote: string, place: Place): Range | undefined {
  const bound = Math.min(text.length, start + VALUE_UNITS_MAX);
  const inside = text.slice(start, bound);
  const close = closingQuote(inside, quote);
  const value = inside.slice(0, close);
  if (!accepts(value, place, { quoted: true, alone: true })) return undefined;
  const end = start + value.length;
  return { start, end: close < inside.length ? end : end + restOfWord(text, end) };
}

/** A password on the line below its name. */
function nextLineAt(text: string, at: number, place: Place): Range | undefined {
  if (place.joint !== "sign" || place.strength !== "strong") return undefined;
  NEXT_LINE.lastIndex = at;
  const value = NEXT_LINE.exec(text)?.[1];
  if (value === undefined || !looksLikePassword(value)) return undefined;
  const start = text.indexOf(value, at);
  return { start, end: start + value.length };
}

/** Where the value ends: before the quote that opened it, escaped as the opening one was, or at the end of the line. */
function closingQuote(inside: string, quote: string): number {
  const mark = quote === "%22" ? quote : quote.slice(-1);
  const line = inside.indexOf("\n");
  const stop = line === -1 ? inside.length : line;
  for (let index = inside.indexOf(mark); index !== -1 && index < stop; index = inside.indexOf(mark, index + 1)) {
    let slashes = 0;
    while (slashes < index && inside[index - slashes - 1] === "\\") slashes++;
    if (slashes <= quote.length - 1) return index - Math.min(slashes, quote.length - 1);
  }
  return stop;
}

function restOfWord(text: string, at: number): number {
  return stickyMatch(REST_OF_WORD, text, at)?.length ?? 0;
}

/** Whether a value is all that its line holds: the last word, behind the first. */
function endsLine(text: string, start: number, end: number): boolean {
  const after = /^[ \t]{0,8}(?:#[^\n]{0,200})?(?:\r?\n|$)/.test(text.slice(end, end + 220));
  if (!after) return false;
  const before = text.slice(Math.max(0, start - BEFORE_UNITS), start);
  return /(?:^|\n)[ \t\d:>|+→*-]{0,24}["'`]?[\p{L}\p{N}_.-]{1,64}["'`]?[ \t]{0,8}[:=：]{1,2}[ \t]{0,8}$/u.test(before);
}

function stickyMatch(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  const found = pattern.exec(text)?.[0];
  return found === "" ? undefined : found;
}
