import type { Finding } from "./finding.ts";

/** Shorter runs are too often names, and too seldom keys. */
const RUN_UNITS_MIN = 24;
/** A run that may hold `/` and `+` has to be longer, since it may be a path. */
const WIDE_RUN_UNITS_MIN = 32;
/** Share of a run that stands in words; names of things in code have more, chance has a tenth. */
const WORD_SHARE_MAX = 0.55;
const WORD_UNITS_MIN = 4;
/** Share of neighbours of different kinds (small letter, capital, digit); random text has about 0.6. */
const CHANGE_SHARE_MIN = 0.3;
/** Share of `-`, `_` and `/`; random text has three in 64, slugs and paths one in ten or more. */
const SEPARATOR_SHARE_MAX = 0.12;

/** Ids that are random by design and no secrets: of messages, calls and runs; worth searching for. */
const PUBLIC_ID =
  /^(?:msg|msgbatch|toolu|srvtoolu|mcptoolu|req|call|fc|rs|resp|chatcmpl|cmpl|run|thread|step|asst|file|session|agent|evt|container)[_-]/;
/** Before a digest written in base64: of a package, of a key, of a script. */
const DIGEST_BEFORE = /(?:sha(?:1|224|256|384|512)|h1|md5)[-:]$/i;
const DIGEST = /^sha(?:1|224|256|384|512)-/i;

const SMALL = 1;
const CAPITAL = 2;
const DIGIT = 4;
const SEPARATOR = 8;
/** `/` and `+`: part of base64, and of paths and sums. */
const WIDE = 16;
const IN_RUN = SMALL | CAPITAL | DIGIT | SEPARATOR;

const CLASSES = classTable();

function classTable(): Uint8Array {
  const table = new Uint8Array(128);
  for (let unit = 0; unit < 26; unit++) {
    table[0x61 + unit] = SMALL;
    table[0x41 + unit] = CAPITAL;
  }
  for (let unit = 0; unit < 10; unit++) table[0x30 + unit] = DIGIT;
  for (const separator of "-_") table[separator.charCodeAt(0)] = SEPARATOR;
  for (const wide of "/+") table[wide.charCodeAt(0)] = WIDE;
  return table;
}

const classAt = (text: string, index: number): number => CLASSES[text.charCodeAt(index)] ?? 0;

/**
 * Long runs that look drawn at random: small letters, capitals and digits mixed, few words in them, few separators.
 * Digests in hexadecimal, UUIDs and ULIDs have one case only and stay, as do digests in base64 that say that they are
 * ones, and public ids of messages and calls. The price: a key of hexadecimal digits is found by the name before it, or
 * not at all.
 */
export function findRandomTokens(text: string): Finding[] {
  const findings: Finding[] = [];
  for (let index = 0; index < text.length; index++) {
    if (classAt(text, index) === 0) continue;
    const start = index;
    while (classAt(text, index) !== 0) index++;
    if (index - start >= RUN_UNITS_MIN) addRun(text, start, index, findings);
  }
  return findings;
}

/** One run of base64's characters: its parts between `/` and `+` first, then the whole. */
function addRun(text: string, start: number, end: number, findings: Finding[]): void {
  if (isDigest(text, start, end)) return;
  const padding = /^={1,2}/.exec(text.slice(end, end + 2))?.[0].length ?? 0;
  const before = findings.length;
  let widest = 0;
  let parts = 1;
  for (let from = start; from < end; ) {
    let to = from;
    while (to < end && (classAt(text, to) & IN_RUN) !== 0) to++;
    widest = Math.max(widest, to - from);
    if (to < end) parts++;
    if (to - from >= RUN_UNITS_MIN && isSecretPart(text, from, to)) {
      findings.push({ start: from, end: to === end ? end + padding : to, kind: "random-token" });
    }
    from = to + 1;
  }
  if (parts === 1 || end - start < WIDE_RUN_UNITS_MIN) return;
  const isPath = text[start] === "/" && padding === 0;
  if (!isPath && widest >= RUN_UNITS_MIN / 2 && isSecretPart(text, start, end)) {
    findings.length = before;
    findings.push({ start, end: end + padding, kind: "random-token" });
  }
}

function isSecretPart(text: string, start: number, end: number): boolean {
  return looksRandom(text, start, end) && !PUBLIC_ID.test(text.slice(start, Math.min(end, start + 24)));
}

function isDigest(text: string, start: number, end: number): boolean {
  const run = text.slice(start, Math.min(end, start + 8));
  return DIGEST.test(run) || DIGEST_BEFORE.test(text.slice(Math.max(0, start - 8), start));
}

/** Whether `text.slice(start, end)`, a run of base64's characters, looks drawn at random. One pass. */
export function looksRandom(text: string, start = 0, end = text.length): boolean {
  const length = end - start;
  let kinds = 0;
  let separators = 0;
  let changes = 0;
  let inWords = 0;
  let sameKind = 0;
  let previous = 0;
  for (let index = start; index <= end; index++) {
    const kind = index === end ? 0 : classAt(text, index);
    if ((kind & (SEPARATOR | WIDE)) !== 0) separators++;
    if (kind === previous) {
      sameKind++;
      continue;
    }
    if (index > start && index < end) changes++;
    if (sameKind >= WORD_UNITS_MIN && (previous & (SMALL | CAPITAL)) !== 0) inWords += sameKind;
    kinds |= kind;
    previous = kind;
    sameKind = 1;
  }
  if ((kinds & SMALL) === 0 || (kinds & CAPITAL) === 0 || (kinds & DIGIT) === 0) return false;
  if (inWords > length * WORD_SHARE_MAX || separators > length * SEPARATOR_SHARE_MAX) return false;
  return changes >= length * CHANGE_SHARE_MIN && longestPartIsMixed(text, start, end);
}

/** In a slug that carries a hash or a UUID the longest part has one case: what mixes the cases are the words around. */
function longestPartIsMixed(text: string, start: number, end: number): boolean {
  let best = { length: 0, kinds: 0 };
  let part = { length: 0, kinds: 0 };
  for (let index = start; index <= end; index++) {
    const kind = index === end ? SEPARATOR : classAt(text, index);
    if ((kind & (SEPARATOR | WIDE)) !== 0) {
      if (part.length > best.length) best = part;
      part = { length: 0, kinds: 0 };
    } else part = { length: part.length + 1, kinds: part.kinds | kind };
  }
  const isMixed = (best.kinds & SMALL) !== 0 && (best.kinds & CAPITAL) !== 0;
  return isMixed && ((best.kinds & DIGIT) !== 0 || best.length < RUN_UNITS_MIN);
}
