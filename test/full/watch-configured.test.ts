import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadConfig } from "../../src/config/config.ts";
import { openAttachSession } from "../../src/features/attach-collections.ts";
import { watchConfigured } from "../../src/features/watch-configured.ts";
import type { WatchEvent } from "../../src/features/watch-corpus.ts";
import { connectChroma } from "../../src/retrieval/chroma/connection.ts";
import { launchServer } from "../../src/retrieval/chroma/server/launch.ts";
import { chromaCommand, realChroma } from "../support/chroma.ts";
import { skipUnless } from "../support/skip-unless.ts";

const TOLD_MS = 60_000;

let work: string;
let project: string;
let environment: Readonly<Record<string, string | undefined>>;
const ending: (() => Promise<void>)[] = [];
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), "winnow-watch-configured-"));
  project = join(work, "project");
  mkdirSync(join(project, "docs"), { recursive: true });
  environment = {
    ...process.env,
    WINNOW_CHROMA: chromaCommand,
    HOME: work,
    XDG_CONFIG_HOME: join(work, "config"),
    XDG_CACHE_HOME: join(work, "cache"),
    CLAUDE_CONFIG_DIR: join(work, "claude"),
  };
});
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
  rmSync(work, { recursive: true, force: true });
});

interface Told {
  readonly events: readonly WatchEvent[];
  readonly failure: () => unknown;
  until(wanted: (event: WatchEvent) => boolean): Promise<WatchEvent>;
}

/** Watches a corpus that the project's or the user's file names. */
async function watchNamed(name: string, pollMs?: number): Promise<Told> {
  const { settings } = await loadConfig(project, environment);
  const controller = new AbortController();
  const events: WatchEvent[] = [];
  let failure: unknown;
  const done = (async () => {
    const scope = { workingFolder: project, named: [], known: settings.corpora };
    const { mayRead } = settings;
    const more = pollMs === undefined ? {} : { pollMs };
    try {
      const all = { scope, name, mayRead, environment, signal: controller.signal, ...more };
      for await (const event of watchConfigured(all)) events.push(event);
    } catch (error) {
      failure = error;
    }
  })();
  ending.push(async () => {
    controller.abort();
    await done;
  });
  const until = async (wanted: (event: WatchEvent) => boolean) => {
    for (const startMs = Date.now(); Date.now() - startMs < TOLD_MS; await sleep(20)) {
      const found = events.find(wanted);
      if (found !== undefined) return found;
      if (failure !== undefined) throw failure;
    }
    throw new Error(`Not told; but: ${JSON.stringify(events)}`);
  };
  return { events, failure: () => failure, until };
}

const names = (corpora: unknown) => writeFileSync(join(project, "winnow.json"), JSON.stringify({ corpora }));
const changes = (event: WatchEvent, part: Partial<Record<"added" | "changed" | "removed", number>>) =>
  event.type === "refreshed" && Object.entries(part).every(([key, count]) => event.summary[key as "added"] === count);

test("a corpus of files that the configuration names is watched; one without the user's leave is not", async () => {
  writeFileSync(join(project, "docs", "a.md"), "# A\n\napple\n");
  mkdirSync(join(work, "elsewhere"));
  names({ docs: { source: "files", paths: ["docs"] }, others: { source: "files", paths: ["../elsewhere"] } });
  const told = await watchNamed("docs");
  await told.until((event) => changes(event, { added: 1 }));
  writeFileSync(join(project, "docs", "b.md"), "# B\n\nbanana\n");
  const event = await told.until((next) => next.type === "refreshed" && next.cause === "changes");
  expect(event).toMatchObject({ corpus: "docs", summary: { added: 1, documents: 2 } });
  const refused = await watchNamed("others");
  await sleep(500);
  expect(refused.failure()).toMatchObject({ code: "invalid_config" });
}, 60_000);

test("what agents saw and did is taken up while a session goes on", async () => {
  const place = join(work, "claude", "projects", project.replace(/[^A-Za-z0-9]/g, "-"));
  mkdirSync(place, { recursive: true });
  mkdirSync(join(work, "config", "winnow"), { recursive: true });
  const line = (text: string, at: number) =>
    `${JSON.stringify({
      type: "user",
      cwd: project,
      sessionId: "s1",
      uuid: `u${at}`,
      timestamp: new Date(Date.UTC(2026, 1, 1, 0, at)).toISOString(),
      message: { role: "user", content: text },
    })}\n`;
  writeFileSync(join(place, "s1.jsonl"), line("How do retries work?", 1));
  names({ sessions: { source: "claude-sessions" } });
  writeFileSync(join(work, "config", "winnow", "config.json"), JSON.stringify({ mayRead: { [project]: [place] } }));
  const told = await watchNamed("sessions");
  await told.until((event) => event.type === "refreshed" && event.cause === "start");
  writeFileSync(join(place, "s1.jsonl"), line("And what of zanzibar?", 2), { flag: "a" });
  await told.until((event) => changes(event, { changed: 1 }));
}, 60_000);

const git = skipUnless(spawnSync("git", ["--version"]).status === 0, "there is no git.");
git.test(
  "a commit is taken up by a corpus of changes",
  async () => {
    const run = (...args: string[]) =>
      execFileSync("git", ["-c", "user.name=T", "-c", "user.email=t@example.invalid", ...args], {
        cwd: project,
        stdio: "ignore",
      });
    run("init", "-q");
    run("commit", "-q", "--allow-empty", "-m", "Begin");
    names({ changelog: { source: "changelog", paths: ["."] } });
    const told = await watchNamed("changelog");
    await told.until((event) => event.type === "refreshed");
    run("commit", "-q", "--allow-empty", "-m", "Retry five times");
    const event = await told.until((next) => next.type === "refreshed" && next.cause === "changes");
    expect(event).toMatchObject({ summary: { changed: 1, documents: 2 } });
  },
  60_000,
);

realChroma.test(
  "an attached server is asked from time to time, and what changed there is taken up",
  async () => {
    const data = join(work, "data");
    mkdirSync(data);
    const server = await launchServer({
      executable: chromaCommand,
      folder: data,
      logFile: join(work, "server.log"),
      environment,
    });
    ending.push(() => server.close());
    const connection = await connectChroma({ address: server.address });
    const collection = await connection.createCollection({ name: "docs", space: "l2" });
    const record = (id: string, document: string) => ({
      id,
      document,
      embedding: [1, 0, 0],
      metadata: { source_path: `/notes/${id}.md`, chunk_index: 0 },
    });
    await collection.upsert([record("a", "apple")]);
    const session = await openAttachSession({ place: server.address, access: {}, workingFolder: project, environment });
    try {
      await session.write(await session.inspect({ collection: "docs", flags: { embedder: "none" } }, {}));
    } finally {
      await session.close();
    }
    const told = await watchNamed("docs", 500);
    await told.until((event) => event.type === "refreshed" && event.cause === "start");
    await collection.upsert([record("b", "banana")]);
    await told.until((event) => changes(event, { added: 1 }) && event.type === "refreshed" && event.cause === "look");
  },
  120_000,
);
