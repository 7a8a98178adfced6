import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { detectShape, RECORD_KEY, type SampledRecord } from "./detect-shape.ts";

const numRuns = 200 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const plain = { name: "things", dimension: 384, embeddingFunction: "default" };

const records = (count: number, metadata: (at: number) => SampledRecord["metadata"]): SampledRecord[] =>
  Array.from({ length: count }, (_, at) => ({ id: `r${at}`, document: `text ${at}`, metadata: metadata(at) }));

const day = (at: number) => `2026-05-${String(1 + (at % 28)).padStart(2, "0")}`;

/** Collections as the published scripts of the first users and common libraries write them. */
const SHAPES: readonly [string, SampledRecord[], string, object][] = [
  [
    "sections of Markdown files",
    records(40, (at) => ({
      source_repo_slug: "kit",
      source_path: `/home/u/kit/specs/File ${Math.floor(at / 4)}.md`,
      source_relative_path: `specs/File ${Math.floor(at / 4)}.md`,
      chunk_index: at % 4,
      chunk_heading: `Part ${at % 4}`,
      fm_title: `File ${Math.floor(at / 4)}`,
      fm_tags: "Alpha, Beta",
      fm_date_modified: day(at),
    })),
    "things",
    {
      documentKey: "source_path",
      orderKey: "chunk_index",
      titleKey: "fm_title",
      uriKey: "source_path",
      role: "documents",
    },
  ],
  [
    "changelog entries",
    records(30, (at) => ({
      source_path: `/log/${at}.md`,
      changelog_dir: "changelog",
      fm_date: day(at),
      fm_title: `E${at}`,
    })),
    "things",
    { documentKey: "source_path", orderKey: undefined, titleKey: "fm_title", uriKey: "source_path", role: "changelog" },
  ],
  [
    "turns of sessions",
    records(40, (at) => ({
      session_id: `s${Math.floor(at / 8)}`,
      project_path: "/home/u/kit",
      turn_role: at % 2 === 0 ? "user" : "assistant",
      timestamp: `${day(at)}T10:00:${String(at).padStart(2, "0")}Z`,
    })),
    "things",
    { documentKey: "session_id", orderKey: "timestamp", titleKey: undefined, uriKey: undefined, role: "sessions" },
  ],
  [
    "calls of tools",
    records(40, (at) => ({
      tool_name: at % 2 === 0 ? "Bash" : "Edit",
      is_error: at % 5 === 0,
      session_id: `s${at % 3}`,
    })),
    "things",
    { documentKey: RECORD_KEY, orderKey: undefined, titleKey: "tool_name", uriKey: undefined, role: "traces" },
  ],
  [
    "pages of PDFs",
    records(30, (at) => ({ source: `/papers/${Math.floor(at / 10)}.pdf`, page: at % 10 })),
    "things",
    { documentKey: "source", orderKey: "page", titleKey: undefined, uriKey: "source", role: "documents" },
  ],
  [
    "nodes of documents",
    records(20, (at) => ({ doc_id: `d${Math.floor(at / 5)}`, _node_content: "{}", start: at * 100 })),
    "things",
    { documentKey: "doc_id", orderKey: "start", titleKey: undefined, uriKey: undefined, role: "documents" },
  ],
  [
    "nothing but texts",
    records(20, () => null),
    "release-notes",
    { documentKey: RECORD_KEY, orderKey: undefined, titleKey: undefined, uriKey: undefined, role: "changelog" },
  ],
];

const summary = (shape: ReturnType<typeof detectShape>) => ({
  documentKey: shape.documentKey.value,
  orderKey: shape.orderKey?.value,
  titleKey: shape.titleKey,
  uriKey: shape.uriKey,
  role: shape.role.value,
});

