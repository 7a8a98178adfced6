import type { ParsedComponents, ParsedResult } from "chrono-node";
import {
  type BoundedSpan,
  type CalendarUnit,
  DAY_MS,
  daySpan,
  lastUnits,
  MONTHS,
  monthSpan,
  type TimeSpan,
  unitSpan,
} from "./calendar.ts";

/** A time that a question names. */
export interface QuestionTime extends TimeSpan {
  /** The words that name it. */
  readonly text: string;
}

interface Found {
  readonly at: number;
  readonly text: string;
  readonly span: BoundedSpan;
}

const MONTH = `(?:${MONTHS.map((name) => (name.length > 4 ? `${name.slice(0, 3)}(?:${name.slice(3)}|\\.)?` : name)).join("|")}|sept\\.?)`;
const UNIT = "(day|week|month|quarter|year)";
const NUMBER = "(\\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|couple of|few)";
const NUMBERS = ["", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "", "twelve"];
const FEW = 3;
/** Years that a question means where it writes four digits. */
const YEAR = "(19[89]\\d|20\\d\\d)";
const PREPOSITION = "(?:in|during|of|since|until|till|before|after|by|from|throughout|for)";
const WORD_START = "(?<![\\p{L}\\p{N}_.$#/-])";
const WORD_END = "(?![\\p{L}\\p{N}_/$#]|[-.][\\p{L}\\p{N}])";

const pattern = (source: string): RegExp => new RegExp(WORD_START + source + WORD_END, "giu");

/** What is longer is a document: its beginning says what is asked. */
const READ_UNITS_MAX = 2_000;
/** Texts without any of these name no time: nothing else is loaded for them. */
const HINT = new RegExp(`${MONTH}|day|week|month|year|quarter|morning|\\bq[1-4]\\b|${YEAR}`, "iu");

/**
 * The time that a question names in clear words, or undefined. Relative words are meant from `now`; a month or day
 * without a year is the last one that has begun. Where it names several that do not touch, none is meant alone. English.
 */
export async function readTime(question: string, now: number): Promise<QuestionTime | undefined> {
  const text = question.slice(0, READ_UNITS_MAX);
  if (!HINT.test(text)) return undefined;
  const own = ownForms(text, now);
  const { casual } = await import("chrono-node/en");
  const parsed = casual.parse(text, { instant: new Date(now), timezone: 0 });
  const dates = parsed.flatMap((result) => spanOf(result, text, now));
  const found = [...own, ...dates.filter((date) => !own.some((other) => overlaps(date, other)))];
  found.push(...months(text, now).filter((month) => !found.some((other) => overlaps(month, other))));
  const [first, ...others] = found.sort((a, b) => a.at - b.at);
  if (first === undefined || others.length > 1) return undefined;
  const [second] = others;
  if (second === undefined) return bounded(first, text);
  return between(first, second, text);
}

function overlaps(a: Found, b: Found): boolean {
  return a.at < b.at + b.text.length && b.at < a.at + a.text.length;
}

/** `since`, `before` and their like make a beginning or an end of what follows them. */
function bounded({ at, text, span }: Found, question: string): QuestionTime {
  const before = question.slice(0, at).toLowerCase().trimEnd();
  const first = /^(since|before|after|until|till)\b/iu.exec(text)?.[1]?.toLowerCase();
  const word = first ?? /(?:^|[^\p{L}])(since|before|after|until|till)(?: the)?$/u.exec(before)?.[1];
  const spelled = word === undefined || first !== undefined ? text : `${word} ${text}`;
  if (word === "since") return { text: spelled, start: span.start, end: undefined };
  if (word === "after") return { text: spelled, start: span.end, end: undefined };
  if (word === "before") return { text: spelled, start: undefined, end: span.start };
  if (word === "until" || word === "till") return { text: spelled, start: undefined, end: span.end };
  return { text, ...span };
}

