import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDateRange } from "./filter-date.ts";
import { matchesFilter } from "./filter-match.ts";
import { parseFilter } from "./filter-parse.ts";
import type { Metadata, MetadataValue } from "./types.ts";

const numRuns = 300 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

const holds = (expression: string, metadata: Metadata) => matchesFilter(parseFilter([expression]), metadata);

describe("matchesFilter", () => {
  test.each<[string, MetadataValue, boolean]>([
    ["v=note", "note", true],
    ["v=Note", "note", false],
    ["v!=Note", "note", true],
    ["v in a,note", "note", true],
    ["v in a,b", "note", false],
    ["v contains ot", "note", true],
    ["v contains OT", "note", false],
    ["v contains b", "a, b, c", true],
    // Numbers, also as text (CSV, Chroma).
    ["v=3", 3, true],
    ["v=3.0", 3, true],
    ["v=3.0", "3", true],
    ["v<10", 9, true],
    ["v<10", "9", true],
    ["v>10", "9", false],
    ["v>=10", 10, true],
    ["v<=10", 10.5, false],
    ["v contains 3", 3, true],
    ["v contains 3", 33, false],
    ["v in 1,2.0", 2, true],
    ["v=007", "7", false],
    ["v=12345678901234567", "12345678901234568", false],
    ["v>5", "unknown", false],
    ["v<=5", "unknown", false],
    ["v<zebra", 5, false],
    // Dates.
    ["v=2026-05", "2026-05-17", true],
    ["v=2026-05", "2026-06-01", false],
    ["v=2026", "2026-05-17T10:00:00.123Z", true],
    ["v!=2026", "2025-12-31T23:59:59Z", true],
    ["v>=2026-05", "2026-05-01", true],
    ["v>=2026-05", "2026-04-30T23:59:59.999Z", false],
    ["v>2026-05", "2026-05-31", false],
    ["v>2026-05", "2026-06-01", true],
    ["v<=2026-05", "2026-05-31T23:59:59Z", true],
    ["v<2026-05", "2026-05-01T00:00:00Z", false],
    ["v=2026-05-03", "2026-05-04T00:30:00+02:00", true],
    ["v=2026-05-03T22:30", "2026-05-04T00:30:59+02:00", true],
    ["v>=2026-05", "unknown", false],
    ["v<2026-05", "unknown", false],
    ["v>=2026-02-30", "2026-03-01", false],
    ["v=2026", 2026, true],
    ["v>=2026", 2025, false],
    ["v>2026-05", 2027, false],
    // Booleans.
    ["v=true", true, true],
    ["v=TRUE", true, true],
    ["v=true", false, false],
    ["v!=true", false, true],
    ["v>false", true, false],
    // Text order is by code unit.
    ["v<b", "a", true],
    ["v>=b", "b", true],
    // Lists.
    ["v=b", ["a", "b"], true],
    ["v!=b", ["a", "b"], false],
    ["v!=c", ["a", "b"], true],
    ["v contains a", ["ab"], false],
    ["v contains ab", ["ab", "c"], true],
    ["v in x,c", ["ab", "c"], true],
    ["v>5", ["3", "7"], true],
    ["v=a", [], false],
    ["v!=a", [], true],
  ])("%s on %j is %j", (expression, value, expected) => {
    expect(holds(expression, { v: value })).toBe(expected);
  });

  test("a missing key fails every predicate but !=", () => {
    for (const operator of ["=", "<", "<=", ">", ">=", " in ", " contains "]) {
      expect(holds(`toString${operator}1`, { v: 1 }), operator).toBe(false);
    }
    expect(holds("toString!=1", { v: 1 })).toBe(true);
  });

  test("the empty filter accepts all; several predicates must all hold", () => {
    expect(matchesFilter([], {})).toBe(true);
    expect(holds("a=1 AND b=2", { a: 1, b: 2 })).toBe(true);
    expect(holds("a=1 AND b=2", { a: 1, b: 3 })).toBe(false);
  });

  const scalar = fc.oneof(
    fc.integer({ min: -30, max: 30 }),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -10, max: 10 }).map((n) => Number(n.toFixed(2))),
    fc.constantFrom("a", "b", "2026", "2026-05", "2026-05-03", "2025-12-31T23:59:59Z", "7", "07", "true", "", "Ä"),
    fc.boolean(),
  );

  test("laws: complements on present scalars, in as a union, numbers as numbers", () => {
    const check = (
      operator: "=" | "!=" | "<" | "<=" | ">" | ">=" | "in",
      values: readonly string[],
      v: MetadataValue,
    ) => matchesFilter([{ key: "v", operator, values }], { v });
    fc.assert(
      fc.property(scalar, scalar, scalar, (v, x, y) => {
        const [text, other] = [String(x), String(y)];
        expect(check("!=", [text], v)).toBe(!check("=", [text], v));
        expect(check("in", [text, other], v)).toBe(check("=", [text], v) || check("=", [other], v));
        // Where there is an order at all, `>=` is the complement of `<`, and `<=` that of `>`.
        const ordered = check("<", [text], v) || check(">=", [text], v);
        expect(check(">=", [text], v)).toBe(ordered && !check("<", [text], v));
        expect(check("<=", [text], v)).toBe(ordered && !check(">", [text], v));
        if (typeof v === "number" && typeof x === "number") {
          expect(check("<", [text], v)).toBe(v < x);
          expect(check(">", [text], v)).toBe(v > x);
          expect(check("=", [text], v)).toBe(v === x);
        }
      }),
      { numRuns, seed: 21 },
    );
  });

  test("a partial date covers exactly the instants that print with it as prefix", () => {
    const instant = fc.date({ min: new Date("1990-01-01Z"), max: new Date("2040-01-01Z"), noInvalidDate: true });
    fc.assert(
      fc.property(instant, instant, fc.constantFrom(4, 7, 10, 16, 19), (a, b, length) => {
        const prefix = b.toISOString().slice(0, length);
        const text = a.toISOString();
        expect(holds(`v=${prefix}`, { v: text })).toBe(text.startsWith(prefix));
        expect(holds(`v=${prefix}`, { v: b.toISOString() })).toBe(true);
        expect(holds(`v<${prefix}`, { v: text })).toBe(text < prefix);
        expect(holds(`v>${prefix}`, { v: text })).toBe(text > prefix && !text.startsWith(prefix));
      }),
      { numRuns, seed: 22 },
    );
  });
});

