import { appendFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ClaudeTranscript, harbourTranscript } from "../../testing/claude-transcript.ts";
import { PLANTED_SECRETS } from "../../testing/planted-secrets.ts";
import { createClaudeSessionsSource } from "../claude-sessions/claude-sessions-source.ts";
import { type FileSystem, nodeFileSystem } from "../files/file-system.ts";
import type { ReadOutcome, Source } from "../source.ts";
import { createToolTracesSource } from "../tool-traces/tool-traces-source.ts";
import type { TranscriptOptions } from "./transcript-source.ts";

const SCALE = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const runs = (count: number) => ({ numRuns: count * SCALE, seed: 5 });
const signal = new AbortController().signal;
let base: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "winnow-hostile-")));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

type Kind = "sessions" | "turns" | "traces";
const KINDS: readonly Kind[] = ["sessions", "turns", "traces"];

function sourceOf(kind: Kind, options: Partial<TranscriptOptions> = {}): Source {
  const all = { roots: [base], base, ...options };
  if (kind === "traces") return createToolTracesSource(all);
  return createClaudeSessionsSource({ ...all, unit: kind === "turns" ? "turn" : "session" });
}

const path = (): string => join(base, "a.jsonl");

async function readFile(kind: Kind, options: Partial<TranscriptOptions> = {}): Promise<ReadOutcome> {
  const item = { key: "a.jsonl", location: path(), bytes: 0, mtimeMs: 1_750_000_000_000 };
  return sourceOf(kind, options).read(item, signal);
}

async function read(
  content: string | Uint8Array,
  kind: Kind,
  options: Partial<TranscriptOptions> = {},
): Promise<ReadOutcome> {
  writeFileSync(path(), content);
  return readFile(kind, options);
}

/** What must hold of whatever comes out. */
function assertSound(outcome: ReadOutcome): void {
  if ("skipped" in outcome) {
    expect(["empty", "malformed"]).toContain(outcome.skipped.reason);
    return;
  }
  const ids = outcome.documents.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { id, uri, title, text, metadata } of outcome.documents) {
    expect(id.startsWith("a.jsonl") && uri === "a.jsonl").toBe(true);
    expect(title.trim()).not.toBe("");
    expect(text.trim()).not.toBe("");
    for (const value of Object.values(metadata)) {
      expect(Array.isArray(value) || ["string", "number", "boolean"].includes(typeof value)).toBe(true);
    }
  }
}

const sum = (counts: Readonly<Record<string, number>> = {}): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);
const documentsIn = (outcome: ReadOutcome) => ("documents" in outcome ? outcome.documents : []);