/** `between 3 May and 9 June`. Two times that are joined otherwise mean neither. */
function between(first: Found, second: Found, question: string): QuestionTime | undefined {
  const gap = question.slice(first.at + first.text.length, second.at);
  const isJoined = /^\s*(?:and|to|until|till|through|–|-)\s*$/iu.test(gap);
  const isRange = /(?:between|from)\s*(?:the )?$/iu.test(question.slice(0, first.at)) || /^from\b/iu.test(first.text);
  if (!isJoined || !isRange || second.span.end <= first.span.start) return undefined;
  const text = question.slice(first.at, second.at + second.text.length);
  return { text, start: first.span.start, end: second.span.end };
}

/** What the library does not read, or reads as a moment: parts of months and years, quarters, calendar units, years. */
function ownForms(text: string, now: number): Found[] {
  const found: Found[] = [];
  const each = (source: string, read: (match: RegExpExecArray) => BoundedSpan | undefined): void => {
    for (const match of text.matchAll(pattern(source))) {
      const entry = { at: match.index, text: match[0] };
      const span = read(match);
      if (span !== undefined && !found.some((other) => overlaps({ ...entry, span }, other)))
        found.push({ ...entry, span });
    }
  };
  const part = "(mid|early|late|(?:the )?(?:beginning|start|middle|end) of)";
  each(`${part}[ -](${MONTH})(?:,? ${YEAR})?`, ([, which = "", month = "", year]) =>
    partOfMonth(which, monthSpanOf(month, year, now)),
  );
  each(`${part}[ -]${YEAR}`, ([, which = "", year]) => partOfYear(which, Number(year)));
  each(`${YEAR}[- ]?q([1-4])`, ([, year, quarter]) => monthSpan(Number(year), 3 * (Number(quarter) - 1), 3));
  each(`q([1-4])(?: of)?,? ${YEAR}`, ([, quarter, year]) => monthSpan(Number(year), 3 * (Number(quarter) - 1), 3));
  each(`(?:the )?(first|second|third|fourth|last) quarter of ${YEAR}`, ([, which = "", year]) => {
    const order = ["first", "second", "third", "fourth"].indexOf(which.toLowerCase());
    return monthSpan(Number(year), 3 * (order === -1 ? 3 : order), 3);
  });
  each(`${PREPOSITION} q([1-4])`, ([, quarter]) =>
    latest(now, (year) => monthSpan(year, 3 * (Number(quarter) - 1), 3)),
  );
  each(`(?:the )?(?:last|past|previous) ${NUMBER} ${UNIT}s`, ([, count = "", unit]) =>
    lastUnits(unitOf(unit), countOf(count), now),
  );
  each(`${NUMBER} ${UNIT}s? ago`, ([, count = "", unit]) => unitSpan(unitOf(unit), -countOf(count), now));
  each(`(last|past|previous|this|current) (week|month|quarter|year)`, ([, which = "", unit]) =>
    unitSpan(unitOf(unit), /^(?:this|current)$/iu.test(which) ? 0 : -1, now),
  );
  each(`(20\\d\\d)-(0[1-9]|1[0-2])`, ([, year, month]) => monthSpan(Number(year), Number(month) - 1));
  each(`${PREPOSITION} ${YEAR}(?!,? +\\p{Ll}+s\\b(?<!(?:was|is|has|does|as|this)))`, ([match]) => {
    const year = Number(match.slice(-4));
    return monthSpan(year, 0, 12);
  });
  return found;
}

/** Months by themselves, or with a year. */
function months(text: string, now: number): Found[] {
  return [...text.matchAll(pattern(`(${MONTH})(?:,? ${YEAR})?`))].flatMap((match) => {
    const [words, name = "", year] = match;
    const span = monthSpanOf(name, year, now);
    const isClear = isClearMonth(text, match.index, words, { year: year !== undefined, day: false });
    return span !== undefined && isClear ? [{ at: match.index, text: words, span }] : [];
  });
}

function unitOf(text: string | undefined): CalendarUnit {
  const unit = text?.toLowerCase();
  return unit === "week" || unit === "month" || unit === "quarter" || unit === "year" ? unit : "day";
}

