import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withJsonValue } from "./edit-json.ts";

const numRuns = 300 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

describe("withJsonValue", () => {
  test("keeps what else is written, with its formatting", () => {
    const text = `{\n    "policy": "rules",   "documents": [1,\n 2],\n    "corpora": { "notes":"./notes" }\n}\n`;
    expect(withJsonValue(text, ["corpora", "log"], { chroma: ".chroma", role: "changelog" })).toBe(
      `{\n    "policy": "rules",   "documents": [1,\n 2],\n    "corpora": { "notes":"./notes", "log": {\n            "chroma": ".chroma",\n            "role": "changelog"\n        } }\n}\n`,
    );
  });

  test("makes what is missing", () => {
    expect(withJsonValue("{}", ["corpora", "a"], "b")).toBe('{\n  "corpora": {\n    "a": "b"\n  }\n}');
    expect(withJsonValue('{\n  "a": 1\n}\n', ["corpora", "x"], "y")).toBe(
      '{\n  "a": 1,\n  "corpora": {\n    "x": "y"\n  }\n}\n',
    );
    expect(withJsonValue('{"a":1}', ["corpora", "x"], "y")).toBe('{"a":1, "corpora": {"x":"y"}}');
  });

  test("replaces the entry of the same name, the last where a file has it twice", () => {
    expect(withJsonValue('{"corpora":{"x":"old","x":{"folder":"}"}}}', ["corpora", "x"], "new")).toBe(
      '{"corpora":{"x":"old","x":"new"}}',
    );
  });

  test("any object, in any layout, holds the value afterwards, and nothing else changes", () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 });
    const corpora = fc.option(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }), {
      nil: undefined,
    });
    const layout = fc.constantFrom<string | number | undefined>(undefined, 1, 2, 4, "\t");
    fc.assert(
      fc.property(
        object,
        corpora,
        fc.string(),
        fc.jsonValue({ maxDepth: 2 }),
        layout,
        (rest, held, name, value, indent) => {
          const before: Record<string, unknown> = { ...rest, ...(held === undefined ? {} : { corpora: held }) };
          if (held === undefined) delete before["corpora"];
          const after = { ...before, corpora: { ...held, [name]: value } };
          const text = JSON.stringify(before, null, indent);
          expect(JSON.parse(withJsonValue(text, ["corpora", name], value))).toEqual(JSON.parse(JSON.stringify(after)));
        },
      ),
      { numRuns, seed: 11 },
    );
  });
});