describe("damaged transcripts", () => {
  it.each(KINDS)("%s: cut off anywhere, hold what was complete and complain of nothing", async (kind) => {
    const whole = Buffer.from(harbourTranscript().text);
    const step = Math.max(1, Math.round(whole.length / (150 * SCALE)));
    let before = 0;
    for (let bytes = 1; bytes <= whole.length; bytes += step) {
      const outcome = await read(whole.subarray(0, bytes), kind);
      assertSound(outcome);
      if ("documents" in outcome) expect(outcome.notes).toEqual([]);
      const units = documentsIn(outcome).reduce((sum, { text }) => sum + text.length, 0);
      // A call that gets its answer loses the sentence that it has none.
      expect(units).toBeGreaterThanOrEqual(before - 80);
      before = units;
    }
    const full = documentsIn(await read(whole, kind));
    expect(documentsIn(await read(whole.subarray(0, whole.length - 1), kind))).toEqual(full);
  });

  it.each(KINDS)("%s: with bytes overwritten at random, are read as far as they can be", async (kind) => {
    const whole = Buffer.from(harbourTranscript().text);
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(damage, async (places) => {
        const bytes = Buffer.from(whole);
        for (const [at, byte] of places) bytes[at] = byte;
        assertSound(await read(bytes, kind));
      }),
      runs(40),
    );
  });

  it("count their damaged lines, and name them", async () => {
    const lines = harbourTranscript().lines;
    const outcome = await read(
      ["{", ...lines, "[1]", "null", "\u0000", `${"[".repeat(9_999)}`, ""].join("\n"),
      "sessions",
    );
    expect("notes" in outcome && outcome.notes).toEqual([
      `Left out 4 damaged lines: 1, ${[2, 3, 4].map((number) => lines.length + number).join(", ")}.`,
      `Left out 1 line nested too deeply: ${lines.length + 5}.`,
    ]);
  });

  it.each(KINDS)("%s: with an input nested 3,000 levels deep, lose that line alone", async (kind) => {
    for (const levels of [3_000, 200_000]) {
      const transcript = new ClaudeTranscript();
      transcript.user("Before.");
      transcript.tool("Bash", { command: "ls" }, "ok");
      transcript.tool("Bash", { command: "HERE" }, "ok");
      const deep = `${'{"a":['.repeat(levels / 2)}1${"]}".repeat(levels / 2)}`;
      const text = transcript.text.replace('{"command":"HERE"}', () => deep);
      const outcome = await read(text, kind);
      assertSound(outcome);
      expect(documentsIn(outcome).length).toBeGreaterThan(0);
      expect(JSON.stringify(documentsIn(outcome))).toContain("ls");
      expect("notes" in outcome && outcome.notes[0]).toBe("Left out 1 line nested too deeply: 4.");
    }
  });

  it.each(KINDS)("%s: of nothing but such a line, are not called malformed", async (kind) => {
    const transcript = new ClaudeTranscript();
    transcript.call("Bash", { command: "HERE" });
    const text = transcript.text.replace('"HERE"', () => `${"[".repeat(3_000)}${"]".repeat(3_000)}`);
    expect(await read(text, kind)).toMatchObject({
      skipped: { reason: "too_deep", detail: "Nothing is said in it. Left out 1 line nested too deeply: 1." },
    });
  });

  it.each(KINDS)("%s: with a line of 10 MB, are read up to the limit of a line", async (kind) => {
    const transcript = harbourTranscript();
    transcript.tool("Bash", { command: "yes" }, "y ".repeat(5_000_000));
    transcript.user(`Long. ${"words of a very long paste ".repeat(400_000)}`);
    const open = await read(transcript.text, kind);
    assertSound(open);
    for (const { text } of documentsIn(open)) expect(text.length).toBeLessThan(100_000);
    const tight = await read(transcript.text, kind, { limits: { lineBytesMax: 1024 * 1024 } });
    expect("notes" in tight && tight.notes).toEqual([
      `Left out 2 lines over the limit: ${transcript.lines.length - 1}, ${transcript.lines.length}.`,
    ]);
  });

  it("are not read beyond the limit of a file", async () => {
    const outcome = await read(harbourTranscript().text, "sessions", { limits: { fileBytesMax: 1_000 } });
    expect("skipped" in outcome && outcome.skipped.reason).toBe("too_large");
  });
});

