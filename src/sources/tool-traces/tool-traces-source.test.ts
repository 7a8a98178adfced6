import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ClaudeTranscript, harbourTranscript, SESSION_ID } from "../../testing/claude-transcript.ts";
import type { TranscriptOptions } from "../claude-transcript/transcript-source.ts";
import { createToolTracesSource } from "./tool-traces-source.ts";

const signal = new AbortController().signal;
const FILE = `projects/-home-somebody-harbour/${SESSION_ID}.jsonl`;
let base: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "winnow-traces-")));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

async function tracesOf(transcript: ClaudeTranscript | string, options: Partial<TranscriptOptions> = {}) {
  const path = join(base, FILE);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof transcript === "string" ? transcript : transcript.text);
  const source = createToolTracesSource({ roots: [join(base, "projects")], base, ...options });
  for await (const listed of source.list(signal)) {
    if (!("item" in listed)) continue;
    const outcome = await source.read(listed.item, signal);
    if ("documents" in outcome) return outcome;
  }
  return { documents: [], notes: [], hash: "" };
}

describe("a call of a tool as a document", () => {
  it("holds its arguments and what came of it", async () => {
    const { documents } = await tracesOf(harbourTranscript());
    expect(documents.map(({ title }) => title)).toEqual([
      "Bash: npm test -- tides … (failed)",
      "Edit: /home/somebody/harbour/src/tides.ts",
      "Grep: 28",
    ]);
    const [failed] = documents;
    expect(failed?.id).toMatch(new RegExp(`^${FILE}#toolu_\\w+$`));
    expect(failed?.text).toBe(
      "Bash: npm test -- tides … (failed)\ndescription: Run the tests\ncommand:\nnpm test -- tides\necho done\n\n" +
        "Failed after 1.0 s: Exit code 1\nExpected 31 tides, got 28\n",
    );
  });

  it("carries the keys of the first users' collection, and more", async () => {
    const { documents } = await tracesOf(harbourTranscript());
    const [failed, edited, found] = documents.map(({ metadata }) => metadata);
    expect(failed).toEqual({
      source: "tool-traces",
      tool_name: "Bash",
      is_error: true,
      session_id: SESSION_ID,
      project_path: "/home/somebody/harbour",
      git_branch: "main",
      timestamp: "2026-05-14T10:00:03.000Z",
      modified: "2026-05-14T10:00:04.000Z",
      path: FILE,
      duration_ms: 1_000,
    });
    expect(edited).toMatchObject({ is_error: false, duration_ms: 41, files: ["/home/somebody/harbour/src/tides.ts"] });
    expect(found).toMatchObject({ files: ["src"], sidechain: true, git_branch: "fix-tides" });
  });

  it("has a title that says what was called, and goes on with what came of it", async () => {
    const transcript = new ClaudeTranscript();
    transcript.tool("Bash", { command: "ls -l", description: "" }, "total 0\nmore");
    transcript.tool("shell", { command: ["git", "status"] }, "");
    transcript.tool("Bash", { command: "  ", description: "Wait" }, "ok");
    transcript.tool("TodoWrite", { todos: [{ content: "Mend the table", done: false }] }, "ok");
    transcript.tool("Edit", { file_path: "a.ts", old_string: "28", new_string: "days" }, "Updated.");
    transcript.tool("ListAll", {}, "none");
    transcript.tool("a".repeat(20), { command: "b".repeat(150) }, "none");
    const { documents } = await tracesOf(transcript);
    expect(documents.map(({ title }) => title)).toEqual([
      "Bash: ls -l",
      "shell: git status",
      "Bash: Wait",
      'TodoWrite: {"todos":[{"content":"Mend the table","done":false}]}',
      "Edit: a.ts",
      "ListAll",
      expect.stringMatching(/^a+: b+…$/),
    ]);
    expect(documents[6]?.text).toContain(`command: ${"b".repeat(150)}\n`);
    expect(documents[0]?.text).toBe("Bash: ls -l\ndescription: \n\nDone after 1.0 s: total 0\nmore\n");
    expect(documents[4]?.text).toBe("Edit: a.ts\nold_string: 28\nnew_string: days\n\nDone after 1.0 s: Updated.\n");
  });

  it("says when no result was recorded", async () => {
    const transcript = new ClaudeTranscript();
    transcript.call("Bash", { command: "sleep 100" });
    const [one] = (await tracesOf(transcript)).documents;
    expect(one?.title).toBe("Bash: sleep 100 (no result)");
    expect(one?.text).toContain("No result was recorded");
    expect(one?.metadata).toMatchObject({ answered: false });
    expect(one?.metadata).not.toHaveProperty("is_error");
  });

  it("finds its result over damaged lines, other calls, and in the wrong order", async () => {
    const transcript = new ClaudeTranscript();
    const [first, second] = [transcript.call("Bash", { command: "one" }), transcript.call("Bash", { command: "two" })];
    transcript.raw('{"type":"assistant","message":{"content":[{"type":"tool_u');
    transcript.result(second, "Second.");
    transcript.result(first, [
      { type: "text", text: "First." },
      { type: "image", source: {} },
    ]);
    transcript.result("toolu_missing", "Of nothing.");
    const late = transcript.call("Bash", { command: "three" });
    transcript.result(late, "Third.");
    const lines = transcript.lines.splice(-2);
    transcript.lines.push(...lines.reverse());
    const { documents, notes } = await tracesOf(transcript);
    expect(documents.map(({ text }) => text.match(/(?<=Bash: )\w+|\w+(?=\.\n)|\[image\]/g))).toEqual([
      ["one", "First", "[image]"],
      ["two", "Second"],
      ["three", "Third"],
    ]);
    expect(notes).toEqual(["Left out 1 damaged line: 3.", "Left out 1 result of calls that it does not hold."]);
  });

  it("keeps beginning and end of long outputs and arguments, of files read less", async () => {
    const long = Array.from({ length: 2_000 }, (_, index) => `line ${index}`).join("\n");
    const transcript = new ClaudeTranscript();
    transcript.tool("Bash", { command: "build" }, long);
    transcript.tool("Read", { file_path: "a.ts" }, long);
    transcript.tool("Write", { file_path: "b.ts", content: long }, "Written.");
    const [ran, read, written] = (await tracesOf(transcript)).documents.map(({ text }) => text);
    expect(ran).toMatch(/line 0\n[\s\S]*characters left out[\s\S]*line 1999\n$/);
    expect(ran?.length).toBeLessThan(4_200);
    expect(read?.length).toBeLessThan(1_700);
    expect(written?.length).toBeLessThan(2_200);
  });

  it("reads a call once that is there twice, and stops at its limit", async () => {
    const transcript = harbourTranscript();
    expect((await tracesOf(transcript.text + transcript.text)).documents).toHaveLength(3);
    const { documents, notes } = await tracesOf(transcript, { limits: { callsMax: 1 } });
    expect(documents).toHaveLength(1);
    expect(notes).toEqual(["Only its first calls are indexed: it is over the limits for one transcript."]);
  });
});