describe("detectShape", () => {
  test.each(SHAPES)("%s", (_what, sample, name, expected) => {
    const shape = detectShape(sample, { ...plain, name });
    expect(summary(shape)).toEqual(expected);
    expect(shape.documentKey.sure).toBe(true);
  });

  test("a key that some records lack names no document, and parts without one are asked about", () => {
    const sample = records(40, (at) => ({
      ...(at % 3 === 0 ? {} : { source_path: `/f${at % 5}` }),
      chunk_index: at % 4,
    }));
    expect(detectShape(sample, plain).documentKey).toMatchObject({ value: RECORD_KEY, sure: false });
  });

  test("an order key that repeats within documents is none", () => {
    const sample = records(40, (at) => ({ path: `/f${at % 5}`, chunk_index: 0 }));
    expect(detectShape(sample, plain).orderKey).toBeUndefined();
  });

  test.each([
    [{ embeddingFunction: "default", dimension: 384 }, "minilm", true],
    [{ embeddingFunction: "default", dimension: null }, "minilm", true],
    [{ embeddingFunction: "default", dimension: 768 }, undefined, false],
    [
      {
        embeddingFunction: "sentence_transformer",
        embeddingModel: "sentence-transformers/all-MiniLM-L6-v2",
        dimension: 384,
      },
      "minilm",
      true,
    ],
    [{ embeddingFunction: "openai", dimension: 1536 }, undefined, false],
    [{ embeddingFunction: null, dimension: 384 }, "minilm", false],
    [{ embeddingFunction: null, dimension: 1024 }, undefined, false],
  ])("vectors: %j", (facts, value, sure) => {
    expect(
      detectShape(
        records(3, () => null),
        { name: "x", ...facts },
      ).embedder,
    ).toMatchObject({ value, sure });
  });

  test("values are told apart: joined lists, dates, numbers, records without a text", () => {
    const sample = records(4, (at) => ({ tags: "a, b", day: day(at), n: at, x: at % 2 === 0 ? 1 : "one", l: ["a"] }));
    const shape = detectShape([...sample, { id: "e", document: " ", metadata: null }], plain);
    const types = Object.fromEntries(shape.keys.map(({ key, type, joined, dates }) => [key, [type, joined, dates]]));
    expect(types).toEqual({
      tags: ["text", true, false],
      day: ["text", false, true],
      n: ["whole", false, false],
      x: ["mixed", false, false],
      l: ["list", false, false],
    });
    expect(shape.withoutText).toBe(1);
  });

  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constantFrom("2026-05-01", "/a/b.md", "https://x.example/y", "a, b"),
    fc.array(fc.string(), { maxLength: 3 }),
  );
  const key = fc.oneof(
    fc.constantFrom(
      "source_path",
      "chunk_index",
      "session_id",
      "turn_role",
      "tool_name",
      "title",
      "url",
      "page",
      "doc_id",
    ),
    fc.string(),
  );
  const sampled = fc
    .array(
      fc.record({ document: fc.option(fc.string()), metadata: fc.option(fc.dictionary(key, value, { maxKeys: 6 })) }),
      {
        maxLength: 30,
      },
    )
    .map((list): SampledRecord[] => list.map((record, at) => ({ id: String(at), ...record })));

  test("whatever the records: the keys named are there, nearly everywhere where they must be", () => {
    fc.assert(
      fc.property(sampled, fc.string(), (sample, name) => {
        const shape = detectShape(sample, { ...plain, name });
        const share = (named: string): number =>
          sample.filter(({ metadata }) => !["", null, undefined].includes(metadata?.[named] as never)).length /
          sample.length;
        if (shape.documentKey.value !== RECORD_KEY) expect(share(shape.documentKey.value)).toBeGreaterThanOrEqual(0.9);
        if (shape.orderKey !== undefined) expect(share(shape.orderKey.value)).toBeGreaterThanOrEqual(0.9);
        if (shape.uriKey !== undefined) expect(share(shape.uriKey)).toBeGreaterThanOrEqual(0.9);
        for (const named of [shape.titleKey, shape.repositoryKey, ...shape.dateKeys]) {
          if (named !== undefined) expect(share(named)).toBeGreaterThan(0);
        }
      }),
      { numRuns, seed: 5 },
    );
  });

  test("the order of the records changes nothing", () => {
    fc.assert(
      fc.property(sampled, fc.integer(), (sample, seed) => {
        const shuffled = [...sample].sort(
          (a, b) => ((Number(a.id) * 7919 + seed) % 31) - ((Number(b.id) * 7919 + seed) % 31),
        );
        expect(detectShape(shuffled, plain)).toEqual(detectShape(sample, plain));
      }),
      { numRuns, seed: 6 },
    );
  });
});

test("keys of times are found as dates and as numbers, those of a change before those of the making", () => {
  const at = Date.UTC(2026, 8, 1) / 1_000;
  const found = records(20, (n) => ({
    createdAt: at + n * 60,
    updatedAt: `2026-09-${String(1 + n).padStart(2, "0")}`,
    mtime: (at + n) * 1_000,
    ts: n,
    size: at + n,
  }));
  expect(detectShape(found, plain).dateKeys).toEqual(["updatedAt", "mtime", "createdAt"]);
});
