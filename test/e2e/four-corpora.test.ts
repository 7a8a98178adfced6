import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { ClaudeTranscript } from "../../src/testing/claude-transcript.ts";
import { runCommand } from "../support/command.ts";

const packed = inject("packed");
const home = join(packed.folder, "four-home");
const project = join(packed.folder, "four", "harbour");
const transcripts = join(home, ".claude", "projects", project.replace(/[^A-Za-z0-9]/g, "-"));
const KEY = `AKIA${"Q7ZT2XB4".repeat(2)}`;
const PASSWORD = "tr0ub4dor-and-3";
const TIDES = "3f0c8a52-9d41-4c36-8f3e-2b6a7d1e9c55";

interface Listed {
  readonly corpus: string;
  readonly id: string;
  readonly uri: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

function write(path: string, text: string): void {
  const place = join(project, path);
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, text);
}

const note = (date: string, title: string, text: string): string => `---\ndate: ${date}\n---\n# ${title}\n\n${text}\n`;

/** A failing call, and much later in the same session the words that tell how it was mended. */
function tidesSession(): ClaudeTranscript {
  const session = new ClaudeTranscript({ sessionId: TIDES, cwd: project, from: "2026-05-20T09:00:00.000Z" });
  session.user("Please look at the almanac.");
  session.tool("Bash", { command: "npm test -- almanac" }, "Exit code 1\nRangeError: tide index 28 out of bounds", {
    isError: true,
  });
  session.tool("Bash", { command: "env" }, `AWS_ACCESS_KEY_ID=${KEY}\nHOME=/root`);
  session.tool("Read", { file_path: join(project, ".env") }, `DATABASE_PASSWORD=${PASSWORD}\n`);
  session.assistant(`It assumed that each month has four weeks. I used the calendar's own length instead, not ${KEY}.`);
  return session;
}

/** What else such a project holds, none of it about the questions below. */
const TOPICS = [
  ["crane", "The crane inspection happens each quarter; its report goes to the workshop."],
  ["canteen", "Soup is served until three, and the kitchen orders vegetables weekly."],
  ["radio", "Channel twelve is for pilots, channel nine for tugs in distress."],
  ["dredging", "Sand from the channel is dumped at the northern bank."],
  ["customs", "Officers open every tenth container that comes from abroad."],
  ["lighthouse", "The lamp is a diode now, and its lens was polished."],
  ["ferry", "Passengers with bicycles board last and leave first."],
  ["pilots", "A pilot climbs aboard two miles before the mole."],
  ["painting", "Hulls are painted in the dry dock with copper paint."],
  ["insurance", "The policy covers storms but no collisions with whales."],
] as const;

const command = (...args: string[]) => runCommand(packed.cli, args, { cwd: project, home });

async function json(...args: string[]): Promise<Readonly<Record<string, never>>> {
  const { code, stdout, stderr } = await command(...args, "--json");
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Readonly<Record<string, never>>;
}

const search = async (...args: string[]): Promise<readonly Listed[]> =>
  (await json("search", ...args))["documents"] ?? [];

/** Every file below a folder that holds the text. */
function holding(folder: string, text: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text));
}

beforeAll(async () => {
  mkdirSync(transcripts, { recursive: true });
  write(
    "docs/decisions/lock-file.md",
    note(
      "2026-04-02",
      "Lock file",
      "We decided that only one boat may hold the berth lock, and that it expires after ten minutes.",
    ),
  );
  write(
    "docs/specs/loading-mechanism.md",
    note("2026-03-11", "Loading mechanism", "Specification of how cargo manifests are loaded into the harbour ledger."),
  );
  write("docs/diary.md", "---\nprivate: true\n---\nThe unpublished pelican memoir.\n");
  write("docs/later.md", "---\npublish: false\n---\nA heron essay that is not published yet.\n");
  write("docs/attic/old.md", "A forgotten cormorant inventory.\n");
  write("docs/attic/.nowinnow", "");
  write(
    "changelog/2026-05-14_night-berths.md",
    note("2026-05-14", "Night berths", "Shipped: boats can book a berth for the night."),
  );
  write("changelog/2026-02-01_ledger.md", note("2026-02-01", "Ledger", "Shipped: the harbour ledger."));
  for (const [i, [topic, text]] of TOPICS.entries()) {
    write(`docs/notes/${topic}.md`, note(`2026-01-1${i}`, topic, text));
    write(`changelog/2026-03-1${i}_${topic}.md`, note(`2026-03-1${i}`, `About the ${topic}`, `Changed: ${text}`));
    const sessionId = `22222222-0000-4000-8000-00000000000${i}`;
    const session = new ClaudeTranscript({ sessionId, cwd: project, from: `2026-04-1${i}T08:00:00.000Z` });
    session.user(`What about the ${topic}?`);
    session.tool("Grep", { pattern: topic, path: "docs" }, `docs/notes/${topic}.md: ${text}`);
    session.assistant(`I found this: ${text}`);
    writeFileSync(join(transcripts, `${sessionId}.jsonl`), session.text);
  }
  execFileSync("git", ["init", "-q"], { cwd: project });
  const { text } = tidesSession();
  writeFileSync(join(transcripts, `${TIDES}.jsonl`), text);
  const other = new ClaudeTranscript({ sessionId: "11111111-9d41-4c36-8f3e-2b6a7d1e9c55", cwd: project });
  other.user("Let us talk about buoys: which colour?");
  other.assistant("Green buoys mark the starboard side here.");
  // A file that is still being written: its last line has no end yet.
  writeFileSync(join(transcripts, "11111111-9d41-4c36-8f3e-2b6a7d1e9c55.jsonl"), `${other.text}{"type":"user","mess`);
});

