import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { startWireServer, type WireServer } from "../../src/testing/wire-server.ts";
import { type CommandResult, runCommand } from "../support/command.ts";

const packed = inject("packed");
const folder = join(packed.folder, "ask");
const QUESTION = "Who leads the team that owns retries?";
let server: WireServer;
/** What the model calls its tool with. */
let given: unknown;

const ask = (...args: readonly string[]): Promise<CommandResult> =>
  runCommand(packed.cli, ["ask", QUESTION, ...args], { cwd: folder, home: packed.home });
const model = () => ["--model", "openai-compatible:wire", "--base-url", server.baseUrl];
/** Numbers of the documents as the model was shown them. */
const numberOf = (title: string): number => {
  const asked = JSON.stringify(server.requests.at(-1)?.body);
  return Number(new RegExp(`number=\\\\?"(\\d+)\\\\?" title=\\\\?"${title}`).exec(asked)?.[1]);
};

beforeAll(async () => {
  mkdirSync(join(folder, "docs"), { recursive: true });
  writeFileSync(join(folder, "docs", "a.md"), "# Retries\n\nFive attempts. Owned by the Harbour team.\n");
  writeFileSync(join(folder, "docs", "b.md"), "# Harbour team\n\nLed by Ines Abara since May.\n");
  server = await startWireServer({
    models: ["wire"],
    replies: () => ({ calls: [{ tool: "answer", arguments: typeof given === "function" ? given() : given }] }),
  });
  expect((await runCommand(packed.cli, ["index", "docs"], { cwd: folder, home: packed.home })).code).toBe(0);
});
afterAll(() => server.close());

test("an answer carries citations that stand in the documents; the others are left out and told of", async () => {
  given = () => ({
    statements: [
      {
        text: "The Harbour team owns retries.",
        citations: [{ document: numberOf("Retries"), quote: "Owned by the Harbour team." }],
      },
      { text: "Ines Abara leads it.", citations: [{ document: numberOf("Harbour team"), quote: "Led by Ines Abara" }] },
      {
        text: "It has nine members.",
        citations: [{ document: numberOf("Retries"), quote: "nine members work there" }],
      },
    ],
    missing: "since when the team exists",
  });
  const { code, stdout, stderr } = await ask(...model());
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^The Harbour team owns retries\. \[\d\]\nInes Abara leads it\. \[\d\]\nIt has nine members\. \(shown by no passage\)\n/,
  );
  expect(stdout).toMatch(/\[\d\] Retries {2}docs\/a\.md:1 · \d{4}-/);
  expect(stdout).toMatch(/\[\d\] Harbour team {2}docs\/b\.md:1/);
  expect(stderr).toMatch(/Not in the documents: since when the team exists/);
  expect(stderr).toMatch(/1 citation left out/);
  const json = JSON.parse((await ask(...model(), "--json")).stdout);
  expect(json).toMatchObject({
    schema: "answer/1",
    model: "openai-compatible:wire",
    answer: { dropped: 1, statements: [{ citations: [{ quote: expect.any(String) }] }, {}, { citations: [] }] },
    search: { schema: "result/1", outcome: "found" },
  });
});

test("without a model it says so and prints the documents", async () => {
  const { code, stdout, stderr } = await ask();
  expect(code).toBe(0);
  expect(stdout).toMatch(/1 .*docs\//);
  expect(stderr).toMatch(/No model was named to answer/);
});

test("a model that answers nothing useful is asked once more, then reported", async () => {
  given = { nothing: true };
  const before = server.requests.length;
  const { code, stdout, stderr } = await ask(...model());
  expect(code).toBe(3);
  expect(stderr).toMatch(/gave no answer that can be read.*\nhint: /);
  expect(stdout, "what was found is printed all the same").toMatch(/1 .*docs\//);
  expect(server.requests.length - before).toBe(2);
});

test("a model that fails costs nobody the documents", async () => {
  const { code, stdout } = await ask("--model", "openai-compatible:gone", "--base-url", server.baseUrl, "--json");
  expect(code).toBe(3);
  const answered = JSON.parse(stdout);
  expect(answered).toMatchObject({ answer: null, failure: { message: expect.stringContaining("gone") } });
  expect(answered.search.documents.length).toBeGreaterThan(0);
});

test("no statement means that the documents do not answer it", async () => {
  given = { statements: [], missing: "everything" };
  const { stdout } = await ask(...model());
  expect(stdout).toMatch(/^The documents do not answer this\.\n/);
});