describe("records of any shape", () => {
  const anything = fc.anything({
    withBigInt: false,
    maxDepth: 4,
    key: fc.constantFrom("type", "text", "id", "__proto__", "a"),
  });
  const loose = <T>(expected: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 3, arbitrary: expected }, { weight: 1, arbitrary: anything });
  const id = fc.constantFrom("toolu_1", "toolu_2", "call 3", "x".repeat(300), "constructor");
  const block = fc.oneof(
    fc.record({ type: fc.constant("text"), text: loose(fc.string()) }),
    fc.record({
      type: fc.constantFrom("tool_use", "server_tool_use"),
      id: loose(id),
      name: loose(fc.string()),
      input: anything,
    }),
    fc.record({ type: fc.constant("tool_result"), tool_use_id: loose(id), content: anything, is_error: anything }),
    anything,
  );
  const record = fc.record(
    {
      type: loose(fc.constantFrom("user", "assistant", "summary", "attachment", "custom-title", "system")),
      message: loose(fc.record({ role: anything, content: loose(fc.oneof(fc.string(), fc.array(block))) })),
      attachment: loose(fc.record({ type: fc.constant("queued_command"), prompt: loose(fc.string()) })),
      uuid: loose(fc.constantFrom("u1", "u2", "u3")),
      parentUuid: loose(fc.constantFrom("u1", "u2", "u3")),
      sessionId: loose(fc.string()),
      agentId: loose(fc.constantFrom("a b", "a_b", "a/b")),
      timestamp: loose(fc.constantFrom("2026-05-14T10:00:00Z", "9999999-01-01", "yesterday", "")),
      cwd: loose(fc.string()),
      gitBranch: loose(fc.string()),
      isSidechain: loose(fc.boolean()),
      isCompactSummary: loose(fc.constant(false)),
      summary: anything,
      customTitle: anything,
      toolUseResult: loose(fc.record({ durationMs: loose(fc.double()) })),
    },
    { requiredKeys: [] },
  );

  it.each(KINDS)("%s: never throw, and give sound documents", async (kind) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 5, arbitrary: record }, anything), { maxLength: 12 }),
        async (records) => {
          const text = records.map((one) => JSON.stringify(one) ?? "null").join("\n");
          assertSound(await read(`${text}\n`, kind));
        },
      ),
      runs(120),
    );
  });
});

describe("transcripts that change while they are read", () => {
  it("give what was there, with a hash that the longer file does not have", async () => {
    const transcript = harbourTranscript();
    const [first, rest] = [transcript.text.slice(0, 900), transcript.text.slice(900)];
    let appended = false;
    const fileSystem: FileSystem = {
      ...nodeFileSystem,
      async open(location) {
        const file = await nodeFileSystem.open(location);
        return {
          stat: () => file.stat(),
          close: () => file.close(),
          async read(buffer) {
            const outcome = await file.read(buffer.subarray(0, 300));
            if (!appended && outcome.bytesRead === 0) {
              appended = true;
              appendFileSync(path(), rest);
            }
            return outcome;
          },
        };
      },
    };
    const early = await read(first, "sessions", { fileSystem });
    assertSound(early);
    const late = await readFile("sessions", { fileSystem });
    expect("documents" in early && early.notes).toEqual([]);
    expect(early.hash).not.toBe(late.hash);
    expect(documentsIn(late)).toEqual(documentsIn(await read(transcript.text, "sessions")));
  });
});