describe("the four corpora of a project", () => {
  test("are built from one configuration file, transcripts only where the user asked for them", async () => {
    write(
      "winnow.json",
      JSON.stringify({
        corpora: {
          decisions: { source: "files", paths: ["docs"], role: "documents" },
          changelog: { source: "changelog", paths: ["changelog"] },
          sessions: { source: "claude-sessions" },
          traces: { source: "tool-traces" },
        },
      }),
    );
    const before = await command("index");
    expect(before.code).toBe(3);
    expect(before.stderr).toContain("winnow index --source claude-sessions");
    expect(holding(join(project, ".winnow"), "four weeks")).toEqual([]);

    for (const source of ["claude-sessions", "tool-traces"]) {
      const { code, stderr } = await command("index", "--source", source);
      expect(code, stderr).toBe(0);
      expect(stderr).toMatch(/redacted before indexing: .*aws key/);
    }
    const { code } = await command("index");
    expect(code).toBe(0);
    const { corpora } = (await json("status")) as unknown as { corpora: readonly Record<string, unknown>[] };
    const counts = Object.fromEntries(corpora.map(({ name, documents }) => [name, documents]));
    expect(counts).toEqual({ decisions: 13, changelog: 12, sessions: 12, traces: 13 });
    expect(corpora.find(({ name }) => name === "traces")?.["redacted"]).toMatchObject({ "secret-file": 1 });
  });

  test("hold no secret, nothing private and nothing from behind a marker, anywhere on disk", () => {
    const folder = join(project, ".winnow");
    expect(holding(folder, "four weeks").length).toBeGreaterThan(0);
    for (const text of [KEY, KEY.slice(4), PASSWORD, "pelican", "cormorant"])
      expect(holding(folder, text), text).toEqual([]);
    expect(holding(folder, "heron").length).toBeGreaterThan(0);
  });

  test.each([
    ["What did we decide about the berth lock?", [], "decisions", "lock-file.md", "2026-04-02"],
    ["What did we ship for boats?", ["--since", "2026-05-01"], "changelog", "night-berths.md", "2026-05-14"],
    ["What did we say about buoys?", ["--corpus", "sessions"], "sessions", "11111111", "2026-05-14"],
    ["Has the almanac test failed with a RangeError before?", [], "traces", TIDES, "2026-05-20"],
    [
      "Where did we put the spec of the loading mechanism?",
      [],
      "decisions",
      "docs/specs/loading-mechanism.md",
      "2026-03-11",
    ],
  ])("answer: %s", async (question, options, corpus, place, day) => {
    const [first] = await search(question, ...options);
    expect(first).toMatchObject({ corpus });
    expect(first?.uri).toContain(place);
    const { stdout } = await command("search", question, ...options);
    const [top = ""] = stdout.split(/\n(?= *2\. )/);
    expect(top).toContain(day);
    if (corpus === "decisions" || corpus === "changelog") expect(top).toContain("harbour");
    else expect(top).toContain((place === TIDES ? TIDES : place).slice(0, 8));
  });

  test("are joined by the session: a failing call leads to how it was mended", async () => {
    const found = await search("How did we fix the RangeError of the almanac test?");
    const failed = found.find(({ corpus, metadata }) => corpus === "traces" && metadata["is_error"] === true);
    const told = found.find(({ corpus }) => corpus === "sessions");
    expect(failed?.metadata["session_id"]).toBe(TIDES);
    expect(told?.metadata["session_id"]).toBe(TIDES);
  });

  test("tell what moved since a day, and what to load for a task", async () => {
    const recent = await command("recent", "--since", "2026-05-01");
    expect(recent.stdout).toContain("Night berths");
    expect(recent.stdout).not.toContain("Lock file");
    const brief = await command("brief", "extend the expiry of the berth lock");
    expect(brief.stdout).toContain("lock-file.md");
  });

  test("notice a session that went on, and cost nothing when nothing happened", async () => {
    const before = (await json("status")) as unknown as { corpora: readonly { generation: number }[] };
    expect((await command("index")).code).toBe(0);
    const after = (await json("status")) as unknown as { corpora: readonly { generation: number }[] };
    expect(after.corpora.map(({ generation }) => generation)).toEqual(
      before.corpora.map(({ generation }) => generation),
    );
    const session = tidesSession();
    session.user("And the spring tides?");
    session.assistant("Spring tides follow the new moon in the almanac now.");
    writeFileSync(join(transcripts, `${TIDES}.jsonl`), session.text);
    expect((await command("index", "sessions")).code).toBe(0);
    const [first] = await search("spring tides new moon", "--corpus", "sessions");
    expect(first?.metadata["session_id"]).toBe(TIDES);
  });
});
