import { describe, expect, test } from "vitest";
import type { RecordedChunk, RecordedDocument } from "../record/events.ts";
import { foldDuplicates } from "./fold-duplicates.ts";

const BERTHS =
  "The lock of a berth expires after the loading has been idle for one tide, and the next ship may have it.";
const ROPES =
  "Ropes are counted on the last day of the year, by two people who do not look at what the other one writes.";

const chunks = new Map<string, RecordedChunk>();
function listed(id: string, texts: readonly string[], count = texts.length, metadata = {}): RecordedDocument {
  const keys = texts.map((text, index) => {
    const key = `${id}:${index}`;
    const place = { index, count, start: 0, end: text.length, line: 1, tokens: 20 };
    chunks.set(key, {
      ...{ key, corpus: "c", id: key, documentId: id, title: "Harbour", headings: [], uri: id, metadata },
      ...place,
      text,
    });
    return key;
  });
  return { corpus: "c", id, score: 1, justification: "", chunks: keys, pruned: false };
}

function fold(documents: readonly RecordedDocument[], documentsMax = 10, others: readonly RecordedDocument[] = []) {
  return foldDuplicates(documents, others, (key) => chunks.get(key), documentsMax).map(({ id, duplicates }) =>
    duplicates === undefined ? id : [id, ...duplicates.map((name) => name.id)],
  );
}

describe("foldDuplicates of a run's list", () => {
  test("a copy is named by the better one before the list is cut", () => {
    expect(fold([listed("a", [BERTHS]), listed("b", [BERTHS]), listed("c", [ROPES])], 2)).toEqual([["a", "b"], "c"]);
  });

  test("copies that were seen and not listed are named, and nothing else of what was seen", () => {
    const others = [listed("a", [BERTHS]), listed("b", [BERTHS]), listed("c", [ROPES])];
    expect(fold([listed("a", [BERTHS])], 10, others)).toEqual([["a", "b"]]);
    expect(fold([listed("c", [ROPES])], 10, others)).toEqual(["c"]);
  });

  test("of documents seen in part, the best passages decide", () => {
    expect(fold([listed("a", [BERTHS], 9), listed("b", [BERTHS, ROPES], 9), listed("c", [ROPES], 9)])).toEqual([
      ["a", "b"],
      "c",
    ]);
    expect(fold([listed("a", [BERTHS], 9), listed("b", [BERTHS], 90)])).toEqual(["a", "b"]);
  });

  test("what is out of date, or was never shown, stands for itself", () => {
    expect(fold([listed("a", [BERTHS]), listed("b", [BERTHS], 1, { status: "Superseded" })])).toEqual(["a", "b"]);
    expect(fold([listed("a", []), listed("b", [])])).toEqual(["a", "b"]);
  });

  test("folding a folded list changes nothing", () => {
    const once = foldDuplicates([listed("a", [BERTHS]), listed("b", [BERTHS])], [], (key) => chunks.get(key), 10);
    expect(foldDuplicates(once, [], (key) => chunks.get(key), 10)).toEqual(once);
  });
});
