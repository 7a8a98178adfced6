import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type CallToolResult, Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { startWireServer, type WireServer } from "../../src/testing/wire-server.ts";
import { runCommand } from "../support/command.ts";

const packed = inject("packed");
const folder = join(packed.folder, "mcp");
const environment = { PATH: process.env["PATH"] ?? "", HOME: packed.home };
const TOKEN = "a-long-random-text";

beforeAll(async () => {
  mkdirSync(join(folder, "docs"), { recursive: true });
  writeFileSync(
    join(folder, "docs", "retries.md"),
    "---\ndate: 2026-05-14\nrepository: core\n---\n# Retries\n\nFive attempts. Owned by the Harbour team.\n",
  );
  writeFileSync(
    join(folder, "docs", "harbour.md"),
    "# Harbour team\n\nThe Harbour team sits in hall nine.\n\u001b[31mred\u001b[0m\n",
  );
  writeFileSync(join(folder, "docs", "long.md"), `# Long\n\n${"A line about walruses.\n".repeat(4_000)}`);
  const indexed = await runCommand(packed.cli, ["index", "docs"], { cwd: folder, home: packed.home });
  expect(indexed.code).toBe(0);
});

interface Connection {
  readonly client: Client;
  close(): Promise<void>;
}

async function overStdio(...args: readonly string[]): Promise<Connection> {
  const client = new Client({ name: "test", version: "1" });
  const command = { command: process.execPath, args: [packed.cli, "mcp", ...args], cwd: folder, env: environment };
  await client.connect(new StdioClientTransport({ ...command, stderr: "pipe" }));
  return { client, close: () => client.close() };
}

/** The server and the address that it prints. */
async function startHttp(...args: readonly string[]): Promise<{ child: ChildProcess; url: string }> {
  const command = [packed.cli, "mcp", "--http", "--port", "0", ...args];
  const child = spawn(process.execPath, command, { cwd: folder, env: { ...environment, MCP_TOKEN: TOKEN } });
  for await (const line of createInterface({ input: child.stdout })) return { child, url: line };
  throw new Error("The server printed no address.");
}

