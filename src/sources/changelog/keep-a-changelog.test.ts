import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseChangelog } from "./keep-a-changelog.ts";

const RUNS = 200 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

describe("parseChangelog", () => {
  it("reads versions, dates, kinds of change, and what was withdrawn", () => {
    const text = [
      "# Changelog",
      "",
      "## [Unreleased]",
      "",
      "## [1.2.0] - 2026-05-14",
      "### Added",
      "- A thing.",
      "```md",
      "## [9.9.9]",
      "```",
      "### Fixed",
      "## v1.1.0-rc.1 (2026-04-01) [YANKED]",
      "- Oops.",
    ].join("\n");
    const entries = parseChangelog(text);
    expect(entries.map(({ version, date, kinds, yanked }) => ({ version, date, kinds, yanked }))).toEqual([
      { version: "Unreleased", date: undefined, kinds: [], yanked: false },
      { version: "1.2.0", date: "2026-05-14", kinds: ["Added", "Fixed"], yanked: false },
      { version: "1.1.0-rc.1", date: "2026-04-01", kinds: [], yanked: true },
    ]);
    expect(text.slice(entries[2]?.start, entries[2]?.end)).toMatch(/^## v1\.1\.0/);
  });

  it("keeps patches one level below, and links in headings", () => {
    const text = "## [2.1.0](https://example.com/compare) (2026-01-02)\n### 2.1.1\n#### 2.0\n";
    expect(parseChangelog(text).map(({ version, date }) => [version, date])).toEqual([
      ["2.1.0", "2026-01-02"],
      ["2.1.1", undefined],
    ]);
  });

  it("finds nothing in other texts", () => {
    expect(parseChangelog("# Notes\n\n## Why\n\nSome 1.2.3 text.\n")).toEqual([]);
    expect(parseChangelog("")).toEqual([]);
    expect(parseChangelog("## 1.0.0 - 2026-13-45\n")[0]?.date).toBeUndefined();
  });

  it("tiles what follows the first version, whatever the text", () => {
    const line = fc.constantFrom("## 1.0.0", "# [2.0] - 2026-01-01", "### Added", "```", "text", "", "## unreleased");
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
        const text = lines.join("\n");
        const entries = parseChangelog(text);
        entries.forEach(({ start, end }, i) => {
          expect(start).toBeLessThan(end);
          expect(end).toBe(entries[i + 1]?.start ?? text.length);
        });
      }),
      { seed: 7, numRuns: RUNS },
    );
  });
});