function countOf(text: string): number {
  const word = text.toLowerCase();
  if (/^\d+$/u.test(word)) return Number(word);
  if (word === "few") return FEW;
  if (word === "couple of") return 2;
  return Math.max(1, NUMBERS.indexOf(word));
}

function monthSpanOf(name: string, year: string | undefined, now: number): BoundedSpan | undefined {
  const month = MONTHS.findIndex((known) => known.startsWith(name.toLowerCase().slice(0, 3)));
  if (month === -1) return undefined;
  return year === undefined ? latest(now, (each) => monthSpan(each, month)) : monthSpan(Number(year), month);
}

/** The last one that has begun. */
function latest(now: number, spanIn: (year: number) => BoundedSpan): BoundedSpan {
  const year = new Date(now).getUTCFullYear();
  const span = spanIn(year);
  return span.start <= now ? span : spanIn(year - 1);
}

function partOfMonth(which: string, month: BoundedSpan | undefined): BoundedSpan | undefined {
  if (month === undefined) return undefined;
  const day = (count: number): number => month.start + count * DAY_MS;
  if (/early|beginning|start/iu.test(which)) return { start: month.start, end: day(10) };
  if (/mid/iu.test(which)) return { start: day(9), end: day(20) };
  return { start: day(20), end: month.end };
}

function partOfYear(which: string, year: number): BoundedSpan {
  if (/early|beginning|start/iu.test(which)) return monthSpan(year, 0, 4);
  if (/mid/iu.test(which)) return monthSpan(year, 4, 4);
  return monthSpan(year, 8, 4);
}

/** The span of a date that the library has read, where the words are a clear time. */
function spanOf(result: ParsedResult, question: string, now: number): Found[] {
  const { index, text, start, end } = result;
  const words = text.replace(/^(?:on|in|at|from|since|until|before|after|the)\s+/iu, "");
  const at = index + text.length - words.length;
  const found = { at, text: words };
  if (/\d[./]\d|:\d|\b(?:hour|minute|second|morning|evening|night|noon|am|pm)/iu.test(words)) return [];
  if (/^(?:today|yesterday|the day before yesterday)$/iu.test(words)) {
    if (/^[A-Z]/.test(words) && at > 0) return [];
    if (/^today$/iu.test(words) && !isOfToday(question, at)) return [];
    return [{ ...found, span: spanOfDay(start) }];
  }
  if (start.isCertain("weekday") && !start.isCertain("month")) {
    const isCued =
      /\b(?:on|last|this|since|until|before|after|by)\s*$/iu.test(question.slice(0, at)) ||
      /^(?:last|this)\b/iu.test(words);
    const span = spanOfDay(start);
    const isPast = span.start <= now;
    return isCued && !isPartOfName(question, at, words)
      ? [{ ...found, span: isPast ? span : { start: span.start - 7 * DAY_MS, end: span.end - 7 * DAY_MS } }]
      : [];
  }
  if (!start.isCertain("day") || !WRITTEN_DATE.test(words)) return [];
  if (!isClearMonth(question, at, words, { year: start.isCertain("year"), day: true })) return [];
  const first = spanOfDate(start, now);
  if (end === undefined || end === null) return [{ ...found, span: first }];
  const last = spanOfDate(end, now);
  return [
    { ...found, span: { start: last.end <= first.start ? yearBefore(first).start : first.start, end: last.end } },
  ];
}

/** The library reads `now` and `next week` as days too. */
const WRITTEN_DATE = new RegExp(`\\d{4}-\\d{2}-\\d{2}|${MONTH}`, "iu");
/** What is asked of a day. Else `today` means these days: *which rules hold today*. */
const ASKED_OF_DAY =
  /\b(?:did|was|were|happened|changed|new|done|went|failed|broke|merged|shipped|wrote|said|decided|committed|deployed|updated|added|worked|errors?|commits?|changes|notes|meetings?)\b/iu;