describe("secrets", () => {
  it("go from outputs, arguments, titles and metadata, and are counted by kind", async () => {
    const key = `ghp_${"a1B2".repeat(9)}`;
    const transcript = new ClaudeTranscript({ cwd: `/home/somebody/${key}` });
    transcript.tool("Bash", { command: `git push https://me:${key}@example.com/x` }, `Bearer ${key}`);
    transcript.tool("mcp__db__query", { password: "plain", nested: { token: key } }, "ok");
    transcript.tool("Write", { file_path: `/tmp/${key}` }, "ok");
    transcript.tool("shell", { command: ["redis-cli", "-a", "plainword", "ping"] }, "ok");
    const { documents, redacted } = await tracesOf(transcript);
    expect(documents).toHaveLength(4);
    expect(documents[3]?.title).toBe("shell: redis-cli -a [redacted password] ping");
    expect(JSON.stringify(documents)).not.toMatch(/ghp_|plain/);
    expect(redacted).toMatchObject({ "github-token": expect.any(Number), secret: expect.any(Number) });
  });

  it.each([
    ["Read", { file_path: "/app/.env" }],
    ["Bash", { command: "cat app/.env | sort", description: "Look" }],
    ["Grep", { pattern: "A", path: ".env.local", output_mode: "content" }],
    ["Bash", { command: "cat <<E > .env\nPLAIN_SETTING=x\nE" }],
    ["Write", { file_path: "prod.env", content: "PLAIN_SETTING=x" }],
    ["Edit", { file_path: ".npmrc", old_string: "PLAIN_SETTING", new_string: "PLAIN_SETTING=x" }],
    ["mcp__fs__read_files", { paths: ["a.ts", "/home/me/.ssh/id_rsa"] }],
  ])("leave with the whole output of %s %j", async (tool, input) => {
    const transcript = new ClaudeTranscript();
    transcript.tool(tool, input, "PLAIN_SETTING=x\nno pattern knows this");
    const { documents, redacted } = await tracesOf(transcript);
    const text = JSON.stringify(documents);
    expect(text).toContain("[redacted: contents of ");
    expect(text).not.toMatch(/PLAIN_SETTING|no pattern/);
    expect(redacted).toHaveProperty("secret-file");
  });
});
