import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { provenanceOf } from "../../core/provenance.ts";
import type { SourceDocument } from "../../core/types.ts";
import { ClaudeTranscript, harbourTranscript, SESSION_ID } from "../../testing/claude-transcript.ts";
import type { Listed, ReadOutcome } from "../source.ts";
import { type ClaudeSessionsOptions, createClaudeSessionsSource } from "./claude-sessions-source.ts";

const signal = new AbortController().signal;
const PROJECT = "projects/-home-somebody-harbour";
const FILE = `${PROJECT}/${SESSION_ID}.jsonl`;
let base: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "winnow-sessions-")));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(base, path)), { recursive: true });
  writeFileSync(join(base, path), text);
}

async function readAll(options: Partial<ClaudeSessionsOptions> = {}) {
  const source = createClaudeSessionsSource({ roots: [join(base, "projects")], base, ...options });
  const listed: Listed[] = [];
  const outcomes: ReadOutcome[] = [];
  for await (const one of source.list(signal)) {
    listed.push(one);
    if ("item" in one) outcomes.push(await source.read(one.item, signal));
  }
  const documents = outcomes.flatMap((outcome) => ("documents" in outcome ? outcome.documents : []));
  const notes = outcomes.flatMap((outcome) => ("documents" in outcome ? outcome.notes : []));
  return { source, listed, outcomes, documents, notes };
}

async function documentOf(
  transcript: ClaudeTranscript,
  options: Partial<ClaudeSessionsOptions> = {},
): Promise<SourceDocument> {
  put(FILE, transcript.text);
  const { documents } = await readAll(options);
  const [first] = documents;
  if (first === undefined) throw new Error("There is no document.");
  return first;
}

describe("a session as a document", () => {
  it("holds what was asked and answered, and a line for every call", async () => {
    const { id, uri, title, format, text } = await documentOf(harbourTranscript());
    expect({ id, uri, title, format }).toEqual({
      id: FILE,
      uri: FILE,
      title: "Why does the tide table fail in March?",
      format: "markdown",
    });
    expect(text).toBe(
      [
        "## User, 2026-05-14 10:00 UTC\n\nWhy does the tide table fail in March?\n\nIt worked in February.\n",
        "## Assistant\n\nI will run its tests.\n\n- Bash: npm test -- tides …\n\nThe table assumes 28 days.\n",
        "- Edit: /home/somebody/harbour/src/tides.ts\n",
        "## Summary of the conversation before (compaction), 2026-05-14 10:00 UTC\n",
        "The tide table assumed 28 days; it was mended on the branch fix-tides.\n",
        "## User, 2026-05-14 10:00 UTC\n\nNow the moon.\n\n## Assistant\n\nDone in `src/moon.ts`.\n",
      ].join("\n"),
    );
  });

  it("carries where, when and with what it was", async () => {
    const { metadata } = await documentOf(harbourTranscript());
    expect(metadata).toEqual({
      source: "claude-sessions",
      session_id: SESSION_ID,
      project_path: "/home/somebody/harbour",
      git_branch: "fix-tides",
      timestamp: "2026-05-14T10:00:01.000Z",
      modified: "2026-05-14T10:00:18.000Z",
      path: FILE,
      tools_used: ["Bash", "Edit"],
      turns: 3,
    });
    expect(provenanceOf(metadata)).toMatchObject({ session: SESSION_ID, repository: "/home/somebody/harbour" });
  });

  it("leaves out reasoning, pictures, results, reminders and what the program wrote", async () => {
    put(FILE, harbourTranscript().text);
    const all = JSON.stringify((await readAll()).documents);
    for (const noise of [
      "monologue",
      "Expected 31",
      "Background noise",
      "Total: $1",
      "/cost",
      "Skill text",
      "moon.ts:4",
    ]) {
      expect(all).not.toContain(noise);
    }
  });

  it("gives a subagent a document of its own", async () => {
    put(FILE, harbourTranscript().text);
    const [, agent] = (await readAll()).documents;
    expect(agent).toMatchObject({
      id: `${FILE}#agent-a2271d1`,
      uri: FILE,
      title: "Look for other months with a fixed length.",
    });
    expect(agent?.metadata).toMatchObject({ session_id: SESSION_ID, sidechain: true, tools_used: ["Grep"] });
    expect(agent?.text).toContain("src/moon.ts has one as well.");
  });

  it("takes a subagent's own file as one document of its session", async () => {
    const transcript = new ClaudeTranscript();
    transcript.user("Count the boats.", { isSidechain: true, agentId: "b1" });
    transcript.assistant("Twelve.", { isSidechain: true, agentId: "b1" });
    put(`${PROJECT}/${SESSION_ID}/subagents/agent-b1.jsonl`, transcript.text);
    const { documents } = await readAll();
    expect(documents.map(({ id, metadata }) => [id, metadata["session_id"]])).toEqual([
      [`${PROJECT}/${SESSION_ID}/subagents/agent-b1.jsonl`, SESSION_ID],
    ]);
  });

  it("follows subagents without ids by what they answer", async () => {
    const transcript = new ClaudeTranscript();
    transcript.user("Go.");
    const first = transcript.user("First errand.", { isSidechain: true, parentUuid: null });
    const second = transcript.user("Second errand.", { isSidechain: true, parentUuid: null });
    transcript.assistant("Second done.", { isSidechain: true, parentUuid: second });
    transcript.assistant("First done.", { isSidechain: true, parentUuid: first });
    put(FILE, transcript.text);
    const { documents } = await readAll();
    expect(documents.map(({ text }) => text.match(/\w+ (?:errand|done)\./g))).toEqual([
      null,
      ["First errand.", "First done."],
      ["Second errand.", "Second done."],
    ]);
  });
});

