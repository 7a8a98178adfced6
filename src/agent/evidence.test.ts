import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { loadTokenCounter } from "../models/o200k-token-counter.ts";
import { parseRecord } from "../record/reader.ts";
import { replayRecord } from "./replay-record.ts";

it("renders the kept record of sixty turns to the bytes that were shown when it was made", async () => {
  const file = "docs/evidence/sixty-turns.jsonl";
  const record = parseRecord(readFileSync(file, "utf8"), file);
  // Written before the format was named `run/1`: what is kept under the older name must replay for good.
  expect(record.header.schema).toBe("run/0");
  const decisions = [...replayRecord(record, await loadTokenCounter())];
  expect(decisions).toHaveLength(60);
  expect(decisions.filter(({ same }) => !same)).toEqual([]);
  const pruned = record.events.flatMap((event) => (event.type === "edit" ? event.pruned : []));
  expect(pruned.length).toBeGreaterThan(500);
});

it.each([
  ["chat", 7],
  ["rerendered", 6],
  ["sampled", 6],
  ["unsteered", 3],
])("renders the kept record of a real model, %s, to the bytes that it was sent", async (kind, count) => {
  const file = `docs/evidence/real-server/record-${kind}.jsonl`;
  const record = parseRecord(readFileSync(file, "utf8"), file);
  const decisions = [...replayRecord(record, await loadTokenCounter())];
  expect(decisions).toHaveLength(count);
  expect(decisions.filter(({ same }) => !same)).toEqual([]);
});
