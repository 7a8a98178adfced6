import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { counterFor } from "../../src/features/open-record.ts";
import { verifyRecord } from "../../src/features/replay-run.ts";
import { parseRecord } from "../../src/record/reader.ts";

/** Records of earlier versions, over real documents and from a real server. */
const KEPT = ["sixty-turns", "chat", "rerendered", "sampled", "unsteered"].map((name, i) =>
  i === 0 ? `${name}.jsonl` : `real-server/record-${name}.jsonl`,
);

test.each(KEPT)("%s still renders to the bytes that its policy was shown", async (file) => {
  const text = readFileSync(new URL(`../../docs/evidence/${file}`, import.meta.url), "utf8");
  const record = parseRecord(text, file);
  const report = verifyRecord(record, await counterFor(record));
  expect(report.prompts).toBeGreaterThan(0);
  expect(report.differing).toEqual([]);
});
