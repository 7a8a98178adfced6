import { expect, test } from "vitest";
import { standingOf } from "./standing.ts";

test("a document stands by its day, its repository and its session", () => {
  const metadata = { modified: "2026-05-10T08:00:00Z", repository: "ledger", session_id: "5b1f6c7e" };
  expect(standingOf(metadata)).toEqual({ facts: ["2026-05-10", "ledger", "session 5b1f6c7e"], stale: undefined });
  expect(standingOf({})).toEqual({ facts: [], stale: undefined });
});

test.each([
  [{ superseded_by: "docs/retries-v2.md", status: "superseded" }, "superseded by docs/retries-v2.md"],
  [{ fm_status: "Deprecated" }, "deprecated"],
  [{ status: "accepted" }, undefined],
])("%j stands as %s", (metadata, stale) => {
  expect(standingOf(metadata).stale).toBe(stale);
});
