import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pythonJson } from "./json-text.ts";
import { readLooseJson } from "./loose-json.ts";

const scale = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const settings = { seed: 20_260_106, numRuns: 500 * scale };

describe("loose JSON", () => {
  it("reads JSON as it is", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        if (typeof value === "string") return;
        expect(readLooseJson(text)).toEqual({ value: JSON.parse(text), repairs: [] });
        expect(readLooseJson(pythonJson(value))).toEqual({ value: JSON.parse(text), repairs: [] });
      }),
      settings,
    );
  });

  it("reads a cut object as far as it goes, and never throws", () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 });
    fc.assert(
      fc.property(object, fc.nat(), (value, cut) => {
        const text = JSON.stringify(value);
        const end = 1 + (cut % text.length);
        const read = readLooseJson(text.slice(0, end));
        if (read === undefined) return;
        expect(typeof read.value).toBe("object");
        if (end < text.length) expect(read.repairs).toContain("json_closed");
      }),
      settings,
    );
  });

  it("survives any text", () => {
    const text = fc.array(
      fc.constantFrom('{"a":', "[", "]", "}", '"', "'", "\\", "\\u12", ",", ":", "1", "tru", " ", "\n"),
    );
    fc.assert(
      fc.property(text, (parts) => {
        const read = readLooseJson(parts.join(""));
        if (read !== undefined) expect(JSON.stringify(read.value)).toBeTypeOf("string");
      }),
      settings,
    );
  });

  it.each<[string, unknown, readonly string[]]>([
    ['{"a": 1} [END]', { a: 1 }, ["json_surrounded"]],
    ['Call: {"a": [1, 2]}', { a: [1, 2] }, ["json_surrounded"]],
    ['{"a": 1}{"a": 2}', { a: 1 }, ["json_surrounded"]],
    ['{"pattern": "\\d+\\.\\w"}', { pattern: "\\d+\\.\\w" }, ["json_escapes"]],
    ['{"a": "two\nlines"}', { a: "two\nlines" }, ["json_escapes"]],
    ["{'a': True, b: None, \"c\": [1, 2,],}", { a: true, b: null, c: [1, 2] }, ["json_loose"]],
    ['{"a": ["x", "y', { a: ["x", "y"] }, ["json_closed"]],
    ['{"a": [1, 2}', { a: [1, 2] }, ["json_closed"]],
    ['"{\\"a\\": 1}"', { a: 1 }, ["json_in_text"]],
    ['{"__proto__": {"x": 1}, "a": 1,}', JSON.parse('{"__proto__": {"x": 1}, "a": 1}'), ["json_loose"]],
  ])("reads %s", (text, value, repairs) => {
    const read = readLooseJson(text);
    expect(read?.value).toEqual(value);
    expect(new Set(read?.repairs)).toEqual(new Set(repairs));
  });

  it.each(["", "no json", "{thought} then", "[[[".repeat(100), "{:1}"])("gives nothing for %j", (text) => {
    expect(readLooseJson(text)).toBeUndefined();
  });

  it("writes JSON as Python does", () => {
    const value = { query: "é 🦜 \u007f\n", ids: ["a", 1, true, null], none: {}, empty: [] };
    expect(pythonJson(value)).toBe(
      '{"query": "\\u00e9 \\ud83e\\udd9c \\u007f\\n", "ids": ["a", 1, true, null], "none": {}, "empty": []}',
    );
  });
});
