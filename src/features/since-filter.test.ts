import { expect, test } from "vitest";
import { parseFilter } from "../core/filter-parse.ts";
import { sinceFilter } from "./since-filter.ts";

test("a date becomes a filter on modified, quoted where it must be", () => {
  for (const date of ["2026", "2026-05", "2026-05-14", "2026-05-14 10:00", "2026-05-14T10:00:00Z"]) {
    expect(parseFilter([sinceFilter(date)])).toEqual([{ key: "modified", operator: ">=", values: [date] }]);
  }
});

test("what is not a date is refused, not searched for", () => {
  for (const date of ["yesterday", "2026-13", "2026-02-30", "14.5.2026", "", "2026 AND path=x"]) {
    expect(() => sinceFilter(date), date).toThrow(
      expect.objectContaining({ code: "invalid_argument", hint: expect.stringContaining("2026-05-14") }),
    );
  }
});
