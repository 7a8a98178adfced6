import { expect, test } from "vitest";
import { jsonText } from "./json-text.ts";

test("what ends lines or turns text around is an escape, and comes back as it was", () => {
  const value = { "a\u2028b": "\u0000\u001b[31m\u0085\u009b\u2029\u202e\u2066\n\u007f", plain: "é思" };
  const text = jsonText(value);
  expect(text).toMatch(/^[\x20-\x7eé思]+$/);
  expect(JSON.parse(text)).toEqual(value);
});
