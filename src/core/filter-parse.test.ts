import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { thrown } from "../testing/thrown.ts";
import { WinnowError } from "./errors.ts";
import type { Filter, FilterOperator } from "./filter.ts";
import { checkFilterKeys, FILTER_PREDICATES_MAX, FILTER_UNITS_MAX, formatFilter, parseFilter } from "./filter-parse.ts";

const numRuns = 300 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

const one = (key: string, operator: FilterOperator, ...values: string[]): Filter => [{ key, operator, values }];

describe("parseFilter", () => {
  test.each<[string, Filter]>([
    ["kind=note", one("kind", "=", "note")],
    ["  kind  =  note  ", one("kind", "=", "note")],
    ["kind!=note", one("kind", "!=", "note")],
    ["size<=3", one("size", "<=", "3")],
    ["size<3", one("size", "<", "3")],
    ["size>=-3.5", one("size", ">=", "-3.5")],
    ["size>3", one("size", ">", "3")],
    ["kind in a,b , c", one("kind", "in", "a", "b", "c")],
    ['kind in "a,b",c', one("kind", "in", "a,b", "c")],
    ["kind IN a", one("kind", "in", "a")],
    ["tags contains x", one("tags", "contains", "x")],
    ["tags contains'x y'", one("tags", "contains", "x y")],
    ['author="Jane \\"JD\\" Doe"', one("author", "=", 'Jane "JD" Doe')],
    ["author='it\\'s \\\\ \"it\"'", one("author", "=", 'it\'s \\ "it"')],
    ['path="C:\\new"', one("path", "=", "C:\\new")],
    ['"doc id"=7', one("doc id", "=", "7")],
    ['empty=""', one("empty", "=", "")],
    ["in in in", one("in", "in", "in")],
    ["note=AND AND and=2", [...one("note", "=", "AND"), ...one("and", "=", "2")]],
    ["a=1 and b=2 AND c in x,y", [...one("a", "=", "1"), ...one("b", "=", "2"), ...one("c", "in", "x", "y")]],
    ["when>=2026-05-03T10:00:00Z", one("when", ">=", "2026-05-03T10:00:00Z")],
    ["clé=été", one("clé", "=", "été")],
    ["toString=1 AND __proto__=2", [...one("toString", "=", "1"), ...one("__proto__", "=", "2")]],
  ])("%s", (text, filter) => {
    expect(parseFilter([text])).toEqual(filter);
  });

  test("joins several expressions and accepts none", () => {
    expect(parseFilter(["a=1", "b=2 AND c=3"])).toEqual(parseFilter(["a=1 AND b=2 AND c=3"]));
    expect(parseFilter([])).toEqual([]);
  });

  test.each([
    ["", /empty/],
    ["   ", /empty/],
    ["kind", /operator is missing after "kind" at character 5/],
    ["=x", /key is missing at character 1/],
    ['""=x', /key is missing/],
    ["kind=", /value for "kind" is missing/],
    ["kind in a,,b", /value for "kind" is missing at character 11/],
    ["kind in", /operator is missing/],
    ["kind==x", /"==" is not an operator/],
    ["kind=a b", /Unexpected "b" at character 8/],
    ["a=1 AND", /Nothing follows AND/],
    ["a=1 OR b=2", /OR is not supported/],
    ["a=b=c", /Unexpected "=c"/],
    ["a=b,c", /several values/],
    ["a in (b,c)", /bracket/],
    ["a in [b]", /bracket/],
    ['a="b', /opens at character 3 is not closed/],
    ['a="b\\"', /not closed/],
    ["a=1 ANDY b=2", /Unexpected/],
    [`a=${"x".repeat(FILTER_UNITS_MAX)}`, /longer/],
    [Array.from({ length: FILTER_PREDICATES_MAX + 1 }, () => "a=1").join(" AND "), /at most 64 conditions/],
    [`a in ${Array.from({ length: 1_001 }, (_, i) => i).join(",")}`, /at most 1000 values/],
  ])("refuses %j", (text, message) => {
    const error = thrown(() => parseFilter([text]));
    expect(error.code).toBe("invalid_filter");
    expect(error.message).toMatch(message);
    expect(error.hint).toBeTruthy();
    expect(error.message).not.toContain("\n");
  });

  test("any text parses or is refused as invalid_filter", () => {
    const fragment = fc.oneof(
      fc.constantFrom(
        "a",
        "b c",
        "=",
        "!=",
        "<",
        ">=",
        " in ",
        " contains ",
        " AND ",
        ",",
        '"',
        "'",
        "\\",
        " ",
        "(",
        "!",
      ),
      fc.string({ maxLength: 4, unit: "binary" }),
    );
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 12 }), (fragments) => {
        try {
          const filter = parseFilter([fragments.join("")]);
          expect(parseFilter([formatFilter(filter)])).toEqual(filter);
        } catch (error) {
          expect(WinnowError.isInstance(error) && error.code).toBe("invalid_filter");
        }
      }),
      { numRuns: numRuns * 5, seed: 11 },
    );
  });
});

