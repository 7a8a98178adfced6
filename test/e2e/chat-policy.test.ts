import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { startWireServer, type WireServer } from "../../src/testing/wire-server.ts";
import { runCommand } from "../support/command.ts";
import { checkout, readJson } from "../support/packed.ts";

const SECRET = "sk-e2e-0123456789abcdef";
const packed = inject("packed");
const folder = join(packed.folder, "chat-policy");
let server: WireServer;

const winnow = (...args: readonly string[]) =>
  runCommand(packed.cli, args, { cwd: folder, home: packed.home, env: { MODEL_KEY: SECRET } });

const access = (): string[] => ["--base-url", server.baseUrl, "--api-key-env", "MODEL_KEY"];

beforeAll(async () => {
  mkdirSync(join(folder, "docs"), { recursive: true });
  writeFileSync(join(folder, "docs", "a.md"), "# Retries\n\nFive attempts. Owned by the Harbour team.\n");
  writeFileSync(join(folder, "docs", "b.md"), "# Harbour team\n\nLed by Ines Abara.\n");
  server = await startWireServer({
    models: ["wire"],
    replies: ({ body }) => {
      const { model, messages, tools } = body as { model: string; messages: { role: string }[]; tools: unknown[] };
      if (model !== "wire") return { status: 404, body: { error: { message: `The model ${model} does not exist.` } } };
      if (tools.length === 1) return { calls: [{ tool: "ready", arguments: {} }] };
      if (!messages.some(({ role }) => role === "assistant")) {
        return {
          calls: ["owner of retries", "lead of Harbour team"].map((query) => ({
            tool: "search_corpus",
            arguments: { query },
          })),
        };
      }
      return { calls: [{ tool: "finish", arguments: { documents: [{ id: "d1" }, { id: "d2" }] } }] };
    },
  });
  expect((await winnow("index", "docs")).code).toBe(0);
});
afterAll(() => server.close());

test("search is driven by a chat model; the key reaches the server and no file", async () => {
  const { code, stdout } = await winnow("search", "Who?", "--policy", "openai-compatible:wire", "--json", ...access());
  const result = JSON.parse(stdout);
  expect(code).toBe(0);
  expect(result).toMatchObject({ stopReason: "finished", concluded: "policy", documents: { length: 2 } });
  expect(server.requests[0]?.headers["authorization"]).toBe(`Bearer ${SECRET}`);
  const written = readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
  expect(written.some((text) => text.includes("search_corpus"))).toBe(true);
  expect(written.filter((text) => text.includes(SECRET))).toEqual([]);
  expect(existsSync(join(folder, ".winnow", "runs"))).toBe(true);
});

test("doctor asks once, and explains a wrong name", async () => {
  const before = server.requests.length;
  const fine = await winnow("doctor", "--policy", "openai-compatible:wire", "--json", ...access());
  expect(JSON.parse(fine.stdout).checks.at(-1)).toMatchObject({ name: "policy", state: "ok" });
  expect(server.requests).toHaveLength(before + 1);
  const wrong = await winnow("doctor", "--policy", "openai-compatible:wira", ...access());
  expect(wrong.code).toBe(1);
  expect(wrong.stdout).toMatch(/has no model "wira"\. Did you mean "wire"\? It has: wire\./);
});

test("what every command loads at its start holds nothing of the SDK", () => {
  interface Chunk {
    readonly file: string;
    readonly imports: readonly string[];
    readonly packages: readonly string[];
  }
  const chunks: readonly Chunk[] = readJson(join(checkout, "dist", "build.json")).chunks;
  const heavy = (file: string): boolean =>
    chunks.some((chunk) => chunk.file === file && chunk.packages.some((name) => name.startsWith("@ai-sdk/")));
  expect(chunks.some(({ file }) => heavy(file))).toBe(true);
  // Only chunks of the SDK itself may import one: ours reach it by a dynamic import.
  const importing = chunks.filter(({ file, imports }) => !heavy(file) && imports.some(heavy));
  expect(importing.map(({ file }) => file)).toEqual([]);
});
