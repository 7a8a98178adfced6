import { changeRank, MODIFIED_KEY } from "./change-time.ts";
import { WinnowError } from "./errors.ts";
import type { Filter, FilterOperator, Predicate } from "./filter.ts";
import { DATE_HINT, parseDateRange } from "./filter-date.ts";
import { didYouMean } from "./suggest.ts";
import { oneLine } from "./text.ts";

/** Limits that no honest filter meets; they keep a hostile one from costing anything. */
export const FILTER_UNITS_MAX = 16_000;
export const FILTER_PREDICATES_MAX = 64;
export const FILTER_VALUES_MAX = 1_000;

const GRAMMAR_HINT =
  'Write KEY OPERATOR VALUE with one of = != < <= > >= in contains, join with AND, and quote what has spaces: author="Jane Doe" AND modified>=2026-05.';

/** Two-unit operators first, so that `<=` is never read as `<`. */
const SYMBOLS = ["!=", "<=", ">=", "=", "<", ">"] as const satisfies readonly FilterOperator[];

/** What ends a word that is not in quotes. */
const BARE_END = /[\s"',=<>]/;

/** The words of the grammar; as a value they are quoted when written, to be read as a value by people too. */
const KEYWORDS = new Set(["and", "or", "not", "in", "contains"]);

interface Cursor {
  readonly text: string;
  position: number;
}

/**
 * Reads filter expressions (design §4); all of them must hold. Each is `key=value`, `!=`, `<`, `<=`, `>`, `>=`,
 * `key in a,b,c` or `key contains x`, or several of these joined by `AND`. Keys and values with white space, commas,
 * quotes or operator signs stand in double or single quotes, where a backslash escapes the quote and itself. Keywords
 * may be in any case; keys and values keep theirs. Throws `invalid_filter` with the place and a hint.
 */
export function parseFilter(expressions: readonly string[]): Filter {
  const predicates: Predicate[] = [];
  for (const text of expressions) {
    if (text.length > FILTER_UNITS_MAX) throw failure(`The filter is longer than ${FILTER_UNITS_MAX} characters.`);
    const cursor: Cursor = { text, position: 0 };
    do {
      predicates.push(readPredicate(cursor));
      if (predicates.length > FILTER_PREDICATES_MAX) {
        throw failure(`A filter may have at most ${FILTER_PREDICATES_MAX} conditions.`);
      }
    } while (readJoin(cursor));
  }
  return predicates;
}

/** The filter as one expression. `parseFilter([formatFilter(f)])` equals `f` for every filter but the empty one. */
export function formatFilter(filter: Filter): string {
  return filter.map(formatPredicate).join(" AND ");
}

/** Keys that are ordered as dates: next to them anything else is a slip, which would silently match nothing. */
const DATE_KEYS: ReadonlySet<string> = new Set(["modified", "date"]);
const ORDERS: ReadonlySet<FilterOperator> = new Set(["<", "<=", ">", ">="]);

/**
 * Throws `invalid_filter` for the first key that is not known, naming the one that was probably meant, and for the
 * first order by `modified` or `date` whose value is not an ISO date. Where the known keys are not all that there are,
 * any key may be one.
 */
export function checkFilterKeys(filter: Filter, knownKeys: Iterable<string>, areAllKnown = true): void {
  const known = new Set(knownKeys);
  const isDated = [...known].some((key) => changeRank(key) !== undefined);
  for (const predicate of filter) {
    const { key } = predicate;
    // `modified` stands for whatever key says when a document changed, see `matchesFilter`.
    if (known.has(key) || !areAllKnown || (isDated && key === MODIFIED_KEY)) {
      checkDate(predicate);
      continue;
    }
    const shown = [...known]
      .sort()
      .slice(0, 20)
      .map((name) => oneLine(name, 60));
    const more = known.size > shown.length ? ", …" : "";
    throw new WinnowError("invalid_filter", `No document has the key "${oneLine(key, 60)}".${didYouMean(key, known)}`, {
      hint: shown.length === 0 ? "The documents here carry no metadata." : `Known keys: ${shown.join(", ")}${more}.`,
    });
  }
}

function checkDate({ key, operator, values }: Predicate): void {
  if (!DATE_KEYS.has(key) || !ORDERS.has(operator)) return;
  const wrong = values.find((value) => parseDateRange(value) === undefined);
  if (wrong === undefined) return;
  throw failure(`"${oneLine(wrong, 60)}" after ${key}${operator} is not a date.`, DATE_HINT);
}

function readPredicate(cursor: Cursor): Predicate {
  skipSpace(cursor);
  if (atEnd(cursor)) throw failure(cursor.text.trim() === "" ? "The filter is empty." : "Nothing follows AND.");
  const key = readWord(cursor, "key", "!");
  if (key === "") throw failure(`A key is missing${at(cursor)}.`);
  const operator = readOperator(cursor, key);
  const values = [readWord(cursor, `value for "${key}"`, "")];
  if (operator === "in") {
    while (take(cursor, ",")) {
      values.push(readWord(cursor, `value for "${key}"`, ""));
      if (values.length > FILTER_VALUES_MAX) throw failure(`"in" takes at most ${FILTER_VALUES_MAX} values.`);
    }
  } else if (take(cursor, ",")) {
    throw failure(`"${oneLine(key, 60)}" has several values${at(cursor)}.`, "Use KEY in a,b,c, or quote the comma.");
  }
  return { key, operator, values };
}

/** True when another predicate follows. Anything else than `AND` or the end is an unquoted space or a slip. */
function readJoin(cursor: Cursor): boolean {
  skipSpace(cursor);
  if (atEnd(cursor)) return false;
  const word = /^(and|or)(?=\s|$)/i.exec(cursor.text.slice(cursor.position, cursor.position + 4))?.[0];
  if (word?.toLowerCase() === "and") {
    cursor.position += word.length;
    return true;
  }
  if (word !== undefined) throw failure("OR is not supported.", "Use KEY in a,b,c for one key, or run two queries.");
  throw failure(`Unexpected "${oneLine(cursor.text.slice(cursor.position), 20)}"${at(cursor)}.`);
}

function readOperator(cursor: Cursor, key: string): FilterOperator {
  skipSpace(cursor);
  if (cursor.text.startsWith("==", cursor.position)) throw failure('"==" is not an operator.', 'Use "=".');
  for (const symbol of SYMBOLS) {
    if (take(cursor, symbol)) return symbol;
  }
  // Nine units are the longest keyword and what must follow it.
  const word = /^(in|contains)(?=[\s"'])/i.exec(cursor.text.slice(cursor.position, cursor.position + 9))?.[0];
  if (word === undefined) throw failure(`An operator is missing after "${oneLine(key, 60)}"${at(cursor)}.`);
  cursor.position += word.length;
  return word.toLowerCase() === "in" ? "in" : "contains";
}

/** A quoted or bare word. `stops` adds characters that end a bare one. */
function readWord(cursor: Cursor, what: string, stops: string): string {
  skipSpace(cursor);
  const quote = cursor.text[cursor.position];
  if (quote === '"' || quote === "'") return readQuoted(cursor, quote);
  const start = cursor.position;
  while (!atEnd(cursor)) {
    const unit = cursor.text.charAt(cursor.position);
    if (BARE_END.test(unit) || (stops !== "" && stops.includes(unit))) break;
    cursor.position++;
  }
  const word = cursor.text.slice(start, cursor.position);
  if (word === "") throw failure(`A ${oneLine(what, 80)} is missing${at(cursor)}.`);
  if (/^[([]/.test(word) && stops === "") {
    throw failure(
      `The value ${oneLine(word, 20)} starts with a bracket.`,
      "Write KEY in a,b,c without brackets, or quote it.",
    );
  }
  return word;
}

function readQuoted(cursor: Cursor, quote: string): string {
  const start = cursor.position;
  let value = "";
  for (let i = start + 1; i < cursor.text.length; i++) {
    const unit = cursor.text.charAt(i);
    const next = cursor.text[i + 1];
    if (unit === quote) {
      cursor.position = i + 1;
      return value;
    }
    if (unit === "\\" && (next === quote || next === "\\")) {
      value += next;
      i++;
    } else {
      value += unit;
    }
  }
  throw failure(
    `The quote that opens${at(cursor)} is not closed.`,
    "Close the quote; a backslash before a quote escapes it.",
  );
}

function formatPredicate({ key, operator, values }: Predicate): string {
  const words = values.map((value) => formatWord(value, "[("));
  const name = formatWord(key, "!");
  const symbolic = operator !== "in" && operator !== "contains";
  return symbolic ? `${name}${operator}${words.join("")}` : `${name} ${operator} ${words.join(",")}`;
}

/** Bare where that reads back as the same word, else in double quotes. */
function formatWord(word: string, unsafe: string): string {
  const bare =
    word !== "" &&
    !BARE_END.test(word) &&
    !KEYWORDS.has(word.toLowerCase()) &&
    ![...unsafe].some((c) => word.includes(c));
  return bare ? word : `"${word.replace(/[\\"]/g, "\\$&")}"`;
}

function take(cursor: Cursor, expected: string): boolean {
  skipSpace(cursor);
  if (!cursor.text.startsWith(expected, cursor.position)) return false;
  cursor.position += expected.length;
  return true;
}

function skipSpace(cursor: Cursor): void {
  while (!atEnd(cursor) && /\s/.test(cursor.text.charAt(cursor.position))) cursor.position++;
}

function atEnd(cursor: Cursor): boolean {
  return cursor.position >= cursor.text.length;
}

function at(cursor: Cursor): string {
  return ` at character ${cursor.position + 1}`;
}

function failure(message: string, hint = GRAMMAR_HINT): WinnowError {
  return new WinnowError("invalid_filter", message, { hint });
}
