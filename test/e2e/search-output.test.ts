import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { refusal } from "../../src/testing/chat-fixture.ts";
import { startWireServer, type WireServer } from "../../src/testing/wire-server.ts";
import { type CommandResult, runCommand } from "../support/command.ts";

const packed = inject("packed");
const folder = join(packed.folder, "search-output");
/** Controls of all kinds that a terminal acts on, and the characters beside them. */
const HOSTILE = "red \u001b[31m bell \u0007 delete \u007f csi \u009b31m next \u0085 turned \u202e isolated \u2066 end";
const servers: WireServer[] = [];

const winnow = (...args: readonly string[]): Promise<CommandResult> =>
  runCommand(packed.cli, args, { cwd: folder, home: packed.home });
const runsKept = (): string[] => readdirSync(join(folder, ".winnow", "runs"));

beforeAll(async () => {
  mkdirSync(join(folder, "docs"), { recursive: true });
  writeFileSync(join(folder, "docs", "a.md"), "# Retries\n\nFive attempts. Owned by the Harbour team.\n");
  writeFileSync(join(folder, "docs", "b.md"), "# Harbour team\n\nLed by Ines Abara.\n");
  writeFileSync(join(folder, "docs", "c.md"), `# Hostile\n\nA walrus says: ${HOSTILE}\n`);
  expect((await winnow("index", "docs")).code).toBe(0);
});
afterAll(() => Promise.all(servers.map((server) => server.close())));

interface ChatBody {
  readonly messages: readonly { readonly role: string }[];
  readonly seed?: number;
  readonly temperature?: number;
}

describe("search --events", () => {
  test("prints what the record holds, to the character, and nothing that a terminal acts on", async () => {
    const { code, stdout } = await winnow("search", "What does the walrus say?", "--events");
    expect(code).toBe(0);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const chunks = events.flatMap(({ type, chunks: found }) => (type === "tool_result" ? found : []));
    const hostile = chunks.find(({ documentId }) => documentId === "docs/c.md");
    expect(hostile.text).toContain(HOSTILE);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    const shown = JSON.parse((await winnow("show", events[0].runId, "--json")).stdout);
    expect([shown.header, ...shown.events]).toEqual(events.filter(({ type }) => !type.endsWith("_delta")));
  });
});