async function overHttp(): Promise<Connection> {
  const { child, url } = await startHttp();
  const client = new Client({ name: "test", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return {
    client,
    async close() {
      await client.close();
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    },
  };
}

const textOf = ({ content }: CallToolResult): string =>
  content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");

describe.each([
  ["stdio", overStdio],
  ["HTTP", overHttp],
] as const)("over %s", (_name, connect) => {
  let connection: Connection;
  const call = (name: string, given: Record<string, unknown>) => connection.client.callTool({ name, arguments: given });
  beforeAll(async () => {
    connection = await connect();
  });
  afterAll(() => connection.close());

  test("six tools are offered, read-only, with schemas of what they take and give", async () => {
    const { tools } = await connection.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["search", "find", "read", "brief", "recent", "corpora"]);
    for (const tool of tools) {
      expect(tool.annotations).toMatchObject({ readOnlyHint: true, openWorldHint: false });
      expect(tool.inputSchema.type).toBe("object");
      expect(tool.outputSchema?.["type"]).toBe("object");
    }
    expect(connection.client.getInstructions()).toContain("Cite every claim");
  });

  test("search answers a question with cited passages", async () => {
    const said: string[] = [];
    const answer = await connection.client.callTool(
      { name: "search", arguments: { question: "In which hall sits the team that owns retries?" } },
      { onprogress: ({ message }) => said.push(message ?? "") },
    );
    const { outcome, documents, runId } = answer.structuredContent as {
      outcome: string;
      documents: { place: string; date?: string; repository?: string; passage: string }[];
      runId: string;
    };
    expect(outcome).toBe("found");
    expect(documents.map(({ place }) => place.replace(/:\d+$/, ""))).toEqual(
      expect.arrayContaining(["docs/retries.md", "docs/harbour.md"]),
    );
    expect(documents.find(({ place }) => place.startsWith("docs/retries"))).toMatchObject({
      date: "2026-05-14",
      repository: "core",
      passage: expect.stringContaining("Harbour team"),
    });
    expect(textOf(answer)).toMatch(/docs\/retries\.md:\d+ · 2026-05-14 · core/);
    expect(textOf(answer)).not.toContain("\u001b");
    expect(said.length).toBeGreaterThan(0);
    expect(said[0]).toMatch(/^Turn 1: search /);
    expect(readdirSync(join(folder, ".winnow", "runs"))).toContain(`${runId}.jsonl`);
  });

  test("find, read, brief, recent and corpora answer in both forms", async () => {
    const found = await call("find", { query: "Harbour", documents: 1 });
    expect(found.structuredContent).toMatchObject({ mode: "hybrid", documents: [{ rank: 1 }] });
    const { place } = (found.structuredContent as { documents: { place: string }[] }).documents[0] ?? { place: "" };
    expect(textOf(await call("read", { document: place }))).toContain("hall nine");
    const grep = await call("find", { query: "wal[r]us", mode: "grep" });
    expect(grep.structuredContent).toMatchObject({ matchesTotal: 4_000 });
    const briefed = await call("brief", { task: "change the number of retries" });
    expect(textOf(briefed)).toMatch(/^Load before you begin \(\d/);
    expect(briefed.structuredContent).toMatchObject({ load: expect.any(Array), ignore: expect.any(Array) });
    const recent = await call("recent", { since: "2026-05" });
    expect(recent.structuredContent).toMatchObject({ moved: expect.any(Number), truncated: false });
    expect(textOf(recent)).toContain("2026-05-14 · core");
    const corpora = await call("corpora", {});
    expect(corpora.structuredContent).toMatchObject({ corpora: [{ name: "mcp", documents: 3, skipped: 0 }] });
  });

  test("a long document comes in parts that fit together", async () => {
    const lines: string[] = [];
    let next: string | undefined = "1-4002";
    for (let part = 0; next !== undefined && part < 10; part++) {
      const { text, next: after } = (await call("read", { document: "docs/long.md", lines: next }))
        .structuredContent as { text: string; next?: string };
      expect(text.length).toBeLessThanOrEqual(24_000);
      lines.push(...text.split("\n"));
      next = after;
    }
    expect(lines.join("\n")).toBe(readFileSync(join(folder, "docs", "long.md"), "utf8").trimEnd());
  });

  test.each([
    ["search", { question: "Who?", where: ["repositry=core"] }, /repositry.*\nhint: /],
    ["search", { question: "Who?", corpora: ["elsewhere"] }, /no corpus "elsewhere".*\nhint: Corpora: mcp\./],
    ["search", { question: "Who?", corpora: ["/etc"] }, /no corpus/],
    ["find", { query: "(?=x)", mode: "grep" }, /hint: /],
    ["read", { document: "../../etc/passwd" }, /hint: |no document/i],
    ["recent", { since: "soon" }, /not a date/],
  ])("%s with %j says what is wrong", async (name, given, message) => {
    const answer = await call(name, given);
    expect(answer.isError).toBe(true);
    expect(textOf(answer)).toMatch(message);
  });

  test("arguments of another shape are refused", async () => {
    for (const given of [{}, { question: 7 }, { question: "x".repeat(9_000) }, { question: "x", documents: 31 }]) {
      const answer = await call("search", given).then(
        (result) => result.isError === true,
        () => true,
      );
      expect(answer, JSON.stringify(given).slice(0, 60)).toBe(true);
    }
  });
});

describe("cancelling", () => {
  let server: WireServer;
  beforeAll(async () => {
    // A model that never ends by itself: each turn asks for something else.
    let turn = 0;
    server = await startWireServer({
      models: ["wire"],
      replies: () => ({ calls: [{ tool: "search_corpus", arguments: { query: `walrus ${turn++}` } }], delayMs: 150 }),
    });
  });
  afterAll(() => server.close());

  test("a call stops the run within a turn, and the server goes on", async () => {
    const { client, close } = await overStdio("--policy", "openai-compatible:wire", "--base-url", server.baseUrl);
    const controller = new AbortController();
    const recorded = (): string[] => readdirSync(join(folder, ".winnow", "runs"));
    const before = new Set(recorded());
    const asked = client.callTool(
      { name: "search", arguments: { question: "Which walrus?" } },
      {
        signal: controller.signal,
        onprogress: ({ progress }) => {
          if (progress >= 2) controller.abort();
        },
      },
    );
    await expect(asked).rejects.toThrow();
    const requests = server.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(server.requests.length - requests).toBeLessThanOrEqual(1);
    expect((await client.callTool({ name: "find", arguments: { query: "Harbour" } })).isError).toBeFalsy();
    // Names of one second are not in the order of their runs.
    const own = recorded().find((name) => !before.has(name)) ?? "";
    const record = readFileSync(join(folder, ".winnow", "runs", own), "utf8")
      .trim()
      .split("\n");
    expect(JSON.parse(record.at(-1) ?? "{}")).toMatchObject({ type: "end", stopReason: "cancelled" });
    await close();
  });
});

describe("who may call over HTTP", () => {
  const post = (url: string, headers: Record<string, string>, body = "{}", path = "/mcp"): Promise<number> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(url);
      const sent = request({ hostname, port, path, method: "POST", headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.on("error", reject);
      sent.end(body);
    });
  const json = { "content-type": "application/json", accept: "application/json, text/event-stream" };

  test("pages of other sites and other names of this machine may not; large bodies and other paths are refused", async () => {
    const { child, url } = await startHttp();
    expect(await post(url, { ...json, host: "evil.example" })).toBe(403);
    expect(await post(url, { ...json, origin: "https://evil.example" })).toBe(403);
    expect(await post(url, json, "{}", "/mcp/../etc/passwd")).toBe(404);
    expect(await post(url, json, "x".repeat(1_100_000)).catch(() => 413)).toBe(413);
    expect(await post(url, json, "{")).toBe(400);
    child.kill();
  });

  test("with a token nobody without it", async () => {
    const { child, url } = await startHttp("--token-env", "MCP_TOKEN");
    for (const authorization of ["", "Bearer", `Bearer ${TOKEN}x`, `Basic ${TOKEN}`]) {
      expect(await post(url, { ...json, authorization })).toBe(401);
    }
    const client = new Client({ name: "test", version: "1" });
    const requestInit = { headers: { authorization: `Bearer ${TOKEN}` } };
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
    expect((await client.listTools()).tools).toHaveLength(6);
    await client.close();
    child.kill();
  });

  test("beyond this machine nobody is served without a token", async () => {
    const open = await runCommand(packed.cli, ["mcp", "--http", "--host", "0.0.0.0", "--port", "0"], {
      cwd: folder,
      home: packed.home,
    });
    expect(open).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(/needs a token.*\nhint: /) });
  });
});

