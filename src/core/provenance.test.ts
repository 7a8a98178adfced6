import { describe, expect, it } from "vitest";
import { isArchived, isTellingStatus, provenanceOf } from "./provenance.ts";

describe("provenanceOf", () => {
  it("reads front matter of other makers as it is", () => {
    const metadata = {
      source_repo_slug: "kit",
      source_relative_path: "specs/queue.md",
      fm_tags: "Queues, Retries",
      fm_date_created: "2026-01-02",
      fm_date_modified: "2026-03-04",
      fm_status: "Draft",
      ingested_at: "2026-09-09T00:00:00Z",
    };
    expect(provenanceOf(metadata)).toEqual({
      date: Date.UTC(2026, 2, 4),
      repository: "kit",
      path: "specs/queue.md",
      tags: ["Queues", "Retries"],
      status: "Draft",
      supersedes: [],
    });
  });

  it("reads times in seconds and in milliseconds", () => {
    const at = Date.UTC(2026, 4, 5);
    expect(provenanceOf({ file_mtime: at / 1_000 }).date).toBe(at);
    expect(provenanceOf({ file_mtime: at }).date).toBe(at);
  });

  it.each([
    { modified: "yesterday" },
    { modified: Number.NaN },
    { modified: -5 },
    { modified: 1e300 },
    { modified: ["2026-01-01"] },
    { modified: "2026-02-30" },
  ])("finds no date in %j", (metadata) => {
    expect(provenanceOf(metadata).date).toBeUndefined();
  });

  it("passes over a date that is none for one that is", () => {
    expect(provenanceOf({ modified: "soon", date: "2026-05" }).date).toBe(Date.UTC(2026, 4, 1));
  });

  it("takes nothing from the prototype", () => {
    expect(provenanceOf(Object.create({ repository: "inherited" }))).toEqual({ tags: [], supersedes: [] });
  });
});

describe("isArchived", () => {
  it.each([
    [{ status: "Archived" }, "a.md", true],
    [{ archived: true }, "a.md", true],
    [{ fm_archived: "yes" }, "a.md", true],
    [{}, "docs/archive/2024/a.md", true],
    [{}, "_archived/a.md", true],
    [{ path: "notes\\Archive\\a.md" }, "x", true],
    [{ archived: false, status: "Superseded" }, "docs/archiving.md", false],
    [{}, "docs/archive.md", false],
    [{}, "", false],
  ])("of %j at %j is %j", (metadata, uri, expected) => {
    expect(isArchived(metadata, uri)).toBe(expected);
  });
});

it.each([
  ["superseded", true],
  ["Archived", true],
  ["accepted", false],
])("a status %j tells a reader to think twice: %j", (status, expected) => {
  expect(isTellingStatus(status)).toBe(expected);
});
