import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CorpusPlace } from "./open-corpora.ts";
import { scopedWorkspace } from "./scoped-workspace.ts";
import type { Workspace } from "./workspace.ts";
import { pathOfRun, recordAt, runsOfWorkspace } from "./workspace-runs.ts";

const folder = mkdtempSync(join(tmpdir(), "winnow-runs-"));
const runsFolder = join(folder, "runs");
const places: CorpusPlace[] = [
  { name: "docs", folder, runsFolder },
  { name: "notes", folder, runsFolder: join(folder, "none") },
];
const asked: (readonly string[])[] = [];
const workspace = {
  folder,
  places: async () => places,
  corpora: async (names: readonly string[] = []) => {
    asked.push(names);
    return [];
  },
} as unknown as Workspace;

const idOf = (number: number): string => `20260101T00000${number}-00000000`;
const DOCS = idOf(1);
const BOTH = idOf(2);
const NAMELESS = idOf(3);
const ELSEWHERE = idOf(4);

function writeRun(file: string, runId: string, corpora: unknown): void {
  const header = { type: "header", schema: "run/1", runId, at: 1, query: "q", profile: { name: "chat" }, corpora };
  const filled = { ...header, policy: { name: "rules" }, documentsMax: 5, padding: "x".repeat(100_000) };
  writeFileSync(file, `${JSON.stringify(filled)}\n`);
}

beforeAll(() => {
  mkdirSync(runsFolder);
  writeRun(join(runsFolder, `${DOCS}.jsonl`), DOCS, [{ name: "docs" }]);
  writeRun(join(runsFolder, `${BOTH}.jsonl`), BOTH, [{ name: "docs" }, { name: "notes" }]);
  writeRun(join(runsFolder, `${NAMELESS}.jsonl`), NAMELESS, undefined);
  writeFileSync(join(runsFolder, "20260101T000009-00000000.jsonl"), "torn");
  writeRun(join(folder, "outside.jsonl"), ELSEWHERE, [{ name: "docs" }]);
  symlinkSync(join(folder, "outside.jsonl"), join(runsFolder, `${ELSEWHERE}.jsonl`));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("runs of a workspace", () => {
  test("a caller with named corpora sees the runs over these alone", async () => {
    const scoped = await runsOfWorkspace(workspace, ["docs"], 10);
    expect(scoped).toMatchObject({ runs: [{ runId: DOCS, corpora: ["docs"] }], total: 1, damaged: 0 });
    expect(JSON.stringify(scoped)).not.toContain(folder);
    const all = await runsOfWorkspace(workspace, null, 10);
    expect(all.runs.map(({ runId }) => runId)).toEqual([BOTH, DOCS]);
    expect(all.damaged).toBe(2);
    expect((await runsOfWorkspace(workspace, ["docs", "notes"], 1)).runs).toMatchObject([{ runId: BOTH }]);
  });

  test("a record is found by its whole id, by those who may read it", async () => {
    const path = await pathOfRun(workspace, ["docs"], DOCS);
    expect((await recordAt(path)).header.runId).toBe(DOCS);
    expect(await pathOfRun(workspace, null, BOTH)).toContain(BOTH);
    for (const runId of [BOTH, NAMELESS, DOCS.slice(0, -1), `../runs/${DOCS}`, `${DOCS}.jsonl`, ELSEWHERE, ""]) {
      await expect(pathOfRun(workspace, ["docs"], runId)).rejects.toMatchObject({ code: "run_not_found" });
    }
  });
});

describe("scopedWorkspace", () => {
  test("asks its own corpora where none is named, and refuses all others alike", async () => {
    const scoped = scopedWorkspace(workspace, ["notes", "gone"]);
    expect((await scoped.places()).map(({ name }) => name)).toEqual(["notes"]);
    await scoped.corpora();
    await scoped.corpora(["notes"]);
    expect(asked.splice(0)).toEqual([["notes"], ["notes"]]);
    for (const names of [["docs"], ["notes", "docs"], ["nowhere"], ["gone"]]) {
      await expect(scoped.corpora(names)).rejects.toMatchObject({ code: "forbidden" });
    }
    expect(asked).toEqual([]);
    await expect(scopedWorkspace(workspace, []).places()).rejects.toMatchObject({ code: "corpus_not_found" });
    expect(scopedWorkspace(workspace, null)).toBe(workspace);
  });
});