describe("turns as documents", () => {
  it("are a message of the user with all that answers it", async () => {
    put(FILE, harbourTranscript().text);
    const { documents } = await readAll({ unit: "turn" });
    expect(
      documents.map(({ id, title, metadata }) => [id, title, metadata["turn_role"], metadata["turn_index"]]),
    ).toEqual([
      [`${FILE}#1`, "Why does the tide table fail in March?", "user", 1],
      [`${FILE}#2`, "The tide table assumed 28 days; it was mended on the branch fix-tides.", "summary", 2],
      [`${FILE}#3`, "Now the moon.", "user", 3],
      [`${FILE}#agent-a2271d1`, "Look for other months with a fixed length.", undefined, undefined],
    ]);
    expect(documents[2]?.metadata).toMatchObject({ timestamp: "2026-05-14T10:00:16.000Z", git_branch: "fix-tides" });
    // The keys of the first users' collection of turns.
    for (const key of ["session_id", "project_path", "turn_role", "timestamp", "git_branch"]) {
      expect(typeof documents[0]?.metadata[key]).toBe("string");
    }
  });

  it("have other hashes than sessions, since they are other documents", async () => {
    put(FILE, harbourTranscript().text);
    const [session, turns] = [await readAll(), await readAll({ unit: "turn" })];
    const hashOf = ({ outcomes: [first] }: typeof session) => first?.hash;
    expect(hashOf(session)).not.toBe(hashOf(turns));
    const [one] = session.listed;
    if (one === undefined || !("item" in one)) throw new Error("not an item");
    expect(await session.source.hash(one.item, signal)).toBe(hashOf(session));
  });
});