describe("a filter on modified", () => {
  test("finds the time of change under whatever key it stands, the best one first", () => {
    expect(holds("modified>=2026-06", { timestamp: "2026-06-10T08:15:00Z" })).toBe(true);
    expect(holds("modified>=2026-06", { fm_date_modified: "2026-05-06", ingested_at: "2026-06-14T05:30:00Z" })).toBe(
      false,
    );
    expect(holds("modified=2026-05-06", { fm_date: "2026-05-06" })).toBe(true);
    expect(holds("modified<2026-06", { file_mtime: Date.UTC(2026, 4, 5) / 1_000 })).toBe(true);
    expect(holds("modified>=2000", { author: "2026-06-10" })).toBe(false);
  });

  const SECOND = Date.UTC(2026, 8, 14, 12) / 1_000;

  test.each([
    ...["updated_at", "updatedAt", "created_at", "createdAt", "mtime", "file_mtime", "last_modified", "lastModified"],
    ...[
      "date_modified",
      "fm_date_modified",
      "ts",
      "last-updated",
      "lastmod",
      "fm_updated",
      "published_at",
      "ingested_at",
    ],
  ])("finds it under %s, as a date, as seconds and as milliseconds", (key) => {
    for (const value of ["2026-09-14", "2026-09-14T12:00:00Z", SECOND, SECOND + 0.25, SECOND * 1_000, `${SECOND}`]) {
      expect(holds("modified>=2026-09", { [key]: value }), String(value)).toBe(true);
      expect(holds("modified<2026-09", { [key]: value }), String(value)).toBe(false);
      expect(holds("modified=2026-09-14", { [key]: value }), String(value)).toBe(true);
      expect(holds(`${key}>=2026`, { [key]: value }), String(value)).toBe(true);
      expect(holds(`${key}>=2027`, { [key]: value }), String(value)).toBe(false);
    }
  });

  test("prefers a change to an event, an event to the file, the file to its making", () => {
    const [old, late] = ["2026-01-01", "2026-09-01"];
    const orders = ["updatedAt", "timestamp", "file_mtime", "created_at", "ingested_at"];
    for (const [at, better] of orders.entries()) {
      for (const worse of orders.slice(at + 1)) {
        expect(holds("modified<2026-02", { [worse]: late, [better]: old }), `${better} before ${worse}`).toBe(true);
        expect(holds("modified<2026-02", { [worse]: late, [better]: "unknown" }), worse).toBe(false);
      }
    }
  });

  test("takes no other number for a time", () => {
    for (const value of [0, -5, 12, 2026, 20_260_914, 599_999_999, 4_200_000_000, 1e18, Number.NaN]) {
      expect(holds("modified>=1970", { updated_at: value }), String(value)).toBe(false);
    }
    expect(holds("modified>=1970", { size: SECOND })).toBe(false);
    expect(holds("size>=2026", { size: 2_027 })).toBe(true);
    expect(holds(`modified=${SECOND}`, { modified: SECOND })).toBe(true);
    expect(holds("modified>=2026-09", { modified: SECOND })).toBe(true);
  });

  test("takes the key itself where a document has it, whatever it holds", () => {
    expect(holds("modified>=2026-06", { modified: "unknown", timestamp: "2026-06-10" })).toBe(false);
    expect(holds("timestamp>=2026-06", { modified: "2026-06-10" })).toBe(false);
  });
});

describe("parseDateRange", () => {
  test.each(["2026-13", "2026-02-30", "2026-00-01", "2026-05-03T24:00", "2026-05-03T10:60", "26", "x2026", "2026-5"])(
    "refuses %s",
    (text) => {
      expect(parseDateRange(text)).toBeUndefined();
    },
  );

  test("keeps milliseconds exact and early years as they are", () => {
    expect(parseDateRange("2026-05-03T10:00:00.57Z")).toEqual({
      start: Date.UTC(2026, 4, 3, 10, 0, 0, 570),
      end: Date.UTC(2026, 4, 3, 10, 0, 0, 571),
    });
    expect(parseDateRange("0099")?.start).toBe(new Date("0099-01-01T00:00:00Z").getTime());
    expect(parseDateRange("2024-02-29")?.end).toBe(Date.UTC(2024, 2, 1));
  });
});
