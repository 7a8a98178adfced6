import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { runCommand } from "../support/command.ts";
import { call, startServe } from "../support/serve.ts";

const packed = inject("packed");
const folder = join(packed.folder, "watch");
const WAIT_MS = 20_000;

beforeAll(() => {
  mkdirSync(join(folder, "notes"), { recursive: true });
  writeFileSync(join(folder, "notes", "a.md"), "# A\n\napple\n");
});

interface Watched {
  readonly child: ChildProcess;
  readonly lines: Record<string, unknown>[];
  readonly said: string[];
  /** Resolves with the first line that holds all of `part`. */
  until(part: Record<string, unknown>): Promise<Record<string, unknown>>;
  end(signal: NodeJS.Signals): Promise<number | null>;
}

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

function startWatch(...args: readonly string[]): Watched {
  const child = spawn(process.execPath, [packed.cli, "index", ...args, "--watch"], {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "", HOME: packed.home },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(child);
  const lines: Record<string, unknown>[] = [];
  const said: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) =>
    lines.push(line.startsWith("{") ? JSON.parse(line) : {}),
  );
  createInterface({ input: child.stderr }).on("line", (line) => said.push(line));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    child,
    lines,
    said,
    async until(part) {
      for (const startMs = Date.now(); Date.now() - startMs < WAIT_MS; ) {
        const found = lines.find((line) => Object.entries(part).every(([key, value]) => line[key] === value));
        if (found !== undefined) return found;
        await sleep(20);
      }
      throw new Error(`Not told: ${JSON.stringify(part)}; but ${JSON.stringify(lines)} ${said.join("\n")}`);
    },
    end(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

const put = (name: string, text: string) => writeFileSync(join(folder, "notes", name), `# ${name}\n\n${text}\n`);

describe("winnow index --watch", () => {
  test("tells of every refresh in a line of JSON; other processes that have the index open find what changed", async () => {
    const watched = startWatch("notes", "--json");
    expect(await watched.until({ cause: "start" })).toMatchObject({
      schema: "watch/1",
      type: "refreshed",
      corpus: "watch",
      documents: 1,
      failed: 0,
    });
    const server = await startServe(packed, folder, []);
    const client = new Client({ name: "test", version: "1" });
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [packed.cli, "mcp"],
        cwd: folder,
        env: { PATH: process.env["PATH"] ?? "", HOME: packed.home },
        stderr: "ignore",
      }),
    );
    try {
      const served = async () => (await call(server, "POST", "/v1/find", { query: "zanzibar", mode: "lexical" })).text;
      const told = async () =>
        JSON.stringify(await client.callTool({ name: "find", arguments: { query: "zanzibar", mode: "lexical" } }));
      expect(await served()).not.toContain("b.md");
      expect(await told()).not.toContain("b.md");
      put("b.md", "zanzibar");
      expect(await watched.until({ cause: "changes", added: 1 })).toMatchObject({ documents: 2, removed: 0 });
      expect(await served()).toContain("b.md");
      expect(await told()).toContain("b.md");
      rmSync(join(folder, "notes", "b.md"));
      expect(await watched.until({ removed: 1 })).toMatchObject({ documents: 1 });
      expect(await served()).not.toContain("b.md");
    } finally {
      await client.close();
      await server.stop();
    }
    expect(await watched.end("SIGTERM")).toBe(0);
    expect(watched.lines.every(({ schema }) => schema === "watch/1")).toBe(true);
    expect(readdirSync(join(folder, ".winnow")).filter((name) => name.includes("lock"))).toEqual([]);
  });

  test("talks on stderr, refuses a second watch, and goes on after a kill of the first", async () => {
    const watched = startWatch();
    for (let i = 0; i < 400 && !watched.said.some((line) => line.includes("watching")); i++) await sleep(50);
    expect(watched.said.join("\n")).toMatch(/\d\d:\d\d:\d\d watch: watching; .*1 document, \d+\.\d s/);
    const second = await runCommand(packed.cli, ["index", "--watch", "--json"], { cwd: folder, home: packed.home });
    expect(second.code).toBe(1);
    expect(JSON.parse(second.stdout)).toMatchObject({
      error: { code: "corpus_locked", message: expect.stringContaining("is being watched by process") },
    });
    await watched.end("SIGKILL");
    expect(existsSync(join(folder, ".winnow", "watch.lock"))).toBe(true);
    put("c.md", "cinnamon");
    const third = startWatch("--json");
    expect(await third.until({ cause: "start" })).toMatchObject({ added: 1, documents: 2 });
    expect(await third.end("SIGINT")).toBe(130);
    expect(existsSync(join(folder, ".winnow", "watch.lock"))).toBe(false);
  });

  test("winnow gc frees what was left over, and says what old runs would go", async () => {
    const winnow = (...args: string[]) => runCommand(packed.cli, args, { cwd: folder, home: packed.home });
    expect((await winnow("search", "apple")).code).toBe(0);
    const dry = await winnow("gc", "--keep", "0", "--dry-run", "--json");
    expect(JSON.parse(dry.stdout)).toMatchObject({
      schema: "gc/1",
      removed: false,
      runs: [{ bytes: expect.any(Number) }],
    });
    expect((await winnow("gc")).stdout).toMatch(/^Removed 0 runs .*; 1 run kept\.\n$/);
    expect((await winnow("gc", "--older-than", "1d")).stdout).toMatch(/^Removed 0 runs/);
    expect((await winnow("gc", "--keep", "0", "--yes")).stdout).toMatch(/^Removed 1 run \(0\.\d MB\)/);
    expect(JSON.parse((await winnow("runs", "--json")).stdout)).toMatchObject({ runs: [] });
    expect((await winnow("gc", "--older-than", "soon")).code).toBe(2);
    expect(JSON.parse((await winnow("find", "apple", "--json")).stdout).documents[0]).toMatchObject({
      id: "notes/a.md",
    });
  });
});