describe("winnow mcp install", () => {
  const install = (...args: readonly string[]) =>
    runCommand(packed.cli, ["mcp", "install", ...args], { cwd: folder, home: packed.home });

  test("shows what it would write and writes nothing until told", async () => {
    const shown = await install("claude-code");
    expect(JSON.parse(shown.stdout)).toEqual({
      mcpServers: { winnow: { type: "stdio", command: "winnow", args: ["mcp"] } },
    });
    expect(shown.stderr).toMatch(/\.mcp\.json.*--yes/);
    expect(readdirSync(folder)).not.toContain(".mcp.json");
  });

  test("adds its entry and leaves the rest as it was written", async () => {
    const file = join(folder, ".mcp.json");
    writeFileSync(file, '{\n   "mcpServers": {\n      "other": {"command": "x"}\n   }\n}\n');
    expect((await install("claude-code", "--yes")).code).toBe(0);
    const text = readFileSync(file, "utf8");
    expect(text).toContain('      "other": {"command": "x"},');
    expect(JSON.parse(text).mcpServers.winnow).toEqual({ type: "stdio", command: "winnow", args: ["mcp"] });
    expect((await install("claude-code", "--yes")).stderr).toMatch(/already/);
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  test("puts the skill where the agent looks for it, once agreed", async () => {
    const file = join(folder, ".claude", "skills", "winnow", "SKILL.md");
    const shown = await install("claude-code", "--skill");
    expect(shown.code).toBe(0);
    expect(() => readFileSync(file)).toThrow();
    expect((await install("claude-code", "--skill", "--yes")).stderr).toContain("SKILL.md");
    const skill = readFileSync(file, "utf8");
    expect(skill).toMatch(/^---\nname: winnow\ndescription: .+\n---\n/);
    for (const tool of ["search", "find", "read", "brief", "recent", "corpora"]) expect(skill).toContain(`\`${tool}\``);
    expect((await install("codex", "--skill", "--yes")).stderr).toMatch(/not known.*\nhint: Copy it/);
  });

  test.skipIf(process.platform === "win32")(
    "its hook lists what moved, also where a corpus cannot be refreshed",
    async () => {
      const skill = readFileSync(new URL("../../skills/winnow/SKILL.md", import.meta.url), "utf8");
      const settings = JSON.parse(/```json\n([\s\S]+?)```/.exec(skill)?.[1] ?? "");
      const bin = join(folder, "bin");
      mkdirSync(bin);
      writeFileSync(join(bin, "winnow"), `#!/bin/sh\nexec "${process.execPath}" "${packed.cli}" "$@"\n`, {
        mode: 0o755,
      });
      writeFileSync(join(folder, "winnow.json"), '{"corpora": {"mine": {"source": "claude-sessions"}}}');
      try {
        const options = {
          cwd: folder,
          env: { ...environment, PATH: `${bin}:${process.env["PATH"]}` },
          encoding: "utf8",
        } as const;
        const hook = spawnSync("sh", ["-c", settings.hooks.SessionStart[0].hooks[0].command], options);
        expect(hook).toMatchObject({ status: 0, stdout: expect.stringContaining("long.md") });
        const index = await runCommand(packed.cli, ["index", "--quiet"], { cwd: folder, home: packed.home });
        expect(index.code).toBe(3);
      } finally {
        rmSync(join(folder, "winnow.json"));
      }
    },
  );

  test("a file that is none is left alone, and an unknown client named", async () => {
    mkdirSync(join(folder, ".cursor"));
    const file = join(folder, ".cursor", "mcp.json");
    writeFileSync(file, "{ // a comment\n}");
    const refused = await install("cursor", "--yes");
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/not a JSON object.*\nhint: /) });
    expect(readFileSync(file, "utf8")).toBe("{ // a comment\n}");
    expect((await install("coursor")).stderr).toMatch(/no client "coursor".*cursor/);
  });
});