describe("redaction", () => {
  it.each(KINDS)("%s: that meets something over its limits skips the transcript, and says why", async (kind) => {
    const transcript = harbourTranscript();
    transcript.tool("Bash", { command: `echo ${"words ".repeat(2_000)}` }, "ok");
    const outcome = await read(transcript.text, kind, { limits: { redactionUnitsMax: 10_000 } });
    expect(outcome).toMatchObject({ skipped: { key: "a.jsonl", reason: "unredactable" } });
    expect("skipped" in outcome && outcome.skipped.detail).toContain("over the 10,000");
    expect(JSON.stringify(outcome)).not.toContain("words words");
  });

  it.each(KINDS)("%s: lets no token of a file's name into ids, places and skips", async (kind) => {
    const [one, other] = [`ghp_${"a1B2".repeat(9)}`, `ghp_${"c3D4".repeat(9)}`];
    const names = [`${one}.jsonl`, `${other}.jsonl`, `token=${one}/a.jsonl`, "plain.jsonl", `sub/${one}-empty.jsonl`];
    for (const name of names) {
      mkdirSync(dirname(join(base, name)), { recursive: true });
      writeFileSync(join(base, name), name.includes("empty") ? '{"type":"x"}\n' : harbourTranscript().text);
    }
    const look = async (roots: readonly string[]) => {
      const source = sourceOf(kind, { roots });
      const seen: { readonly key: string; readonly ids: readonly string[] }[] = [];
      const all: unknown[] = [];
      for await (const listed of source.list(signal)) {
        if (!("item" in listed)) {
          all.push(listed);
          continue;
        }
        const outcome = await source.read(listed.item, signal);
        expect(await source.hash(listed.item, signal)).toBe(outcome.hash);
        seen.push({ key: listed.item.key, ids: documentsIn(outcome).map(({ id }) => id) });
        all.push(outcome, listed.item.key);
      }
      expect(JSON.stringify(all)).not.toMatch(/a1B2|c3D4/);
      return seen;
    };
    const seen = await look([base]);
    expect(seen).toHaveLength(5);
    const ids = seen.flatMap((item) => item.ids);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(seen.map(({ key }) => key)).size).toBe(5);
    expect(seen.map(({ key }) => key)).toContain("plain.jsonl");
    expect(await look([base])).toEqual(seen);
    expect(seen.map(({ key }) => key)).toEqual(
      expect.arrayContaining((await look([join(base, names[0] ?? "")])).map(({ key }) => key)),
    );
  });

  /** A secret in every place of a transcript that anything is taken from, its characters written as JSON may write them. */
  function plantedTranscript(secret: string, spell: (text: string) => string): string {
    const transcript = new ClaudeTranscript({ cwd: `/home/${secret}`, gitBranch: `fix\n${secret}`, sessionId: secret });
    transcript.raw({ type: "custom-title", customTitle: `Title\n${secret}` });
    const first = transcript.user(`Please\n${secret}\nuse it.`, { agentId: secret });
    transcript.raw({ type: "summary", summary: secret, leafUuid: first });
    transcript.assistant(`I see\n${secret}\nthere.`);
    transcript.tool("Bash", { command: `run <<E\n${secret}\nE` }, `out\n${secret}\nend`, { isError: true });
    transcript.tool(`T\n${secret}`, { [`k\n${secret}`]: [{ deep: `x\n${secret}` }] }, [
      { type: "text", text: `\n${secret}\n` },
    ]);
    transcript.tool("Read", { file_path: `/tmp/a\n${secret}`, paths: [`b\n${secret}`] }, secret);
    transcript.compact(`So far\n${secret}`);
    transcript.user(`Side\n${secret}`, { isSidechain: true, agentId: `agent\n${secret}`, parentUuid: null });
    return transcript.lines.map((line) => `${spell(line)}\n`).join("");
  }

  /** The same JSON with letters in its strings written as escapes: what a search in the raw line would miss. */
  const escaped = (line: string): string =>
    line.replace(/"(?:[^"\\]|\\.)*"/g, (literal) =>
      literal.replace(/\\.|[g-mAHKP_-]/g, (found) =>
        found.startsWith("\\") ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
      ),
    );

  it.each(Object.keys(PLANTED_SECRETS))("lets %s out of no place, however it is written", async (name) => {
    const arbitrary = PLANTED_SECRETS[name] ?? fc.constant({ text: "", secret: "" });
    await fc.assert(
      fc.asyncProperty(
        arbitrary,
        fc.boolean(),
        fc.constantFrom(...KINDS),
        async ({ text, secret }, asEscapes, kind) => {
          const written = plantedTranscript(text, asEscapes ? escaped : (line) => line);
          const outcome = await read(written, kind);
          expect(documentsIn(outcome).length).toBeGreaterThan(0);
          const out = JSON.stringify(outcome);
          for (const part of secret.split(/\s+/)) if (part.length >= 12) expect(out).not.toContain(part);
          // A secret as short as a word may stand there for other reasons; with its name it may not.
          const told = secret.length < 8 ? text : secret;
          expect(out).not.toContain(JSON.stringify(told).slice(1, -1));
          expect("redacted" in outcome && sum(outcome.redacted)).toBeGreaterThan(0);
        },
      ),
      runs(6),
    );
  });
});