describe("formatFilter", () => {
  const word = fc.oneof(
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.constantFrom(
      "and",
      "OR",
      "in",
      "contains",
      "a b",
      'q"',
      "q'",
      "\\",
      "\\\\'",
      "(x",
      "a!b",
      "a,b",
      "x=y",
      "\u00a0",
    ),
  );
  const key = word.filter((text) => text !== "");
  const predicate = fc.oneof(
    fc.record({
      key,
      operator: fc.constantFrom<FilterOperator>("=", "!=", "<", "<=", ">", ">=", "contains"),
      values: word.map((value) => [value]),
    }),
    fc.record({
      key,
      operator: fc.constant<FilterOperator>("in"),
      values: fc.array(word, { minLength: 1, maxLength: 4 }),
    }),
  );

  test("round trip", () => {
    fc.assert(
      fc.property(fc.array(predicate, { minLength: 1, maxLength: 4 }), (filter) => {
        expect(parseFilter([formatFilter(filter)])).toEqual(filter);
        expect(parseFilter(filter.map((single) => formatFilter([single])))).toEqual(filter);
      }),
      { numRuns, seed: 12 },
    );
  });

  test("leaves plain words bare", () => {
    expect(formatFilter(parseFilter(['"kind" in "a","b c"', "'n'>='2026-05'"]))).toBe('kind in a,"b c" AND n>=2026-05');
  });
});

describe("checkFilterKeys", () => {
  test("names the key that was meant", () => {
    const error = thrown(() => checkFilterKeys(parseFilter(["autor=x"]), ["author", "modified"]));
    expect(error.code).toBe("invalid_filter");
    expect(error.message).toBe('No document has the key "autor". Did you mean "author"?');
    expect(error.hint).toBe("Known keys: author, modified.");
  });

  test("accepts known keys, and nothing inherited", () => {
    checkFilterKeys(parseFilter(["author=x AND author!=y"]), new Set(["author"]));
    expect(thrown(() => checkFilterKeys(parseFilter(["constructor=x"]), [])).hint).toMatch(/no metadata/);
  });

  test("knows modified wherever some key says when a document changed", () => {
    checkFilterKeys(parseFilter(["modified>=2026"]), ["timestamp", "session_id"]);
    expect(thrown(() => checkFilterKeys(parseFilter(["modified>=2026"]), ["session_id"])).code).toBe("invalid_filter");
  });

  test("refuses to order dates by what is not a date", () => {
    for (const expression of ["modified>=2026-13", "date<yesterday", "path=a AND modified<='2026-02-30'", 'date>""']) {
      const error = thrown(() => checkFilterKeys(parseFilter([expression]), ["modified", "date", "path"]));
      expect(error.code, expression).toBe("invalid_filter");
      expect(error.message, expression).toMatch(/is not a date\.$/);
      expect(error.hint).toContain("2026-05-14");
    }
    const fine = [
      "modified>=2026-05",
      "date<2026",
      "modified>'2026-05-14 10:00'",
      "date=soon",
      "date != never",
      "rank>first",
    ];
    checkFilterKeys(parseFilter(fine), ["modified", "date", "rank"]);
  });

  test("shortens a long list of keys", () => {
    const keys = Array.from({ length: 200 }, (_, i) => `key_${String(i).padStart(3, "0")}`);
    expect(thrown(() => checkFilterKeys(parseFilter(["zzz=1"]), keys)).hint).toMatch(/key_019, …\.$/);
  });
});
