import { expect, test } from "vitest";
import { retryNotice } from "./attempts.ts";
import { WinnowError } from "./errors.ts";

test.each([
  ["The server refused with status 500: boom", "boom. Attempt 2 failed;"],
  ["The server cannot be reached.", "reached. Attempt 2 failed;"],
  ["The server said: wait!", "wait! Attempt 2 failed;"],
])("the notice of a retry is sentences, whatever a server said last: %s", (message, expected) => {
  const notices: string[] = [];
  const error = new WinnowError("policy_unavailable", message);
  retryNotice((code, text) => notices.push(`${code} ${text}`))({ error, transient: true }, 1_500, 2);
  expect(notices).toEqual([expect.stringContaining(expected)]);
  expect(notices[0]).toMatch(/^retry .* follows after 1\.5 s\.$/);
});