describe("what the user wrote", () => {
  it.each([
    [
      "a command with arguments",
      "<command-message>review</command-message>\n<command-name>/review</command-name>\n<command-args>the parser</command-args>",
      "/review the parser",
    ],
    ["a command for the shell", "<bash-input>git status</bash-input>", "! git status"],
    ["a tag that is only spoken of", "What is <system-reminder> for?", "What is <system-reminder> for?"],
    ["pasted control characters", "a\u0000b\u001b[31mc\u202e", "abc"],
    ["half a character", "a\ud800b", "a\ufffdb"],
  ])("%s", async (_, content, shown) => {
    const transcript = new ClaudeTranscript();
    transcript.user(content);
    expect((await documentOf(transcript)).text).toContain(`UTC\n\n${shown}\n`);
  });

  it("while the agent was at work opens a turn, too", async () => {
    const transcript = new ClaudeTranscript();
    transcript.user("One.");
    transcript.raw({
      type: "attachment",
      uuid: "q",
      attachment: { type: "queued_command", prompt: "Two.", commandMode: "prompt" },
    });
    transcript.raw({
      type: "attachment",
      uuid: "r",
      attachment: { type: "queued_command", prompt: "Done.", commandMode: "task-notification" },
    });
    transcript.raw({ type: "attachment", uuid: "s", attachment: { type: "file", content: "Text of a file" } });
    const { text, metadata } = await documentOf(transcript);
    expect(text).toBe("## User, 2026-05-14 10:00 UTC\n\nOne.\n\n## User\n\nTwo.\n");
    expect(metadata["turns"]).toBe(2);
  });

  it("is cut in the middle when it is long, and its code blocks are closed", async () => {
    const transcript = new ClaudeTranscript();
    transcript.user(`\`\`\`\n${"pasted line\n".repeat(100)}`);
    transcript.assistant("Read.");
    const { text } = await documentOf(transcript, { limits: { messageUnitsMax: 200 } });
    expect(text).toMatch(/\[… [\d,]+ characters left out …\]/);
    expect(text).toMatch(/```\n\n## Assistant\n\nRead\.\n$/);
    expect(text.length).toBeLessThan(400);
  });
});

describe("titles", () => {
  it("come from the user, else from a model, else from the first prompt", async () => {
    const transcript = new ClaudeTranscript();
    const first = transcript.user("First line.\nSecond line.");
    expect((await documentOf(transcript)).title).toBe("First line.");
    transcript.raw({ type: "summary", summary: "Of another session", leafUuid: "elsewhere" });
    expect((await documentOf(transcript)).title).toBe("First line.");
    transcript.raw({ type: "summary", summary: "Tides", leafUuid: first });
    expect((await documentOf(transcript)).title).toBe("Tides");
    transcript.raw({ type: "custom-title", customTitle: "My tides", sessionId: SESSION_ID });
    transcript.raw({ type: "ai-title", aiTitle: "About tides", sessionId: SESSION_ID });
    expect((await documentOf(transcript)).title).toBe("My tides");
  });
});

describe("what is read", () => {
  it("passes other files over, and respects the marker, ignore files and links", async () => {
    put(FILE, harbourTranscript().text);
    put(`${PROJECT}/notes.md`, "# Notes");
    put("projects/closed/.nowinnow", "");
    put("projects/closed/a.jsonl", harbourTranscript().text);
    put("projects/.winnowignore", "ignored.jsonl\n");
    put("projects/ignored.jsonl", harbourTranscript().text);
    put("elsewhere/b.jsonl", harbourTranscript().text);
    symlinkSync(join(base, "elsewhere/b.jsonl"), join(base, "projects/link.jsonl"));
    const { listed } = await readAll();
    expect(listed.map((one) => ("item" in one ? one.item.key : [one.skipped.key, one.skipped.reason]))).toEqual([
      FILE,
      ["projects/closed/", "ignored"],
      ["projects/ignored.jsonl", "ignored"],
      ["projects/link.jsonl", "outside_root"],
    ]);
  });

  it("says which file is no transcript, and which one says nothing", async () => {
    put("projects/a.jsonl", '{"type":"system","subtype":"init"}\n');
    put("projects/b.jsonl", "not json\n");
    put("projects/c.jsonl", "\n\n");
    const { outcomes } = await readAll();
    expect(outcomes.map((outcome) => "skipped" in outcome && outcome.skipped.reason)).toEqual([
      "empty",
      "malformed",
      "empty",
    ]);
  });

  it("counts a record once that is there twice", async () => {
    const transcript = harbourTranscript();
    put(FILE, transcript.text + transcript.text);
    const { documents, notes } = await readAll();
    put(FILE, transcript.text);
    expect(documents).toEqual((await readAll()).documents);
    expect(notes).toEqual(["Left out 17 records that it holds twice."]);
  });

  it("stops at its limits, and says so", async () => {
    put(FILE, harbourTranscript().text);
    const { documents, notes } = await readAll({ limits: { turnsMax: 1 } });
    expect(documents[0]?.text).not.toContain("Now the moon");
    expect(notes).toEqual(["Only its beginning is indexed: it is over the limits for one transcript."]);
    const tight = await readAll({ limits: { sessionUnitsMax: 200 } });
    expect(tight.documents[0]?.text.length).toBeLessThanOrEqual(210);
    expect(tight.notes).toHaveLength(1);
  });

  it("rejects when it is aborted", async () => {
    put(FILE, harbourTranscript().text);
    const { source, listed } = await readAll();
    const [one] = listed;
    if (one === undefined || !("item" in one)) throw new Error("not an item");
    await expect(source.read(one.item, AbortSignal.abort())).rejects.toThrow("aborted");
  });
});
