import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { recordIdOf } from "../../retrieval/chroma/chunk-id.ts";
import { wordCounter } from "../../testing/word-counter.ts";
import { chunkRecords } from "./chunk-records.ts";
import type { CollectionShape } from "./collection-shape.ts";
import { documentIdOf, recordDocument, type TextRecord } from "./record-document.ts";

const numRuns = 200 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const files: CollectionShape = {
  documentKey: "path",
  orderKey: "chunk_index",
  titleKey: "title",
  uriKey: "path",
  role: "documents",
};

const section = (index: number, more: TextRecord["metadata"] = {}): TextRecord => ({
  id: `r::${index}`,
  document: `Section ${index}.`,
  metadata: { path: "/home/u/a b.md", chunk_index: index, title: "A note", ...more },
});

describe("recordDocument", () => {
  test("puts the records of a document in order, with one text and one set of metadata", () => {
    const records = [
      section(10, { chunk_heading: "Ten", modified: "2026-05-03", tags: "a, b", status: "open" }),
      section(2, { modified: "2026-06-01", tags: "a, b", status: "done", author: "x" }),
    ];
    expect(recordDocument(records, files, "docs")).toEqual({
      document: {
        id: "/home/u/a b.md",
        uri: "/home/u/a b.md",
        title: "A note",
        format: "markdown",
        text: "Section 2.\n\nSection 10.",
        metadata: {
          author: "x",
          modified: "2026-06-01",
          path: "/home/u/a b.md",
          status: ["done", "open"],
          tags: "a, b",
          title: "A note",
        },
      },
      spans: [
        { recordId: "r::2", start: 0, end: 12, heading: undefined },
        { recordId: "r::10", start: 12, end: 23, heading: "Ten" },
      ],
      withoutText: 0,
      cut: 0,
    });
  });

  test("of times as numbers the latest stays, as of dates", () => {
    const at = Date.UTC(2026, 8, 1) / 1_000;
    const records = [section(0, { updated_at: at, size: 1 }), section(1, { updated_at: at + 60, size: 2 })];
    expect(recordDocument(records, files, "docs")?.document.metadata).toEqual({
      path: "/home/u/a b.md",
      title: "A note",
      updated_at: at + 60,
    });
    const turns = recordDocument(records, { ...files, orderKey: "updated_at" }, "docs");
    expect(turns?.document.metadata["updated_at"]).toBe(at + 60);
  });

  test("turns of a session are ordered by time, and the session is as old as its last turn", () => {
    const turn = (id: string, timestamp: string, role: string): TextRecord => ({
      id,
      document: id,
      metadata: { session_id: "s1", timestamp, turn_role: role },
    });
    const shape = { documentKey: "session_id", orderKey: "timestamp", role: "sessions" } as const;
    const made = recordDocument(
      [turn("b", "2026-05-01T10:00:00Z", "user"), turn("a", "2026-05-01T12:30:00+03:00", "assistant")],
      shape,
      "sessions of mine",
    );
    expect(made?.document).toMatchObject({
      id: "s1",
      uri: "chroma://sessions%20of%20mine/s1",
      text: "a\n\nb",
      metadata: { session_id: "s1", timestamp: "2026-05-01T10:00:00Z", turn_role: ["assistant", "user"] },
    });
    expect(made?.spans.map(({ heading }) => heading)).toEqual(["assistant", "user"]);
  });

  test("records without a text are left out and counted; with none there is no document", () => {
    const records = [section(0), { ...section(1), document: null }, { ...section(2), document: " \n" }];
    expect(recordDocument(records, files, "docs")).toMatchObject({ withoutText: 2, spans: [{ recordId: "r::0" }] });
    expect(recordDocument(records.slice(1), files, "docs")).toBeUndefined();
    expect(recordDocument([], files, "docs")).toBeUndefined();
  });

  test("a record without the key is a document of its own", () => {
    const record = { id: "r 1\n", document: "text", metadata: null };
    const made = recordDocument([record], files, "docs");
    expect(made?.document.id).toMatch(/^r 1 ~[0-9a-f]{12}$/);
    expect(made?.document.uri).toBe("chroma://docs/r%201%0A");
  });

  test("names that differ stay different as ids", () => {
    const names = ["a\tb", "a b", "a\u0007b", "ab", "x".repeat(800), "x".repeat(801)];
    expect(new Set(names.map(documentIdOf)).size).toBe(names.length);
    for (const name of names) expect(documentIdOf(name).length).toBeLessThanOrEqual(500);
  });
});

describe("chunkRecords", () => {
  const counter = wordCounter();
  const word = fc.constantFrom("alpha", "beta", "## Gamma\n\n", "delta.\n\n", "\r\n", "\u0000", "😀");
  const text = fc.array(word, { maxLength: 60 }).map((words) => words.join(" "));
  const long = fc.nat({ max: 3_000 }).map((count) => "word ".repeat(count));
  const record = fc.record({
    id: fc.string({ unit: "grapheme", minLength: 1 }),
    document: fc.option(fc.oneof(text, long)),
    metadata: fc.option(fc.record({ chunk_index: fc.option(fc.nat()), heading: fc.string() })),
  });

  test("tiles the text, stays within records, and names the first part of each by its record", () => {
    fc.assert(
      fc.property(fc.uniqueArray(record, { selector: ({ id }) => id, maxLength: 6 }), (records) => {
        const made = recordDocument(records, { ...files, documentKey: "none" }, "c");
        if (made === undefined) return;
        const chunks = chunkRecords(made, counter);
        expect(chunks.map((chunk) => chunk.text).join("")).toBe(made.document.text);
        let at = 0;
        for (const [index, chunk] of chunks.entries()) {
          expect([chunk.index, chunk.count, chunk.start]).toEqual([index, chunks.length, at]);
          const span = made.spans.find(({ recordId }) => recordId === recordIdOf(chunk.id));
          expect(span !== undefined && span.start <= chunk.start && chunk.end <= span.end).toBe(true);
          expect(chunk.tokens).toBeLessThanOrEqual(1_024);
          at = chunk.end;
        }
        expect(new Set(chunks.map(({ id }) => id)).size).toBe(chunks.length);
        const firsts = chunks.filter(({ id }) => !id.includes("#")).map(({ id }) => recordIdOf(id));
        expect(firsts).toEqual(made.spans.map(({ recordId }) => recordId));
      }),
      { numRuns, seed: 8 },
    );
  });
});
