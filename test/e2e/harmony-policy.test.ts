import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { answerOf, callOf, promptOf, searchFor } from "../../src/testing/harmony-fixture.ts";
import { startWireServer, type WireServer } from "../../src/testing/wire-server.ts";
import { type CommandResult, runCommand } from "../support/command.ts";

const packed = inject("packed");
const folder = join(packed.folder, "harmony-policy");
const FOUND = [
  { id: "d1", justification: "The owner.", quote: "Owned by the Harbour team." },
  { id: "d2", justification: "Its lead.", quote: "Led by Ines Abara." },
];
let server: WireServer;
let result: { readonly runId: string; readonly stopReason: string; readonly documents: readonly unknown[] };

const winnow = (...args: readonly string[]): Promise<CommandResult> =>
  runCommand(packed.cli, args, { cwd: folder, home: packed.home });
const linesOf = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

beforeAll(async () => {
  mkdirSync(join(folder, "docs"), { recursive: true });
  writeFileSync(join(folder, "docs", "a.md"), "# Retries\n\nFive attempts. Owned by the Harbour team.\n");
  writeFileSync(join(folder, "docs", "b.md"), "# Harbour team\n\nLed by Ines Abara. <|end|> is text here.\n");
  const odd = "<|channel|>analysis to=functions.search_corpus <|message|>{'query': 'lead of Harbour team',}";
  const answers = [
    await answerOf(searchFor("owner of retries")),
    await answerOf(odd),
    await answerOf(callOf("finish", { documents: FOUND })),
  ];
  server = await startWireServer({ models: ["wire"], replies: answers });
  expect((await winnow("index", "docs")).code).toBe(0);
  const model = ["--policy", "harmony:wire", "--base-url", server.baseUrl];
  const told = ["--soft-notice", "off", "--usage-line", "soft"];
  const how = ["--profile", "chat", "--history", "sampled", ...told, "--temperature", "0.5", "--json"];
  const search = await winnow("search", "Who leads the owner of retries?", ...model, ...how);
  result = JSON.parse(search.stdout);
  expect({ code: search.code, stopReason: result.stopReason }).toEqual({ code: 0, stopReason: "finished" });
});
afterAll(() => server.close());

test("search sends token ids at the temperature of the command, and its history goes on from what was sampled", () => {
  const [first, second, third] = server.requests;
  expect(result.documents).toHaveLength(2);
  expect(first?.path).toBe("/v1/completions");
  expect(first?.body).toMatchObject({ temperature: 0.5, return_token_ids: true });
  for (const [before, after] of [
    [first, second],
    [second, third],
  ]) {
    expect(promptOf(after).slice(0, promptOf(before).length)).toEqual(promptOf(before));
  }
});

test("the record names how the budget was told", async () => {
  const { header, events } = JSON.parse((await winnow("show", result.runId, "--json")).stdout);
  expect(header.profile).toMatchObject({ softNotice: "off", usageLine: { denominator: "soft", thousands: false } });
  const lines = events.flatMap((event: { readonly line?: string }) => (event.line === undefined ? [] : [event.line]));
  expect(lines.join("\n")).toMatch(/^\[Token usage: \d+\/24576\]$/m);
});

test("render shows the ids of each turn as they were sent", async () => {
  for (const turn of [1, 2, 3]) {
    const shown = await winnow("render", result.runId, "--turn", String(turn), "--json");
    const rendered = JSON.parse(shown.stdout);
    expect(rendered).toMatchObject({ schema: "tokens/1", encoding: "o200k_harmony", profile: "chat" });
    expect(rendered.ids).toEqual(promptOf(server.requests[turn - 1]));
    expect(rendered.tokens).toBe(rendered.ids.length);
  }
  // For people, the text of a document never looks like a special token.
  const plain = await winnow("render", result.runId, "--turn", "3");
  expect(plain.stdout).toContain("<\\|end|> is text here");
  expect(plain.stderr).toMatch(/text spells a special token once/);
});

test("render writes a conversation file, and explains what is wrong with one", async () => {
  writeFileSync(join(folder, "conversation.json"), '{"query": "Who owns billing?", "date": "2026-01-02"}');
  const shown = await winnow("render", "conversation.json", "--profile", "context-1");
  expect(shown.code).toBe(0);
  expect(shown.stdout).toMatch(/^<\|start\|>system<\|message\|>/);
  expect(shown.stdout).toContain("Who owns billing?");
  expect(shown.stdout).toContain("2026-01-02");
  writeFileSync(join(folder, "wrong.json"), '{"messages": [{"role": "tool"}]}');
  const wrong = await winnow("render", "wrong.json");
  expect({ code: wrong.code, stdout: wrong.stdout }).toEqual({ code: 2, stdout: "" });
  expect(wrong.stderr).toMatch(/messages\.0.*\nhint: /);
  expect((await winnow("render", result.runId, "--turn", "9")).stderr).toMatch(/no turn 9/);
});

test("export prints segments that hold every sampled token once, rows for training, and messages", async () => {
  const exported = await winnow("export", result.runId);
  expect(exported.code).toBe(0);
  const segments = linesOf(exported.stdout);
  const record = JSON.parse((await winnow("show", result.runId, "--json")).stdout);
  const completions: number[][] = record.events.flatMap((event: { tokens?: { completion: number[] } }) =>
    event.tokens === undefined ? [] : [event.tokens.completion],
  );
  expect(completions).toHaveLength(3);
  const trained = segments.flatMap(({ tokens, mask }) => tokens.filter((_: number, i: number) => mask[i] === 1));
  expect(trained).toEqual(completions.flat());
  // Sampled histories go on in one segment; that is what they are for.
  expect(segments).toHaveLength(1);
  expect(segments[0]).toMatchObject({
    schema: "segment/1",
    rollout_id: result.runId,
    is_last: true,
    turns: [1, 2, 3],
    sampling: { temperature: 0.5, top_p: 0.9 },
  });
  const rows = linesOf((await winnow("export", result.runId, "--format", "sft")).stdout);
  expect(rows[0].input_ids).toEqual(segments[0].tokens);
  expect(rows[0].labels.filter((label: number) => label >= 0)).toEqual(trained);
  const [conversation] = linesOf((await winnow("export", result.runId, "--format", "chat")).stdout);
  expect(conversation.messages[0]).toMatchObject({ role: "user" });
  const whole = JSON.parse((await winnow("export", result.runId, "--json")).stdout);
  expect(whole).toMatchObject({ schema: "export/1", format: "segments", runs: 1, tooLong: [], lines: segments });
});

test("export refuses runs without token ids, and leaves out what is too long", async () => {
  const rules = JSON.parse((await winnow("search", "Harbour team", "--json")).stdout);
  const refused = await winnow("export", rules.runId);
  expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 2, stdout: "" });
  expect(refused.stderr).toMatch(/holds no token ids.*\nhint: .*harmony:MODEL/);
  const long = await winnow("export", result.runId, "--max-tokens", "10");
  expect({ code: long.code, stdout: long.stdout }).toEqual({ code: 3, stdout: "" });
  expect(long.stderr).toContain(result.runId);
  expect(readdirSync(join(folder, ".winnow", "runs"))).toContain(`${result.runId}.jsonl`);
});
