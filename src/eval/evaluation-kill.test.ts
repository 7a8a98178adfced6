import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Dataset, DatasetQuery } from "./dataset.ts";
import { readEvaluation } from "./evaluation-files.ts";
import type { SystemAnswer } from "./query-outcome.ts";
import { type EvaluateOptions, evaluate } from "./run-evaluation.ts";

const QUESTIONS = 40;
const KILLS = 3 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

// The child and the test evaluate the same thing; functions are sent as their text, so they may use nothing outside.

const datasetOf = (count: number): Dataset => ({
  name: "killed",
  folder: "",
  corpusFile: "",
  hash: "0123456789abcdef",
  documents: count,
  queries: Array.from({ length: count }, (_, i) => ({
    id: `q${i}`,
    text: `question ${i}`,
    answers: [],
    gold: new Map([[`d${i}`, 1]]),
  })),
  notices: [],
  documentText: async () => undefined,
});

const answerTo = async ({ id }: DatasetQuery): Promise<SystemAnswer> => {
  await new Promise((resolve) => setTimeout(resolve, 8));
  const n = Number(id.slice(1));
  const documents = n % 3 === 0 ? [`d${n}`] : ["x", `d${n + (n % 2)}`];
  const work = { turns: n, toolCalls: 1, promptTokens: n, completionTokens: 0, seconds: 1, stopReason: "finished" };
  return { documents, seen: documents, pruned: [], ...work };
};

const child = (evaluation: string) => `
import { writeSync } from "node:fs";
import { evaluate } from ${JSON.stringify(evaluation)};
const dataset = (${datasetOf})(${QUESTIONS});
const evaluating = evaluate({
  dataset, system: ${answerTo}, folder: process.argv[2], id: process.argv[3],
  policy: "p", profile: "none", retrieval: "none", k: 5, concurrency: 3, seed: 4,
});
let told = 0;
for await (const event of evaluating) {
  if (event.type !== "query_end") continue;
  writeSync(1, "acknowledged " + event.outcome.query + "\\n");
  if (++told !== Number(process.argv[4])) continue;
  if (process.argv[5] === "hold") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  // By its own hand: how late a signal of another process comes depends on how busy the machine is.
  setTimeout(() => process.kill(process.pid, "SIGKILL"), Number(process.argv[5]));
}
await evaluating.result;
`;

let base = "";
let script = "";
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "winnow-eval-kill-"));
  script = join(base, "child.mjs");
  const input = join(base, "child-source.mjs");
  await writeFile(input, child(fileURLToPath(new URL("./run-evaluation.ts", import.meta.url))));
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const build = await rolldown({ cwd: root, input, platform: "node", logLevel: "silent" });
  await build.write({ file: script, format: "esm" });
}, 60_000);
afterAll(() => rm(base, { recursive: true, force: true }));

/** Runs the child, which kills itself some time after it told of so many questions. Resolves with all it told of. */
async function runChild(id: string, killAfter: number, delayMs: number): Promise<string[]> {
  const args = [script, base, id, String(killAfter), String(delayMs)];
  const running = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  running.stdout.on("data", (data) => {
    said += String(data);
  });
  await new Promise((ended) => running.on("close", ended));
  expect(running.signalCode).toBe("SIGKILL");
  return [...said.matchAll(/acknowledged (\w+)\n/g)].map(([, query = ""]) => query);
}

const options = (id: string, more: Partial<EvaluateOptions> = {}): EvaluateOptions => ({
  dataset: datasetOf(QUESTIONS),
  system: answerTo,
  folder: base,
  id,
  policy: "p",
  profile: "none",
  retrieval: "none",
  k: 5,
  seed: 4,
  ...more,
});

test("kill -9 loses no question that was told of, and none is run again", async () => {
  const whole = await evaluate(options("whole")).result;
  for (let kill = 0; kill < KILLS; kill++) {
    const id = `killed-${kill}`;
    const first = await runChild(id, 1 + ((kill * 7) % 13), kill % 4);
    const second = await runChild(id, 2 + ((kill * 5) % 13), (kill + 2) % 4);
    const told = [...first, ...second];
    expect(new Set(told).size).toBe(told.length);
    const stored = await readEvaluation(join(base, id));
    for (const query of told) expect(stored?.outcomes.has(query), query).toBe(true);
    const ran: string[] = [];
    const system: typeof answerTo = (query) => {
      ran.push(query.id);
      return answerTo(query);
    };
    const row = await evaluate(options(id, { system })).result;
    expect(row).toEqual({ ...whole, evaluation: id });
    expect(ran.filter((query) => stored?.outcomes.has(query))).toEqual([]);
    expect(ran.length + (stored?.outcomes.size ?? 0)).toBe(QUESTIONS);
    expect(ran.length).toBeGreaterThan(0);
  }
});

test("while a process holds an evaluation no other one touches it; when it is killed, the next goes on", async () => {
  const args = [script, base, "held", "4", "hold"];
  const holder = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => holder.on("close", resolve));
  let said = "";
  await new Promise<void>((resolve) => {
    holder.stdout.on("data", (data) => {
      said += String(data);
      if (said.split("\n").length > 4) resolve();
    });
  });
  const results = () => readFile(join(base, "held", "results.jsonl"), "utf8");
  const before = await results();
  for (let round = 0; round < 2; round++) {
    await expect(evaluate(options("held")).result).rejects.toMatchObject({
      code: "evaluation_locked",
      message: expect.stringContaining(`held is being run by process ${holder.pid} on `),
      hint: expect.stringContaining("writer.lock"),
    });
  }
  expect(await results()).toBe(before);
  holder.kill("SIGKILL");
  await ended;
  const [whole, row] = [await evaluate(options("other")).result, await evaluate(options("held")).result];
  expect(row).toEqual({ ...whole, evaluation: "held" });
  const lines = (await results()).trimEnd().split("\n");
  expect(lines).toHaveLength(QUESTIONS);
  expect(await readdir(join(base, "held"))).toEqual(["evaluation.json", "results.jsonl"]);
});