function isOfToday(question: string, at: number): boolean {
  return !/^['’]s/u.test(question.slice(at + "today".length)) && ASKED_OF_DAY.test(question);
}

function spanOfDay(at: ParsedComponents): BoundedSpan {
  return daySpan(at.get("year") ?? 0, (at.get("month") ?? 1) - 1, at.get("day") ?? 1);
}

function spanOfDate(at: ParsedComponents, now: number): BoundedSpan {
  const [month, day] = [(at.get("month") ?? 1) - 1, at.get("day") ?? 1];
  const spanIn = (year: number): BoundedSpan =>
    at.isCertain("day") ? daySpan(year, month, day) : monthSpan(year, month);
  return at.isCertain("year") ? spanIn(at.get("year") ?? 0) : latest(now, spanIn);
}

function yearBefore({ start, end }: BoundedSpan): BoundedSpan {
  const back = (time: number): number => {
    const at = new Date(time);
    return Date.UTC(at.getUTCFullYear() - 1, at.getUTCMonth(), at.getUTCDate());
  };
  return { start: back(start), end: back(end) };
}

/** Months whose full names are nothing else. */
const FULL_MONTH = /^(?:january|february|july|september|october|november|december)$/iu;
/** Names of people, verbs and nouns. */
const LOOSE_MONTH = /^(?:march|april|may|june|august)/iu;
const VERB_CUE = /(?:^|[^\p{L}])(?:in|during|since|until|till|before|after|last|this|mid|early|late)\s*$/iu;
const STRONG_CUE =
  /(?:^|[^\p{L}])(?:in|during|since|until|till|before|after|throughout|last|this|next|by|mid|early|late|on|from|between|and|to)\s*$/iu;
const WEAK_CUE = /(?:^|[^\p{L}])(?:the|our|of|for)\s*$/iu;

/**
 * With a year or an ISO date a month is a month. With a day alone it is where it is no verb; alone, where a preposition
 * says so, or it is the full name of a month that is nothing else.
 */
function isClearMonth(question: string, at: number, words: string, has: { year: boolean; day: boolean }): boolean {
  const before = question.slice(0, at);
  const after = question.slice(at + words.length);
  const isCued = STRONG_CUE.test(before);
  if (/(?:^|[^\p{L}])(?:each|every|any)\s*$/iu.test(before) || /^\p{Lu}{3,4}(?!\p{L})/u.test(words)) return false;
  if (isPartOfName(question, at, words) && !isCued) return false;
  if (/^[-_/.]?\p{L}|^\s*(?:people|users|files|times)\b/iu.test(after) && !has.year) return false;
  if (has.year) return true;
  const isCertain = VERB_CUE.test(before);
  if (/^(?:may|march)\b/u.test(words)) return isCertain;
  if (has.day || FULL_MONTH.test(words) || isCued) return true;
  const isShort = words.replace(".", "").length <= 4 && !/^(?:may|june|july)$/iu.test(words);
  return !isShort && WEAK_CUE.test(before) && !/^\s+(?:of\b|\p{Lu})/u.test(after);
}

/** Words that open a question before a month. */
const OPENER = /^(?:what|which|who|when|where|how|did|was|were|is|are)\s/iu;

/** A capital beside a capital is a name: `Long March 5`, `June Carter`, `Black Friday`. */
function isPartOfName(question: string, at: number, words: string): boolean {
  if (!/^\p{Lu}/u.test(words)) return false;
  const before = /(\p{Lu}[\p{L}\p{N}]*)\s$/u.exec(question.slice(0, at));
  const opener = before !== null && before.index === 0 ? `${before[1]} ` : undefined;
  const isOpener =
    opener !== undefined &&
    (!LOOSE_MONTH.test(words) || OPENER.test(opener) || STRONG_CUE.test(opener) || WEAK_CUE.test(opener));
  const follows = /^\s(?!Q[1-4])\p{Lu}\p{Ll}/u.test(question.slice(at + words.length));
  const isWeekday = /day$/iu.test(before?.[1] ?? "") && !/^(?:today)$/iu.test(before?.[1] ?? "");
  return (before !== null && !isOpener && !isWeekday) || follows;
}
