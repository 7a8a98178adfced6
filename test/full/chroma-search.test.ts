import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect } from "vitest";
import type { SearchResult } from "../../src/agent/result.ts";
import { provenanceOf } from "../../src/core/provenance.ts";
import { chromaCommand, chromaPython, digest, fourCollections, KillableServer, realPython } from "../support/chroma.ts";
import { runCommand } from "../support/command.ts";
import { skipUnless } from "../support/skip-unless.ts";

interface Question {
  readonly shape: "decision" | "shipping" | "history" | "failure" | "location";
  readonly question: string;
  readonly corpora?: readonly string[];
  readonly where?: readonly string[];
  readonly since?: string;
  readonly expected: readonly (readonly [corpus: string, document: string])[];
  readonly superseded?: readonly [corpus: string, document: string];
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const cli = join(root, "dist", "cli.js");
const questions: readonly Question[] = JSON.parse(readFileSync(join(root, "python/chroma/questions.json"), "utf8"));
const work = mkdtempSync(join(tmpdir(), "winnow-chroma-search-"));
const data = join(work, "project", ".chroma");
const PORT = 18_231;
/** An answer further down is one that nobody reads. */
const RANK_MAX = 5;
const NAMES = ["claude-code-sessions", "claude-code-tool-traces", "context-vigilance-corpus", "lossless-changelog"];

/** Folder of all-MiniLM-L6-v2 as Chroma's cache has it. */
const model = process.env["WINNOW_MINILM"] ?? "";
const withModel = skipUnless(chromaPython !== "" && model !== "", "WINNOW_MINILM names no folder with the model.", {
  mayBeAbsent: true,
});

let areVectorsReal = false;
let home = join(work, "home");
const run = async (folder: string, ...args: readonly string[]) => {
  const options = { cwd: folder, home, env: { WINNOW_CHROMA: chromaCommand } };
  const { code, stdout, stderr } = await runCommand(cli, [...args, "--json"], options);
  return { code, answer: JSON.parse(stdout), stderr };
};

async function ask(folder: string, { question, corpora = [], where = [], since }: Question): Promise<SearchResult> {
  const args = [
    ...corpora.flatMap((name) => ["--corpus", name]),
    ...where.flatMap((one) => ["--where", one]),
    ...(since === undefined ? [] : ["--since", since]),
  ];
  const { code, answer } = await run(folder, "search", question, ...args);
  expect(code, question).toBe(0);
  return answer;
}

function expectAnswered({ documents }: SearchResult, { question, expected }: Question): void {
  for (const [corpus, id] of expected) {
    const found = documents.find((document) => document.corpus === corpus && document.id === id);
    expect(found?.rank ?? Number.POSITIVE_INFINITY, `${question}: ${id}`).toBeLessThanOrEqual(RANK_MAX);
  }
}

/** What a citation needs: the time, the place, and the repository; of a call of a tool the session instead. */
function expectCitable({ documents }: SearchResult): void {
  for (const { corpus, id, metadata, passages } of documents) {
    const { date, repository, path, session } = provenanceOf(metadata);
    expect(date, id).toBeGreaterThan(Date.UTC(2025, 0));
    if (corpus === "claude-code-tool-traces") expect(session, id).toBeDefined();
    else expect(repository, id).toBeDefined();
    if (corpus === "claude-code-sessions") expect(session, id).toBe(id);
    if (id.startsWith("/srv/code/")) expect(id.endsWith(path ?? "-"), id).toBe(true);
    expect(passages.length, id).toBeGreaterThan(0);
  }
}

beforeAll(() => {
  if (chromaCommand === "") return;
  execFileSync(process.execPath, [join(root, "scripts", "build.mjs"), "--js-only"], { stdio: "ignore" });
  mkdirSync(join(work, "project"));
  mkdirSync(home);
  ({ areVectorsReal } = fourCollections(data));
}, 300_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

realPython.describe("the four collections of a data directory", () => {
  realPython.test("are attached as they are: shapes found, every record in, not one byte changed", async () => {
    const before = digest(data);
    const { code, answer } = await run(join(work, "project"), "attach", ".chroma", "--all");
    expect(code).toBe(0);
    const [sessions, traces, sections, changelog] = answer.corpora;
    expect(answer.corpora.map(({ name }: { name: string }) => name)).toEqual(NAMES);
    expect(sessions).toMatchObject({ role: "sessions", documentKey: "session_id", orderKey: "turn_index" });
    expect(traces).toMatchObject({ role: "traces", documentKey: "@id", titleKey: "tool_name" });
    expect(sections).toMatchObject({
      role: "documents",
      documentKey: "source_path",
      orderKey: "chunk_index",
      titleKey: "fm_title",
      uriKey: "source_path",
    });
    expect(changelog).toMatchObject({ role: "changelog", documentKey: "source_path", titleKey: "fm_title" });
    for (const corpus of answer.corpora) {
      expect(corpus, corpus.name).toMatchObject({ embedder: "minilm", dimension: 384, notices: [] });
      expect(corpus.summary, corpus.name).toMatchObject({ failed: 0 });
      expect(corpus.summary.skipped, corpus.name).toEqual({});
      // A long record has several chunks.
      expect(corpus.summary.chunks).toBeGreaterThanOrEqual(corpus.records);
    }
    expect(traces.summary.chunks).toBeGreaterThan(traces.records);
    expect(digest(data)).toEqual(before);
  });

  for (const question of questions) {
    realPython.test(`${question.shape}: ${question.question}`, async () => {
      const before = digest(data);
      const result = await ask(join(work, "project"), question);
      expectAnswered(result, question);
      expectCitable(result);
      if (question.superseded !== undefined) {
        const [, stale] = question.superseded;
        expect(result.notices).toContainEqual(expect.objectContaining({ code: "superseded_documents" }));
        expect(result.notices.map(({ message }) => message).join("\n")).toContain(stale);
      }
      expect(digest(data)).toEqual(before);
    });
  }

  realPython.test("without the model of their vectors, words are matched, and the list says so", async () => {
    const [question] = questions;
    if (question === undefined) throw new Error("there are questions");
    const { notices } = await ask(join(work, "project"), question);
    expect(notices.map(({ message }) => message).join("\n")).toMatch(/^Only words were matched/m);
  });

  withModel.test("with it, the collections' own vectors are asked, and find what shares no word", async () => {
    expect(areVectorsReal).toBe(true);
    const options = { cwd: join(work, "project"), home, env: { WINNOW_CHROMA: chromaCommand, WINNOW_MINILM: model } };
    const question = "devices stopped transmitting because their time was wrong";
    const { code, stdout, stderr } = await runCommand(cli, ["find", question, "--mode", "dense", "--json"], options);
    expect(code, stderr).toBe(0);
    const found = JSON.parse(stdout);
    expect(found.notices).toEqual([]);
    const ids = found.documents.slice(0, RANK_MAX).map(({ id }: { id: string }) => id);
    expect(ids).toContain("e8d3315f-21c6-4a6c-b9e5-70d4a91c5b32");
  });

  realPython.test("odd ids and long records are read back", async () => {
    const project = join(work, "project");
    for (const [id, text] of [
      ["toolu_01Migrate/apply#1", "lock timeout"],
      ["toolu_03 Seams 100%", "318 pixels"],
      ["toolu_04Ärmel", "CERT_NOT_YET_VALID"],
      ["/srv/code/handbook/reminders/Alarm 100% & Prüfung #3.md", "EXERCISE"],
    ] as const) {
      const { code, answer } = await run(project, "read", id);
      expect(code, id).toBe(0);
      expect(JSON.stringify(answer), id).toContain(text);
    }
    const { answer } = await run(project, "find", "camera frame 399 written", "--corpus", "claude-code-tool-traces");
    expect(JSON.stringify(answer)).toContain("camera frame 399 written");
  });

  realPython.test("a refresh of what did not change opens nothing", async () => {
    const options = { cwd: join(work, "project"), home, env: { WINNOW_CHROMA: join(work, "absent") } };
    const { code, stdout } = await runCommand(cli, ["index", "--json"], options);
    expect(code, stdout).toBe(0);
  });
});

realPython.describe("the same from a running server", () => {
  realPython.test("answers the same questions", async () => {
    const folder = join(work, "served");
    const project = join(work, "server-project");
    mkdirSync(project);
    home = join(work, "server-home");
    mkdirSync(home);
    fourCollections(folder);
    const server = new KillableServer(folder, PORT);
    await server.start();
    try {
      const { code, answer } = await run(project, "attach", server.address, "--all");
      expect([code, answer.corpora.length]).toEqual([0, NAMES.length]);
      for (const question of questions) expectAnswered(await ask(project, question), question);
      const refreshed = await run(project, "index");
      expect(refreshed.code).toBe(0);
    } finally {
      await server.kill();
    }
  });
});
