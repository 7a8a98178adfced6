import { describe, expect, it } from "vitest";
import { type Dated, findSuperseded } from "./supersession.ts";
import type { Metadata } from "./types.ts";

const document = (id: string, metadata: Metadata = {}, title = id): Dated => ({ id, uri: id, title, metadata });
const stale = (...documents: Dated[]) => Object.fromEntries(findSuperseded(documents));

describe("findSuperseded", () => {
  it("believes a document that names its successor, also one that is not there", () => {
    const found = stale(document("specs/a.md", { superseded_by: "[[b]]" }), document("specs/b.md"));
    expect(found).toEqual({ "specs/a.md": { by: "specs/b.md", reason: "superseded by [[b]]" } });
    expect(stale(document("a.md", { superseded_by: "elsewhere.md" }))["a.md"]).toEqual({
      reason: "superseded by elsewhere.md",
    });
  });

  it("believes a document that names what it replaces", () => {
    const found = stale(document("old.md"), document("new.md", { supersedes: ["old.md", "never-was.md"] }));
    expect(found).toEqual({ "old.md": { by: "new.md", reason: "superseded by new.md" } });
  });

  it("reads a status", () => {
    expect(stale(document("a.md", { fm_status: "Deprecated" }), document("b.md", { status: "Accepted" }))).toEqual({
      "a.md": { reason: "its status is deprecated" },
    });
    // What is put away may hold all the same.
    expect(stale(document("a.md", { status: "archived" }), document("archive/b.md"))).toEqual({});
  });

  it("finds older versions of one name in one folder by their dates", () => {
    const at = (modified: string): Metadata => ({ repository: "kit", modified });
    const found = stale(
      document("specs/queue-v1.md", at("2026-01-01"), "Queue"),
      document("specs/queue-v2.md", at("2026-02-01"), "Queue"),
      document("other/queue-v3.md", at("2026-03-01"), "Queue"),
      document("specs/queue.md", at("2026-04-01"), "Queue"),
    );
    expect(found).toEqual({
      "specs/queue-v1.md": { by: "specs/queue-v2.md", reason: "a newer version is specs/queue-v2.md" },
    });
  });

  it("takes entries of a journal and different headings for what they are", () => {
    const at = (modified: string): Metadata => ({ modified });
    const journal = [document("log/2026-01-01.md", at("2026-01-01")), document("log/2026-01-02.md", at("2026-01-02"))];
    expect(stale(...journal)).toEqual({});
    const entries = [
      document("log/fix-2026-01-01.md", at("2026-01-01"), "Retry on 429"),
      document("log/fix-2026-01-02.md", at("2026-01-02"), "Close the pool"),
    ];
    expect(stale(...entries)).toEqual({});
  });

  it("does not let a document replace itself", () => {
    expect(stale(document("a.md", { supersedes: "a.md" }))).toEqual({});
  });
});