describe("search --rollouts 3", () => {
  test("samples three runs at temperature 1 with seeds of their own, fuses their lists, and keeps each record", async () => {
    const server = await startWireServer({
      models: ["wire"],
      replies: ({ body }) => {
        const { messages, seed = 0 } = body as ChatBody;
        if (!messages.some(({ role }) => role === "assistant")) {
          return { calls: [{ tool: "search_corpus", arguments: { query: seed % 2 === 0 ? "retries" : "Harbour" } }] };
        }
        return { calls: [{ tool: "finish", arguments: { documents: [{ id: "d1" }] } }] };
      },
    });
    servers.push(server);
    const model = ["--policy", "openai-compatible:wire", "--base-url", server.baseUrl];
    const before = runsKept().length;
    const { code, stdout } = await winnow("search", "Who leads it?", ...model, "--rollouts", "3", "--json");
    const result = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(result).toMatchObject({ schema: "result/1", stopReason: "finished", outcome: "found" });
    const asked = server.requests.map(({ body }) => body as ChatBody);
    expect(new Set(asked.map(({ temperature }) => temperature))).toEqual(new Set([1]));
    expect(new Set(asked.map(({ seed }) => seed))).toEqual(new Set([1, 2, 3]));
    expect(runsKept()).toHaveLength(before + 4);
    const family = JSON.parse((await winnow("runs", "--json")).stdout).runs.slice(0, 4);
    const ids = ["", ".1", ".2", ".3"].map((suffix) => `${result.runId}${suffix}`);
    expect(family.map(({ runId }: { runId: string }) => runId)).toEqual(ids);
    for (const id of ids.slice(1)) expect((await winnow("replay", id)).code).toBe(0);
    const parent = await winnow("replay", result.runId);
    expect([parent.code, parent.stderr]).toEqual([2, expect.stringContaining(`winnow replay ${result.runId}.1`)]);
    const record = JSON.parse((await winnow("show", `${result.runId}.2`, "--json")).stdout);
    expect(record.header).toMatchObject({ schema: "run/1", parent: result.runId, seed: 2 });
    const decision = record.events.find(({ type }: { type: string }) => type === "decision");
    expect(decision.sampling).toEqual({ temperature: 1, seed: 2 });
    const cooler = await winnow("search", "Who?", ...model, "--rollouts", "2", "--temperature", "0.2", "--events");
    const runIds = cooler.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).runId);
    expect(new Set(runIds).size).toBe(3);
    expect((server.requests.at(-1)?.body as ChatBody | undefined)?.temperature).toBe(0.2);
  });

  test("needs no model, and then takes no temperature", async () => {
    const plain = await winnow("search", "Who owns retries?", "--rollouts", "3", "--json");
    expect(plain.code).toBe(0);
    expect(JSON.parse(plain.stdout).documents.length).toBeGreaterThan(0);
    const before = runsKept().length;
    const warm = await winnow("search", "Who owns retries?", "--temperature", "0.5");
    expect({ code: warm.code, stdout: warm.stdout }).toEqual({ code: 2, stdout: "" });
    expect(warm.stderr).toMatch(/rules samples nothing.*\nhint: /);
    expect(runsKept()).toHaveLength(before);
    expect((await winnow("search", "Who?", "--temperature", "hot")).stderr).toMatch(/number from 0 to 2/);
    expect((await winnow("search", "Who?", "--history", "told")).stderr).toMatch(/sampled, rerendered/);
    expect((await winnow("search", "Who?", "--soft-notice", "told")).stderr).toMatch(/kept, once, off/);
    expect((await winnow("search", "Who?", "--usage-line", "told")).stderr).toMatch(/window, soft/);
  });
});

describe("a search that ends with nothing in hand", () => {
  test("after a failure of the model says that, what to do, and nothing about the corpus", async () => {
    const server = await startWireServer({ replies: [refusal(400, "Invalid schema")] });
    servers.push(server);
    const model = ["--policy", "openai-compatible:wire", "--base-url", server.baseUrl];
    const failed = await winnow("search", "Who leads it?", ...model);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toBe("No documents: the policy failed before anything was found (policy error).\n");
    expect(failed.stderr).toMatch(/^error: .*Invalid schema/m);
    expect(failed.stderr).toMatch(/^stopped: policy error, no list; /m);
    expect(failed.stderr).toMatch(/^hint: .*winnow doctor --policy/m);
    const shown = await winnow("show");
    expect(shown.stdout).toMatch(/No documents: the policy failed[\s\S]*^hint: .*winnow doctor/m);
    expect(failed.stdout + failed.stderr + shown.stdout).not.toContain("Nothing in the corpus");
  });

  test("after retries says each once, and after a window that is too small names the option for it", async () => {
    const busy = refusal(503, "busy", { "retry-after": "0" });
    const small = refusal(400, "This model's maximum context length is 2048 tokens.");
    const server = await startWireServer({ replies: [busy, busy, small] });
    servers.push(server);
    const failed = await winnow("search", "Who?", "--policy", "openai-compatible:m", "--base-url", server.baseUrl);
    expect(failed.stderr.match(/Attempt \d failed/g)).toEqual(["Attempt 1 failed", "Attempt 2 failed"]);
    expect(failed.stderr).toMatch(/^error: .*too long/m);
    expect(failed.stderr).toMatch(/^hint: .*--context/m);
    expect(failed.stderr).not.toContain("winnow doctor");
  });

  test("because the policy looked and found nothing says so", async () => {
    writeFileSync(join(folder, "nothing.json"), '[{"calls":[{"tool":"finish","arguments":{"documents":[]}}]}]');
    const found = await winnow("search", "Who leads it?", "--policy", "scripted:nothing.json");
    expect({ code: found.code, stdout: found.stdout }).toEqual({
      code: 0,
      stdout: "Nothing in the corpus supports this question.\n",
    });
    expect(found.stderr).not.toContain("hint:");
  });
});
