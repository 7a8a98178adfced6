import { describe, expect, test } from "vitest";
import { WinnowError } from "../core/errors.ts";
import { parseRecord } from "./reader.ts";

function headerText(
  schema: unknown,
  rest: object = { runId: "r", query: "q", profile: { name: "p" }, documentsMax: 1 },
) {
  return `${JSON.stringify({ type: "header", schema, ...rest })}\n`;
}

function refusal(text: string): WinnowError {
  try {
    parseRecord(text, "r.jsonl");
  } catch (error) {
    if (WinnowError.isInstance(error)) return error;
    throw error;
  }
  throw new Error("The record was read.");
}

describe("the format of a record", () => {
  test.each(["run/0", "run/1"])("%s is read as it is", (schema) => {
    expect(parseRecord(headerText(schema), "r.jsonl").header).toEqual(JSON.parse(headerText(schema)));
  });

  test.each(["run/2", "run/17"])("%s, of a newer version, is refused with what to do", (schema) => {
    expect(refusal(headerText(schema))).toMatchObject({
      code: "record_corrupt",
      message: `r.jsonl has the format ${schema}; this version reads run/0 and run/1.`,
      hint: expect.stringMatching(/update this one/),
    });
  });

  test("a newer header is refused for its format, whatever else it holds", () => {
    expect(refusal(headerText("run/2", { id: 7, question: [] })).message).toContain("has the format run/2");
  });

  test("what was never a record is not called a newer one", () => {
    for (const schema of ["result/1", "run/", "run/x", "run/1 ", "x".repeat(500)]) {
      const { message, hint } = refusal(headerText(schema));
      expect(message.length).toBeLessThan(150);
      expect(hint).toBe("Give a file that winnow search has written.");
    }
    expect(refusal(headerText(1)).message).toMatch(/damaged at line 1/);
  });
});
